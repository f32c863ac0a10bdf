import BPFCompiler
import BPFInterpreter
import Pcap

/// A packet and what the kernel would know of it, for running filters without a kernel.
public typealias Packet = BPFInterpreter.Packet
/// A capture file, pcap or pcapng.
public typealias CaptureFile = Pcap.CaptureFile
/// A capture file that is being written.
public typealias CaptureWriter = Pcap.CaptureWriter

extension PacketFilter {
    /// The filter's number for `packet`, 0 where it does not match, found by a reference interpreter.
    ///
    /// - Throws: `Trap` at the instruction that the interpreter cannot run.
    public func run(on packet: Packet) throws -> UInt32 {
        try ClassicMachine().run(classic, on: packet)
    }
}

extension CompiledProgram {
    /// What the program returns for `packet`, found by a reference interpreter.
    ///
    /// - Throws: `Trap` at the instruction that the interpreter cannot run.
    public func run(on packet: Packet) throws -> UInt32 {
        try ExtendedMachine(byteOrder: byteOrder ?? .host).run(program, on: packet, context: target.hook.machineContext)
    }
}

extension Hook {
    /// What the reference interpreter calls the context of the hook.
    fileprivate var machineContext: ContextKind {
        switch context {
        case .socketBuffer: .socketBuffer
        case .xdp: .xdp
        case .netfilter: .netfilter
        case .tracing: hasTypedArguments ? .tracing : .untypedTracing
        }
    }
}
