import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import TestSupport

/// A random filter and what it is compiled for. The same seed and number make the same case.
public struct RandomCase {
    /// The filter.
    public let filter: ClassicBPF.Program
    /// Where a program sees both, the filter for packets without an Ethernet header; nil where none matches.
    public let ipFilter: ClassicBPF.Program?
    /// The hook, its verdicts and the view.
    public let target: Target
    /// How the program is made.
    public let options: CompilerOptions
    /// Whether the filter is a part of a program that goes on behind it.
    public let isPart: Bool
    private var generator: SeededGenerator

    /// The hooks, each with its two verdicts this way or that.
    private static let targets: [Target] = [
        .xdp(match: .drop), .xdp(match: .drop, noMatch: .aborted), .xdpFrags(match: .drop), .tc(match: .shot),
        .tc(match: .ok, noMatch: .shot), .tcxIngress(match: .drop), .tcxEgress(match: .pass, noMatch: .drop),
        .netkitPeer(match: .drop), .cgroupIngress(match: .deny), .cgroupEgress(match: .allow, noMatch: .deny),
        .lwtIn(match: .drop), .lwtXmit(match: .reroute), .socket, .socket(match: Verdict(value: 3)),
        .socket(match: Verdict(value: 3), noMatch: Verdict(value: 7)), .netfilter(match: .drop),
        .netfilter(match: .accept, noMatch: .drop), .tpBTF("kfree_skb"), .rawTP("kfree_skb"), .kprobe("ip_rcv"),
        .fentry("ip_rcv"), .function(.tc), .function(.xdp),
    ]

    private static let kernels: [KernelVersion?] = [nil, nil, KernelVersion(6, 17), KernelVersion(6, 18)]

    /// One on which a helper function runs loops.
    private static let calling = KernelVersion(6, 8)

    /// Makes the case of that number in the sequence of `seed`.
    public init(seed: UInt64, number: UInt64) {
        // Neighbours start far from each other.
        var generator = SeededGenerator(seed: seed &+ number &* 0xd134_2543_de82_ef95)
        let view = generator.pick([nil, nil, nil, .wire, .stripped] as [VLANView?])
        var target = generator.pick(Self.targets)
        target.vlan = view
        // All 32 bits tell more of what went wrong than a verdict.
        if target.hook.context != .tracing, generator.chance(50) { target.result = .number }
        // At the entry of a function a program returns 0; as a part of another it tells what it found.
        isPart = target.hook == .fentry("ip_rcv") || !target.hook.isFunction && generator.chance(20)
        if isPart { target = FilterPart.target(on: target.hook, showing: view) }
        self.target = target
        // Where there is no such hook or way of reading packets before a kernel, that is what the default is.
        let kernel =
            switch target.hook.context {
            case .xdp: generator.pick([nil, Self.calling])
            case .socketBuffer: generator.pick(Self.kernels + [Self.calling])
            case .netfilter, .tracing: generator.pick(Self.kernels)
            }
        options = CompilerOptions(
            isa: generator.pick(Array(InstructionSet.allCases)), byteOrder: generator.pick([.little, .little, .big]),
            passes: Self.passes(using: &generator), kernel: kernel)
        let isEthernet = target.hook.linkLayer == .ethernet
        filter = Self.filter(for: target, isEthernet: isEthernet, using: &generator)
        ipFilter =
            target.hook.context == .tracing && generator.chance(40)
            ? Self.filter(for: target, isEthernet: false, using: &generator) : nil
        self.generator = generator
    }

    private static func filter(
        for target: Target, isEthernet: Bool, using generator: inout SeededGenerator
    ) -> ClassicBPF.Program {
        if generator.chance(40),
            let program = RandomExpression.program(
                isEthernet: isEthernet, hasLoops: target.hook.context != .tracing, using: &generator)
        {
            return generator.chance(25) ? program.withEarlyRead(using: &generator) : program
        }
        return RandomProgram(allowing: target.hook.extensions.union([.nla, .nlan])).next(using: &generator)
    }

    /// All passes, or, as often, any of them.
    private static func passes(using generator: inout SeededGenerator) -> [String] {
        if generator.chance(50) { return Optimizer.passNames }
        let share = generator.pick([10, 50, 90])
        return Optimizer.passNames.filter { _ in generator.chance(share) }
    }

    /// The program and the rounds that its loops get, or nil where the hook lacks what the filter asks for.
    ///
    /// - Throws: ``CompilerError`` with any other reason.
    public func compiled() throws(CompilerError) -> (program: ExtendedBPF.Program, loopRounds: Int?)? {
        do throws(CompilerError) {
            if isPart {
                let part = try Compiler.part(
                    filter, orForIP: ipFilter, on: target.hook, showing: target.vlan, options: options)
                return (part.programGoingOn, part.loopRounds)
            }
            return (
                try Compiler.compile(filter, orForIP: ipFilter, for: target, options: options),
                Compiler.loopRounds(of: filter, for: target, options: options)
            )
        } catch {
            switch error.reason {
            case .unavailableExtension, .needsKernel, .searchInView: return nil
            default: throw error
            }
        }
    }

    /// The next `count` random packets of the case.
    public mutating func packets(_ count: Int) -> [Packet] {
        var packets: [Packet] = []
        for _ in 0..<count {
            let isEthernet =
                target.hook.linkLayer == .ethernet && !(target.hook.context == .tracing && generator.chance(25))
            let filter = isEthernet ? filter : ipFilter ?? filter
            packets.append(
                RandomPackets(target, isEthernet: isEthernet, passing: filter).next(using: &generator))
        }
        return packets
    }

    /// What the program does otherwise than the filter for one of `count` random packets, or nil.
    ///
    /// - Returns: Nil too where the hook lacks what the filter asks for; `isCompiled` tells.
    public mutating func difference(packets count: Int, _ isCompiled: inout Bool) -> String? {
        do {
            guard let (program, rounds) = try compiled() else { return nil }
            isCompiled = true
            // Each number of a table can be wrong on its own; few programs have any.
            for packet in packets(program.data.isEmpty ? count : 10 * count) {
                if let rounds, exceeds(rounds, on: packet) { continue }
                if let difference = difference(of: program, on: packet) { return difference }
            }
            return nil
        } catch {
            return "it is refused: \(error)"
        }
    }

    /// Whether loops may run for more than that many rounds, or for ever.
    private func exceeds(_ rounds: Int, on packet: Packet) -> Bool {
        let shown = packet.shown(in: target.vlan ?? .bytes, on: target.hook)
        // A round of libpcap's has more than four instructions.
        return (try? ClassicMachine(byteOrder: options.byteOrder).execute(filter, on: shown)).map {
            $0.instructionCount / 4 > rounds
        } ?? true
    }

    /// What `program` does otherwise than the filter for `packet`, or nil.
    public func difference(of program: ExtendedBPF.Program, on packet: Packet) -> String? {
        do {
            let expected = try expected(on: packet)
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

    /// What a program is to return: what the classic machine makes of the packet that the filter is shown.
    private func expected(on packet: Packet) throws -> UInt32 {
        try isPart ? FilterPart.answer(behind: result(on: packet)) : result(on: packet)
    }

    /// Whether the kernel that the program is for reaches whole packets relative to a header.
    private var areasAreWhole: Bool { options.kernel.map { $0 >= KernelVersion(6, 16) } ?? false }

    private func result(on packet: Packet) throws -> UInt32 {
        let machine = ClassicMachine(byteOrder: options.byteOrder)
        var shown = Compiler.reachesWholePackets(for: target, options: options) ? packet : packet.linearPart
        if packet.isIP(on: target.hook) {
            shown.linkLayerHeaderOffset = nil
            guard let ipFilter, try machine.run(ipFilter, on: shown) != 0 else { return 0 }
            // A part tells of which kind the packet was.
            return isPart ? 2 : 1
        }
        shown = shown.shown(in: target.vlan ?? .bytes, on: target.hook)
        // The kernel's own instructions do what the kernel does that runs them, here the newest; helper functions do not.
        shown.headerAreasAreLinear = isPart && target.hook.hasPacketLoads && !areasAreWhole
        let number = try machine.run(filter, on: shown)
        return switch target.result {
        case .number: number
        case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
        }
    }
}

extension Packet {
    /// Whether it begins with its IP header at a hook where others have an Ethernet header.
    fileprivate func isIP(on hook: Hook) -> Bool {
        hook.context == .tracing && (linkLayerHeaderOffset == nil || linkLayerHeaderOffset == networkHeaderOffset)
    }
}

extension RandomCase: CustomStringConvertible {
    /// What the program is compiled for, and the filter as `tcpdump -ddd` would print it.
    public var description: String {
        var text = "\(isPart ? "part of " : "")\(target) --cpu \(options.isa) --endian \(options.byteOrder)"
        if let kernel = options.kernel { text += " --kernel \(kernel)" }
        text += " --passes '\(options.passes.joined(separator: ","))'"
        for filter in [filter, ipFilter].compactMap({ $0 }) {
            let lines = filter.instructions.map { "\($0.code) \($0.jt) \($0.jf) \($0.k)" }
            text += "\n" + ([String(lines.count)] + lines).joined(separator: "\n")
        }
        return text
    }
}
