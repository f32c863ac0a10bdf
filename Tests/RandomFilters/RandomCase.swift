import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import TestSupport

/// A random filter and what it is compiled for. The same seed and number make the same case.
struct RandomCase {
    let filter: ClassicBPF.Program
    let target: Target
    let options: CompilerOptions
    private var generator: SeededGenerator

    /// The hooks, each with its two verdicts this way or that.
    private static let targets: [Target] = [
        .xdp(match: .drop), .xdp(match: .drop, noMatch: .aborted), .xdpFrags(match: .drop), .tc(match: .shot),
        .tc(match: .ok, noMatch: .shot), .tcxIngress(match: .drop), .tcxEgress(match: .pass, noMatch: .drop),
        .netkitPeer(match: .drop), .cgroupIngress(match: .deny), .cgroupEgress(match: .allow, noMatch: .deny),
        .lwtIn(match: .drop), .lwtXmit(match: .reroute), .socket, .socket(match: Verdict(value: 3)),
        .socket(match: Verdict(value: 3), noMatch: Verdict(value: 7)), .netfilter(match: .drop),
        .netfilter(match: .accept, noMatch: .drop), .tpBTF("kfree_skb"),
    ]

    private static let kernels: [KernelVersion?] = [nil, nil, KernelVersion(6, 17), KernelVersion(6, 18)]

    init(seed: UInt64, number: UInt64) {
        // Neighbours start far from each other.
        var generator = SeededGenerator(seed: seed &+ number &* 0xd134_2543_de82_ef95)
        target = generator.pick(Self.targets)
        // Where there is no such hook or way of reading packets before a kernel, that is what the default is.
        let kernel = target.hook.context == .xdp ? nil : generator.pick(Self.kernels)
        options = CompilerOptions(
            isa: generator.pick(Array(InstructionSet.allCases)), byteOrder: generator.pick([.little, .little, .big]),
            passes: Self.passes(using: &generator), kernel: kernel)
        filter = Self.filter(for: target.hook, using: &generator)
        self.generator = generator
    }

    private static func filter(for hook: Hook, using generator: inout SeededGenerator) -> ClassicBPF.Program {
        let isEthernet = hook.linkLayer == .ethernet
        if generator.chance(40), let program = RandomExpression.program(isEthernet: isEthernet, using: &generator) {
            return program
        }
        return RandomProgram(allowing: hook.extensions.union([.nla, .nlan])).next(using: &generator)
    }

    /// All passes, or, as often, any of them.
    private static func passes(using generator: inout SeededGenerator) -> [String] {
        if generator.chance(50) { return Optimizer.passNames }
        let share = generator.pick([10, 50, 90])
        return Optimizer.passNames.filter { _ in generator.chance(share) }
    }

    /// What the program does otherwise than the filter for one of `count` random packets, or nil.
    ///
    /// - Returns: Nil too where the hook lacks what the filter asks for; `isCompiled` tells.
    mutating func difference(packets count: Int, _ isCompiled: inout Bool) -> String? {
        let program: ExtendedBPF.Program
        do throws(CompilerError) {
            program = try Compiler.compile(filter, for: target, options: options)
            isCompiled = true
        } catch {
            isCompiled = false
            switch error.reason {
            case .unavailableExtension, .needsKernel: return nil
            default: return "it is refused: \(error)"
            }
        }
        for _ in 0..<count {
            let packet = randomPacket(for: target.hook, using: &generator)
            if let difference = difference(of: program, on: packet) { return difference }
        }
        return nil
    }

    private func difference(of program: ExtendedBPF.Program, on packet: Packet) -> String? {
        do {
            let number = try ClassicMachine(byteOrder: options.byteOrder).run(filter, on: packet)
            let expected: UInt32 =
                switch target.result {
                case .number: number
                case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
                }
            let seen = target.hook.context == .tracing ? packet.afterSomeWay : packet
            // Memory that the program has not written holds something else each time.
            for stray: UInt8 in [0, 0xa5] {
                let result = try ExtendedMachine(byteOrder: options.byteOrder, strayByte: stray).run(
                    program, on: seen, context: target.hook.machineContext)
                if result != expected { return "\(result) instead of \(expected) on \(seen)" }
            }
            return nil
        } catch {
            return "\(error) on \(packet)"
        }
    }
}

extension RandomCase: CustomStringConvertible {
    var description: String {
        var text = "\(target) --cpu \(options.isa) --endian \(options.byteOrder)"
        if let kernel = options.kernel { text += " --kernel \(kernel)" }
        text += " --passes '\(options.passes.joined(separator: ","))'\n"
        let lines = filter.instructions.map { "\($0.code) \($0.jt) \($0.jf) \($0.k)" }
        return text + ([String(lines.count)] + lines).joined(separator: "\n")
    }
}

/// A random packet with metadata as it is seen at `hook`, in one piece or in several.
private func randomPacket(for hook: Hook, using generator: inout SeededGenerator) -> Packet {
    let isEthernet = hook.linkLayer == .ethernet
    // Where packets begin with their IP header, a frame is one now and then, and otherwise a frame's is taken off.
    let frame = TestSupport.randomPacket(using: &generator)
    let bytes = RandomExpression.addressed(
        isEthernet || generator.chance(20) ? frame : Array(frame.dropFirst(14)), isEthernet: isEthernet,
        using: &generator)
    var packet = isEthernet ? Packet(ethernet: bytes) : Packet(bytes)
    if hook != .xdp, generator.chance(50) {
        packet = Packet(
            bytes, linearLength: Int.random(in: 0...bytes.count, using: &generator),
            networkHeaderOffset: packet.networkHeaderOffset, linkLayerHeaderOffset: packet.linkLayerHeaderOffset,
            metadata: packet.metadata)
    }
    if generator.chance(80) {
        packet.metadata.interface = .init(index: 3)
        packet.metadata.ingressInterface = 3
    }
    packet.metadata.mark = generator.interestingNumber()
    packet.metadata.hash = generator.interestingNumber()
    packet.metadata.packetType = UInt8.random(in: 0...4, using: &generator)
    packet.metadata.queueMapping = .random(in: 0 ... .max, using: &generator)
    if generator.chance(30) {
        packet.metadata.vlan = .init(tci: .random(in: 0...0xffff, using: &generator), tpid: 0x8100)
    }
    packet.metadata.cpu = .random(in: 0...63, using: &generator)
    packet.metadata.random = .random(in: 0 ... .max, using: &generator)
    return packet
}

extension Packet {
    /// The packet as it is when the kernel has gone past its first bytes, which then lie in front of `data`.
    fileprivate var afterSomeWay: Packet {
        let count = min(linearLength, [0, 14, 34, 54][bytes.count % 4])
        return Packet(
            Array(bytes[count...]), linearLength: linearLength - count,
            headroom: [1, 2, 3] + Array(bytes[..<count]), networkHeaderOffset: 14 - count,
            linkLayerHeaderOffset: -count, metadata: metadata)
    }
}

extension Hook {
    /// What the reference machine calls the context of the hook.
    fileprivate var machineContext: ContextKind {
        switch context {
        case .socketBuffer: .socketBuffer
        case .xdp: .xdp
        case .netfilter: .netfilter
        case .tracing: .tracing
        }
    }
}
