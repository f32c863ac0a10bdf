import BPFCompiler
import ExtendedBPF
import Foundation
import TestSupport
import Testing

/// What programs are found to use, and since when that is there.
@Suite struct RequirementsTests {
    private func requirements(on hook: Hook = .socket, _ functions: [Function]) -> Requirements {
        Requirements(of: Program(functions: functions), on: hook)
    }

    private func features(
        on hook: Hook = .socket, _ code: [Instruction], _ references: [Int: Reference] = [:]
    ) -> [String] {
        requirements(on: hook, [Function(name: "f", instructions: code, references: references)]).items.map { item in
            "\(item.kernel?.description ?? "?") \(item.feature) \(item.place?.instruction.description ?? "-")"
        }
    }

    private static let kernelCall = Instruction(.call, srcReg: .r2)

    @Test func eachThingIsNamedWithItsFirstInstruction() {
        #expect(features([.move32(.r0, 0), .exit]) == ["3.19 programs on socket -"])
        #expect(
            features([
                .move32(.r0, 0), .jump64(if: .r0, .less, 5, 0), .jump32(if: .r0, .equal, 1, 0),
                .jump32(if: .r0, .equal, 2, 0), .exit,
            ]) == [
                "3.19 programs on socket -", "4.14 jumps where a number is less 1", "5.1 jumps that compare 32 bits 2",
            ])
        #expect(
            features([.call(helper: 7), .call(helper: 26), .call(helper: 250), .exit])
                == [
                    "3.19 programs on socket -", "4.1 bpf_get_prandom_u32 0", "4.11 bpf_skb_load_bytes 1",
                    "? helper function 250 2",
                ])
        #expect(
            features(on: .tc, [.call(helper: 26), .exit]) == ["4.4 programs on tc -", "4.5 bpf_skb_load_bytes 0"])
        #expect(
            features([Instruction(.jumpLong, imm: 0), .exit])
                == ["3.19 programs on socket -", "6.6 jumps of any distance 0"])
        #expect(
            features([Instruction(.loadWide, srcReg: .r2), .exit], [0: .data("t", offset: 0)])
                == ["3.19 programs on socket -", "5.2 constant tables (.rodata) 0"])
    }

    /// A place that the verifier knows, as it knows constants, is another thing.
    @Test func loadsFromTheStackAtComputedPlacesAreFound() {
        func features(_ code: [Instruction]) -> [String] {
            self.features(code + [.load(.byte, .r0, .r3, -8), .exit]).filter { $0.contains("stack") }
        }
        let copy: [Instruction] = [.move64(.r3, .r10), .load(.word, .r2, .r1, 0), .alu64(.and, .r2, 7)]
        #expect(
            features(copy + [.alu64(.subtract, .r3, 8), .alu64(.add, .r3, .r2)])
                == ["5.12 loads from the stack at a computed place 5"])
        // The sum the other way round, and kept on the stack for a while.
        #expect(
            features(
                copy + [
                    .alu64(.add, .r2, .r10), .store(.doubleword, .r10, -16, .r2), .call(helper: 7),
                    .load(.doubleword, .r3, .r10, -16),
                ]) == ["5.12 loads from the stack at a computed place 7"])
        #expect(features([.move64(.r3, .r10), .move64(.r2, 4), .alu64(.subtract, .r3, .r2)]) == [])
        #expect(features(copy + [.move64(.r2, 1), .alu64(.add, .r3, .r2)]) == [])
        #expect(features(copy) == [])
    }

    @Test func kernelFunctionsAndCastsAreKnown() {
        let cast: [Int: Reference] = [1: .kernelFunction("bpf_rdonly_cast")]
        #expect(
            features([.move64(.r2, 0), Self.kernelCall, .exit], cast)
                == ["3.19 programs on socket -", "6.2 bpf_rdonly_cast 1", "6.17 bpf_rdonly_cast to no type 1"])
        #expect(
            features(
                [.move64(.r2, 0), Self.kernelCall, .exit], cast.merging([0: .kernelType("sk_buff")]) { $1 })
                == ["3.19 programs on socket -", "5.4 the kernel's own types (BTF) 0", "6.2 bpf_rdonly_cast 1"])
        #expect(
            features([Self.kernelCall, .exit], [0: .kernelFunction("bpf_new_thing")])
                == ["3.19 programs on socket -", "? bpf_new_thing 0"])
    }

    /// The kernel's own pointer to a packet's bytes, read without a cast in between.
    @Test func plainPacketPointersAreFollowed() {
        #expect(
            features(
                on: .tpBTF("kfree_skb"), [.load(.word, .r0, .r1, 0), .exit],
                [0: .kernelField(structure: "sk_buff", member: "vlan_all")]
            ).suffix(1)
                == ["6.2 vlan_all in struct sk_buff 0"])
        let load = [0: Reference.kernelField(structure: "sk_buff", member: "data")]
        let direct: [Instruction] = [
            .load(.doubleword, .r2, .r1, 0), .move64(.r3, .r2), .alu64(.add, .r3, 14), .load(.byte, .r0, .r3, 0), .exit,
        ]
        #expect(features(direct, load).last == "6.18 packets through the kernel's own pointers 3")
        #expect(features(direct).last == "4.1 members of struct __sk_buff 0")
    }

    /// The context is followed through copies, the stack and calls; what else registers hold is not mistaken for it.
    @Test func membersOfTheContextAreFound() {
        let copied: [Instruction] = [
            .move64(.r6, .r1), .move64(.r1, 0), .load(.word, .r0, .r1, 76), .load(.word, .r0, .r6, 68), .exit,
        ]
        #expect(features(on: .tc, copied) == ["4.3 hash in struct __sk_buff 3", "4.4 programs on tc -"])
        let kept: [Instruction] = [
            .store(.doubleword, .r10, -8, .r1), .call(helper: 7), .load(.doubleword, .r1, .r10, -8),
            .load(.word, .r2, .r1, 76), .exit,
        ]
        #expect(features(on: .cgroupIngress, kept).last == "5.0 direct access to packets 3")
        #expect(features(on: .tc, kept).last == "4.7 direct access to packets 3")
        #expect(
            features(on: .xdp, [.load(.word, .r0, .r1, 12), .exit]).last?.hasPrefix("4.16 ingress_ifindex") == true)
        let callee = Function(name: "g", instructions: [.load(.word, .r0, .r1, 76), .exit])
        for (code, last) in [
            ([Instruction.call(localAt: 0), .exit], "direct access to packets"),
            ([.move64(.r1, 0), .call(localAt: 0), .exit], "program-local functions"),
        ] {
            let caller = Function(
                name: "f", instructions: code, references: [code.count - 2: .function("g")])
            #expect(requirements(on: .tc, [caller, callee]).items.contains { $0.feature == last })
            #expect(
                requirements(on: .tc, [caller, callee]).items.contains { $0.feature == "direct access to packets" }
                    == (code.count == 2))
        }
    }

    /// A jump back is no loop where nothing leads to it again.
    @Test func loopsAreToldFromJumpsBack() {
        let loop: [Instruction] = [
            .move32(.r0, 9), .alu32(.subtract, .r0, 1), .jump64(if: .r0, .notEqual, 0, -2), .exit,
        ]
        #expect(features(loop).last == "5.3 loops 2")
        let back: [Instruction] = [
            Instruction(.jump, offset: 2), .move32(.r0, 0), .exit, Instruction(.jump, offset: -3),
        ]
        #expect(features(back) == ["3.19 programs on socket -"])
    }

    @Test func programsAsAWholeAreLookedAt() {
        let long = [Instruction](repeating: .move32(.r0, 0), count: 4096) + [.exit]
        #expect(features(long).last == "5.2 more than 4096 instructions -")
        #expect(features(Array(long.dropFirst())).last == "3.19 programs on socket -")
        let loads = [
            Function(name: "f", instructions: [.call(localAt: 0), .exit], references: [0: .function("g")]),
            Function(name: "g", instructions: [.move64(.r6, .r1), .loadPacket(.byte, at: 0), .exit]),
        ]
        #expect(requirements(on: .tc, loads).kernel == KernelVersion(5, 10))
        #expect(requirements(on: .tc, [loads[1]]).kernel == KernelVersion(4, 4))
        #expect(requirements(on: .function(.tc), [loads[1]]).kernel == KernelVersion(5, 10))
    }

    /// Later helper functions have higher numbers, and names are those of the header.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/include/linux/bpf.h"), "needs linux/bpf.h"))
    func helperFunctionsAreThoseOfTheHeader() throws {
        let header = try String(contentsOfFile: "/usr/include/linux/bpf.h", encoding: .utf8)
        let list = try #require(header.range(of: "FN(unspec")).lowerBound
        let names = header[list...].matches(of: /FN\((\w+)/).map { String($0.output.1) }
        var last = KernelVersion(0, 0)
        for number in Int32(1)...190 {
            let item = try #require(
                requirements([Function(name: "f", instructions: [.call(helper: number), .exit])]).items.first {
                    $0.place != nil
                })
            if item.feature != "helper function \(number)" {
                #expect(item.feature == "bpf_\(names[Int(number)])", "\(number)")
                #expect(item.kernel != nil, "\(number)")
            }
            // On sockets one of them came later.
            guard let kernel = item.kernel, number != 26 else { continue }
            #expect(kernel >= last, "\(number)")
            last = kernel
        }
    }

    /// What the compiler's instruction sets leave out is not in its programs, and what they have is.
    @Test(arguments: [InstructionSet.v1, .v2, .v3, .v4])
    func compiledProgramsNeedWhatTheirSetHas(isa: InstructionSet) throws {
        let sets: [(feature: String, first: InstructionSet)] = [
            ("jumps where a number is less", .v2), ("jumps that compare 32 bits", .v3), ("jumps of any distance", .v4),
            ("loads with sign", .v4), ("moves with sign", .v4), ("division with sign", .v4), ("byte swaps", .v4),
        ]
        var used: Set<String> = []
        for (_, filter) in Corpus.programs {
            for target in [Target.xdp(match: .drop), .tc(match: .shot), .socket] {
                guard let program = try? Compiler.compile(filter, for: target, options: CompilerOptions(isa: isa))
                else { continue }
                used.formUnion(Requirements(of: program, on: target.hook).items.map(\.feature))
            }
        }
        for (feature, first) in sets where first > isa { #expect(!used.contains(feature)) }
        for (feature, first) in sets.prefix(2) where first <= isa { #expect(used.contains(feature)) }
    }
}
