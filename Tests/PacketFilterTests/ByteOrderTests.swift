import BPFInterpreter
import ExtendedBPF
import Foundation
@testable import PacketFilter
import TestSupport
import Testing

/// Optimised programs are for one order of bytes: they compare with constants in the order of the packet's bytes.
@Suite struct ByteOrderTests {
    private func program(_ expression: String, _ order: ExtendedBPF.ByteOrder) throws -> CompiledProgram {
        try PacketFilter(expression).compile(for: .xdp(match: .drop), options: CompilerOptions(byteOrder: order))
    }

    /// What LLVM reads in the object: EtherType 0x0800, as each machine loads it.
    @Test func objectsHoldConstantsOfTheirOrder() throws {
        for (order, constant) in [(ExtendedBPF.ByteOrder.little, 0x8), (.big, 0x800)] {
            let folder = try TemporaryFolder()
            let file = try folder.file("program.o", containing: program("ip", order).object().bytes)
            let dump = try run(llvm("llvm-objdump"), ["-d", file.path(percentEncoded: false)])
            try #require(dump.status == 0, "\(dump.errors)")
            let compared = dump.text.firstMatch(of: /if w\d != (?:0x)?([0-9a-f]+) goto/)
            let isHexadecimal = compared?.output.0.contains("0x") == true
            let number = compared.flatMap { Int($0.output.1, radix: isHexadecimal ? 16 : 10) }
            #expect(number == constant, "\(order) \(dump.text)")
        }
    }

    /// The bytes, read back, decide on a machine of their order as the filter does.
    @Test(
        arguments: ExtendedBPF.ByteOrder.allCases,
        ["ip", "tcp port 80", "net 10.0.0.0/8 and udp", "ip[2:2] > 60", "icmp6"])
    func eachOrderDecidesAsTheFilter(order: ExtendedBPF.ByteOrder, expression: String) throws {
        let filter = try PacketFilter(expression)
        let bytes = try program(expression, order).bytes()
        let code = try ExtendedInstruction.decode(bytes, order)
        let program = ExtendedProgram(functions: [Function(name: "filter", instructions: code)])
        for frame in Frames.all {
            let packet = Packet(ethernet: frame.bytes)
            let result = try ExtendedMachine(byteOrder: order).run(program, on: packet, context: .xdp)
            #expect(try result == (filter.run(on: packet) == 0 ? 2 : 1), "\(frame)")
            #expect(try self.program(expression, order).run(on: packet) == result)
        }
    }

    /// Numbers in tables are in the order that the program loads them in, of the machine or of the packet.
    @Test(arguments: ExtendedBPF.ByteOrder.allCases) func tablesAreOfTheirOrder(order: ExtendedBPF.ByteOrder) throws {
        let hosts = (0..<120).map { "host 10.\($0 * $0 % 251).\($0 * 89 % 256).\($0 * 37 % 256)" }
        let ports = (1...20).map { "dst port \($0 * 443 % 65536)" }
        for expression in [
            (["host 10.0.0.2", "host 192.0.2.1"] + hosts).joined(separator: " or "), ports.joined(separator: " or "),
        ] {
            let compiled = try program(expression, order)
            #expect(compiled.program.data.count == 1)
            var matches = 0
            for frame in Frames.all {
                let packet = Packet(ethernet: frame.bytes)
                let expected: UInt32 = try compiled.filter.run(on: packet) == 0 ? 2 : 1
                #expect(try compiled.run(on: packet) == expected, "\(frame)")
                matches += expected == 1 ? 1 : 0
            }
            #expect(matches > 0)

            let error = #expect(throws: TablesLeftOut.self) { try compiled.bytes() }
            #expect(
                error?.description
                    == "the program reads a table, for which bytes of instructions have no place: "
                    + "compile the filter without tables")
            let options = CompilerOptions(byteOrder: order, allowsTables: false)
            #expect(try !compiled.filter.compile(for: .xdp(match: .drop), options: options).bytes().isEmpty)
        }
    }

    @Test(arguments: ExtendedBPF.ByteOrder.allCases) func anotherOrderThanTheCompiledOneIsRefused(
        order: ExtendedBPF.ByteOrder
    ) throws {
        let other: ExtendedBPF.ByteOrder = order == .little ? .big : .little
        let compiled = try program("ip", order)
        #expect(try compiled.object(byteOrder: order) == compiled.object())
        #expect(try compiled.bytes(order) == compiled.bytes())
        #expect(throws: WrongByteOrder(compiledFor: order)) { try compiled.object(byteOrder: other) }
        let error = #expect(throws: WrongByteOrder.self) { try compiled.bytes(other) }
        let (right, wrong) = (order.rawValue, other.rawValue)
        #expect(
            error.map { "\($0)" }
                == "the program was compiled for \(right)-endian machines: compile the filter for \(wrong)-endian ones")
    }

    #if os(Linux)
        @Test func aProgramForOtherMachinesIsNotLoaded() throws {
            let other: ExtendedBPF.ByteOrder = ExtendedBPF.ByteOrder.host == .little ? .big : .little
            #expect(throws: WrongByteOrder(compiledFor: other)) { _ = try program("ip", other).load() }
        }
    #endif

    /// What mirrors the kernel's converter loads packets in host order, so that it is the same on all machines.
    @Test func aMirrorIsForAllMachines() throws {
        let mirror = try PacketFilter("ip").compile(for: .socket, options: CompilerOptions(level: .mirror))
        #expect(
            try ExtendedInstruction.decode(mirror.bytes(.big), .big)
                == ExtendedInstruction.decode(mirror.bytes(.little), .little))
    }
}
