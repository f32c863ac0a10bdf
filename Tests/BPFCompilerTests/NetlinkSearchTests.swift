import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import TestSupport
import Testing

@testable import BPFCompiler

/// The searches for netlink attributes, coded out, against the classic interpreter, which is held to the kernel.
@Suite struct NetlinkSearchTests {
    static let targets: [Target] = [
        .socket, .tc(match: .shot), .xdp(match: .drop, noMatch: .aborted), .xdpFrags(match: .drop),
        .cgroupIngress(match: .deny), .lwtXmit(match: .drop),
    ]

    private func filter(_ ext: Extension, _ start: UInt32, _ type: UInt32, equal expected: UInt32) -> ClassicBPF.Program
    {
        try! ClassicBPF.Program([
            Instruction(.load(.immediate(start))), Instruction(.loadIndex(.immediate(type))),
            Instruction(.load(.extension(ext))),
            Instruction(.branch(.equal, .constant(expected), jt: 0, jf: 1)),
            Instruction(.result(.constant(7))), Instruction(.result(.constant(0))),
        ])
    }

    /// Whether the compiled search finds what the classic one does: 7 stands for yes.
    private func check(
        _ ext: Extension, _ start: UInt32, _ type: UInt32, _ packet: Packet, _ target: Target
    ) throws -> UInt32 {
        let search = try ClassicBPF.Program([
            Instruction(.load(.immediate(start))), Instruction(.loadIndex(.immediate(type))),
            Instruction(.load(.extension(ext))), Instruction(.result(.a)),
        ])
        let found = try ClassicMachine(byteOrder: .host).run(search, on: packet)
        let filter = filter(ext, start, type, equal: found)
        for isa in InstructionSet.allCases {
            let program = try Compiler.compile(filter, for: target, options: CompilerOptions(isa: isa))
            let result = try ExtendedMachine(byteOrder: .host).run(
                program, on: packet, context: target.hook.context == .xdp ? .xdp : .socketBuffer)
            let expected: UInt32 = if case .verdict(let match, _) = target.result { match.value } else { 7 }
            #expect(result == expected, "\(ext) of \(type) from \(start) is \(found) in \(packet)")
        }
        return found
    }

    @Test(arguments: targets) func attributesAreFoundWhereTheClassicSearchFindsThem(target: Target) throws {
        var generator = SeededGenerator(for: "netlink \(target.hook)")
        var found = 0
        for _ in 0..<200 {
            let bytes = generator.netlinkAttributes(upTo: Int.random(in: 0...256, using: &generator))
            var packet = Packet(bytes)
            if target.hook != .xdp, generator.chance(20) {
                packet = Packet(bytes, linearLength: Int.random(in: 0...bytes.count, using: &generator))
            }
            let start: UInt32 = generator.chance(70) ? 0 : .random(in: 0...UInt32(bytes.count + 4), using: &generator)
            let type = UInt32.random(in: 0...6, using: &generator) | (generator.chance(5) ? 0x4000 : 0)
            for ext in [Extension.nla, .nlan] where try check(ext, start, type, packet, target) != 0 { found += 1 }
            for start: UInt32 in [.max, .max - 3, 0x8000_0000] {
                #expect(try check(.nla, start, type, packet, target) == 0)
            }
        }
        #expect(found > 20)
    }

    /// What a search starts from can be computed, and several can follow each other.
    @Test(arguments: targets) func searchesFollowEachOther(target: Target) throws {
        let bytes = [8, 1, 4, 3, 4, 2].flatMap { (half: UInt16) in withUnsafeBytes(of: half) { Array($0) } }
        let filter = try ClassicBPF.Program([
            Instruction(.loadIndex(.immediate(1))), Instruction(.load(.extension(.nla))),
            Instruction(.loadIndex(.immediate(3))), Instruction(.load(.extension(.nlan))),
            Instruction(.store(0)), Instruction(.load(.immediate(0))), Instruction(.loadIndex(.immediate(2))),
            Instruction(.load(.extension(.nla))), Instruction(.loadIndex(.memory(0))),
            Instruction(.arithmetic(.multiply, .index)), Instruction(.result(.a)),
        ])
        let program = try Compiler.compile(filter, for: target)
        #expect(program.functions.map(\.name) == ["filter", "filter_nla", "filter_nlan"])
        #expect(try ClassicMachine(byteOrder: .host).run(filter, on: Packet(bytes)) == 4 * 8)
        let result = try ExtendedMachine(byteOrder: .host).run(
            program, on: Packet(bytes), context: target.hook.context == .xdp ? .xdp : .socketBuffer)
        if case .verdict(let match, _) = target.result { #expect(result == match.value) } else { #expect(result == 32) }
    }

    /// Where a view has bytes elsewhere than they are, a search through them is refused; elsewhere it is none of others.
    @Test(arguments: [Extension.nla, .nlan], VLANView.allCases) func viewsThatMoveBytesAreRefused(
        ext: Extension, view: VLANView
    ) throws {
        let filter = filter(ext, 0, 1, equal: 0)
        func message(_ target: Target) -> String? {
            do throws(CompilerError) {
                _ = try Compiler.compile(filter, for: target.showing(vlan: view))
                return nil
            } catch {
                return "\(error)"
            }
        }
        let refusal =
            "instruction 2: the extension \(ext.name) searches the bytes as they are, not the VLAN view "
            + "'\(view.rawValue)'; it is available in the view 'bytes'"
        #expect(message(.socket) == (view == .bytes ? nil : refusal))
        #expect(message(.function(.tc)) == (view == .bytes ? nil : refusal))
        #expect(message(.xdp(match: .drop)) == (view == .stripped ? refusal : nil))
        #expect(message(.cgroupIngress(match: .deny)) == nil)
    }

    /// The bound that the verifier asks for: two searches find the 16,384th attribute and not the one behind it, four
    /// find half as many.
    @Test(arguments: [(2, 16_384), (4, 8_192)]) func aSearchGivesUpAtItsBound(calls: Int, bound: Int) throws {
        func packet(_ count: Int) -> Packet {
            func header(_ type: UInt16) -> [UInt8] {
                [4, type].flatMap { (half: UInt16) in withUnsafeBytes(of: half) { Array($0) } }
            }
            return Packet((1..<count).flatMap { _ in header(1) } + header(2))
        }
        let search = [
            Instruction(.load(.immediate(0))), Instruction(.loadIndex(.immediate(2))),
            Instruction(.load(.extension(.nla))),
        ]
        // The others ask for another type, so that none is left out.
        let others = (0..<calls - 1).flatMap { number in
            [
                Instruction(.store(UInt32(number))), Instruction(.load(.immediate(0))),
                Instruction(.loadIndex(.immediate(UInt32(10 + number)))), Instruction(.load(.extension(.nla))),
                Instruction(.loadIndex(.memory(UInt32(number)))), Instruction(.arithmetic(.or, .index)),
            ]
        }
        let filter = try ClassicBPF.Program(search + others + [Instruction(.result(.a))])
        let program = try Compiler.compile(filter, for: .socket)
        let machine = ExtendedMachine(byteOrder: .host, maximumSteps: 10_000_000)
        #expect(try machine.run(program, on: packet(bound)) == UInt32(4 * (bound - 1)))
        #expect(try machine.run(program, on: packet(bound + 1)) == 0)
    }
}
