import CPcap
import ClassicBPF

/// libpcap itself, the judge of what an expression is and means.
///
/// One handle for each link type, used by one test at a time.
final class LibpcapCompiler {
    private let handle: OpaquePointer

    init(linkType: String) {
        let value = pcap_datalink_name_to_val(linkType)
        precondition(value >= 0, "libpcap knows no link type \(linkType)")
        handle = pcap_open_dead(value, 262_144)
    }

    deinit { pcap_close(handle) }

    enum Answer: Equatable {
        case program([Instruction])
        case refused(String)

        /// Whether the text is no expression at all, whatever it would mean.
        var isSyntaxError: Bool {
            guard case .refused(let message) = self else { return false }
            return message.contains("syntax error") || message.hasPrefix("bogus ethernet address")
                || message.hasPrefix("number ")
        }
    }

    /// Compiles `text` without libpcap's optimiser, which is slow and here would hide differences.
    func compile(_ text: [UInt8]) -> Answer { compile(text, optimizing: false) }

    /// Compiles `text` with libpcap's optimiser.
    func optimized(_ text: String) -> Answer { compile(Array(text.utf8), optimizing: true) }

    private func compile(_ text: [UInt8], optimizing: Bool) -> Answer {
        var program = bpf_program()
        let status = (text + [0]).withUnsafeBytes {
            pcap_compile(
                handle, &program, $0.baseAddress!.assumingMemoryBound(to: CChar.self), optimizing ? 1 : 0, 0xffff_ff00)
        }
        guard status == 0 else { return .refused(String(cString: pcap_geterr(handle))) }
        defer { pcap_freecode(&program) }
        return .program(
            UnsafeBufferPointer(start: program.bf_insns, count: Int(program.bf_len)).map {
                Instruction(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k)
            })
    }
}

extension LibpcapCompiler {
    /// Whether libpcap's own machine, on the unoptimised program, says that `packet` matches `text`.
    func matches(_ text: [UInt8], _ packet: [UInt8]) -> Bool {
        guard case .program(let instructions) = compile(text) else { return false }
        var code = instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
        return code.withUnsafeMutableBufferPointer { buffer in
            bpf_filter(buffer.baseAddress!, packet, UInt32(packet.count), UInt32(packet.count)) != 0
        }
    }
}
