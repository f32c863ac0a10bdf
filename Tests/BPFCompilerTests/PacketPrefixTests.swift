import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import Foundation
import Pcap
import TestSupport
import Testing

/// Programs that copy the first bytes of a packet at once.
@Suite struct PacketPrefixTests {
    /// How many bytes are copied, nil for none, and the kernel's own loads that are left in the first way through.
    struct Choice: CustomTestStringConvertible, Sendable {
        var expression: String
        var count: Int?
        var loads: Int = 0
        var target = Target.socket
        var kernel: KernelVersion?

        var testDescription: String { "\(expression) \(target.hook) \(kernel?.description ?? "")" }
    }

    static let choices = [
        Choice(expression: "ip", loads: 1), Choice(expression: "ip proto 47", loads: 2),
        // An IPv6 fragment is the only packet of which three loads are made.
        Choice(expression: "udp", loads: 4),
        Choice(expression: "host 10.0.0.2", count: 42), Choice(expression: "tcp port 80", count: 58),
        Choice(expression: "tcp[tcpflags] & tcp-syn != 0", count: 48),
        // TCP with its time stamps.
        Choice(expression: "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", count: 70),
        Choice(expression: "tcp port 80 and ether[300] = 7", count: 58, loads: 1),
        Choice(expression: "tcp port 80 and ip[ip[8]] = 7", count: 38, loads: 1),
        Choice(expression: "tcp port 80 and tcp[200] = 7", count: 38, loads: 1),
        // Where the copy can be no longer.
        Choice(
            expression: "ether[127] = 1 and ether[0] = 2 and ether[2] = 3 and ether[4] = 4 and ether[6] = 5", count: 128
        ),
        Choice(
            expression: "ether[128] = 1 and ether[0] = 2 and ether[2] = 3 and ether[4] = 4 and ether[6] = 5", count: 7,
            loads: 1),
        // Kernels before 5.12 let nothing be loaded from the stack at a computed place.
        Choice(expression: "tcp port 80", count: 58, loads: 2, kernel: KernelVersion(5, 11)),
        Choice(expression: "tcp port 80", count: 58, kernel: KernelVersion(5, 12)),
        Choice(expression: "ip6 protochain 6", loads: 6),
        Choice(expression: "ip", target: .function(.socket)),
        Choice(expression: "udp", count: 55, target: .function(.socket)),
        Choice(expression: "udp", count: 55, target: .socket(match: Verdict(value: 3), noMatch: Verdict(value: 7))),
    ]

    @Test(arguments: choices) func aCopyIsMadeWhereItPays(_ choice: Choice) throws {
        let filter = try program(choice.expression)
        let options = CompilerOptions(kernel: choice.kernel)
        let text = Compiler.describe(filter, for: choice.target, options: options).text
        let first = text.components(separatedBy: "; where they do not reach")[0]
        let start = choice.count.map { "; packets through a copy of the first \($0) bytes\n" } ?? "b0:\n"
        #expect(first.hasPrefix(start), "\(first)")
        #expect(first.components(separatedBy: "= classic ").count - 1 == choice.loads, "\(first)")
        let compiled = try Compiler.compile(filter, for: choice.target, options: options)
        let needed = Requirements(of: compiled, on: choice.target.hook).kernel
        #expect(needed <= choice.kernel ?? .usual, "\(needed)")
        guard choice.count != nil, !choice.target.hook.isFunction, choice.loads == 0 else { return }
        let calls = compiled.entry.instructions.count { $0 == .call(helper: 26) }
        #expect(choice.target.result == .number ? calls == 1 : calls > 1)
    }

    /// Filters that read in all ways that there are: aligned and not, at fixed places and behind one or two indexes, as
    /// far as the copy goes, across its end and behind it.
    static let expressions = [
        "tcp port 80", "udp port 53", "host 10.0.0.2", "tcp[tcpflags] & tcp-syn != 0", "portrange 50-90",
        "less 20 or tcp port 80 and host 10.0.0.2", "tcp[3] != 80", "ip[33] != 7 and ip[19] != 7 and ip[1] != 7",
        "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "ether host 02:00:00:00:00:02", "vlan and tcp port 80",
        "tcp port 80 and ether[58:4] != 0 or ether[70] = 0", "tcp[13] = 2 and ip[ip[8] & 31:2] > 7",
        "ether[1:4] + ether[6:4] + ether[3:2] + ether[15:4] > ether[17:4]", "tcp[1:2] + tcp[3:4] + udp[5:2] > 0x50",
        "ip[0] & 0xf > 5 and udp[ip[2:2] & 7:4] + ip[len & 3:4] > 0x3000", "ip6[40:4] + ip6[43:2] + ip6[50:4] > 7",
    ]

    @Test(arguments: [
        (Target.socket, InstructionSet.v3, ExtendedBPF.ByteOrder.little), (.socket, .v1, .big),
        (.socket.showing(vlan: .wire), .v3, .little), (.socket.showing(vlan: .stripped), .v4, .little),
        (.socket(match: Verdict(value: 3), noMatch: Verdict(value: 7)), .v2, .little),
        (.function(.socket), .v3, .little),
    ])
    func everyLengthDecidesAsBefore(_ target: Target, _ isa: InstructionSet, _ order: ExtendedBPF.ByteOrder) throws {
        let names = [
            "tcp syn to 80", "tcp behind IP options", "udp behind 40 bytes of IP options", "ipv6 tcp syn to 80",
        ]
        let options = CompilerOptions(isa: isa, byteOrder: order)
        var generator = SeededGenerator(for: "\(target.hook) \(isa)")
        for expression in Self.expressions {
            let filter = try program(expression)
            let compiled = try Compiler.compile(filter, for: target, options: options)
            let text = Compiler.describe(filter, for: target, options: options).text
            // Of a tag that is beside the packet nothing has to be loaded.
            #expect(target.vlan != nil || text.hasPrefix("; packets through a copy"), "\(expression)")
            for bytes in names.map({ Frames.named($0).bytes }) {
                for count in (0...82) where count <= bytes.count {
                    let isWhole = generator.chance(70)
                    let linear = isWhole ? count : Int.random(in: 0...count, using: &generator)
                    let packet = Packet(
                        Array(bytes[..<count]), linearLength: linear, networkHeaderOffset: 14,
                        linkLayerHeaderOffset: 0)
                    let number = try ClassicMachine(byteOrder: order).run(filter, on: packet)
                    let expected: UInt32 =
                        switch target.result {
                        case .number: number
                        case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
                        }
                    let result = try ExtendedMachine(byteOrder: order, strayByte: 0xa5).run(
                        compiled, on: packet, context: .socketBuffer)
                    #expect(result == expected, "\(expression) on \(packet)")
                }
            }
        }
    }

    private func program(_ expression: String) throws -> ClassicBPF.Program {
        try ExpressionCompiler(linkType: .ethernet).compile(expression)
    }
}
