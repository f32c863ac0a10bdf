#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import Testing
    import TestSupport

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct LoadTests {
        @Test(arguments: [
            ProgramType.socketFilter, .kprobe, .schedCls, .schedAct, .xdp, .cgroupSkb, .lwtIn, .lwtOut, .lwtXmit,
            .rawTracepoint,
        ])
        func loadsPrograms(of type: ProgramType) throws {
            let loaded = try load(returning(0), as: type)
            #expect(try loaded.information().type == type)
            #expect(loaded.log == "")
        }

        @Test func tellsTheKernelTheAttachType() throws {
            let refused = refusal(returning(0), as: .netfilter)
            #expect(refused?.errno?.rawValue == EINVAL)
            #expect(
                try load(returning(0), as: .netfilter) { $0.expectedAttachType = .netfilter }.information().type
                    == .netfilter)
        }

        @Test func asksForTheLicenceOfHelpers() throws {
            // bpf_probe_read_kernel is for GPL-compatible programs; bpf_ktime_get_ns is for all but was not always.
            let reading = program([
                .store(.doubleword, .r10, -8, 0), .move64(.r1, .r10), .alu64(.add, .r1, -8), .move64(.r2, 8),
                .move64(.r3, 0), .call(helper: 113), .move64(.r0, 0), .exit,
            ])
            _ = try load(reading, as: .kprobe)
            let refused = refusal(reading, as: .kprobe) { $0.license = "Apache-2.0" }
            #expect(refused?.verdict == "cannot call GPL-restricted function from non-GPL compatible program")
            #expect(refused?.errno?.rawValue == EINVAL)
        }

        @Test func loadsCallsBetweenFunctions() throws {
            var main = Function(name: "main", instructions: [.move64(.r1, 20), .call(localAt: 0), .exit])
            main.references[1] = .function("double")
            let double = Function(name: "double", instructions: [.move64(.r0, .r1), .alu64(.add, .r0, .r1), .exit])
            let loaded = try load(ExtendedBPF.Program(functions: [main, double]))
            #expect(try loaded.run(on: Frames.named("udp to 53").bytes).returnValue == 40)
        }

        @Test func givesTheWholeLogOfARefusal() throws {
            // Some 200 KB, more than the buffer that is tried first.
            let refused = try #require(refusal(long(5000, refused: true)))
            #expect(refused.errno?.rawValue == EACCES)
            #expect(refused.verdict == "R5 !read_ok")
            #expect(refused.description == "bpf(BPF_PROG_LOAD): permission denied (13), the verifier says: R5 !read_ok")
            #expect(instructionNumbers(refused.log) == Array(0...5001))
            #expect(refused.log.hasSuffix("\n"))
        }

        @Test func givesTheWholeLogOfASuccessWhenAsked() throws {
            let loaded = try load(long(5000, refused: false)) { $0.log = .states }
            #expect(instructionNumbers(loaded.log) == Array(0...5001))
            let count = try loaded.information().verifiedInstructions
            #expect(count == 5002)
            #expect(loaded.log.contains("processed \(count) insns"))
        }

        @Test func givesTheStatisticsAlone() throws {
            let log = try load(returning(7)) { $0.log = .statistics }.log
            #expect(log.contains("processed 2 insns"))
            #expect(instructionNumbers(log) == [])
        }

        @Test func namesWhatIsNotResolved() {
            var function = Function(
                name: "main", instructions: [.move64(.r0, 0), .loadWide(.r1, 0), .call(helper: 0), .exit])
            let cases: [(Reference, String)] = [
                (.map("ports"), "the map ports"),
                (.data("verdicts", offset: 4), "byte 4 of the table verdicts"),
                (.kernelType("sk_buff"), "the kernel type sk_buff"),
                (.kernelFunction("bpf_dynptr_from_skb"), "the kernel function bpf_dynptr_from_skb"),
                (.kernelSymbol("bpf_skb_load_helper_8"), "the kernel symbol bpf_skb_load_helper_8"),
                (.kernelField(structure: "sk_buff", member: "len"), "the kernel field sk_buff.len"),
                (.function("elsewhere"), "the function elsewhere"),
            ]
            for (reference, text) in cases {
                function.references = [1: reference, 2: reference]
                let refused = refusal(ExtendedBPF.Program(functions: [function]))
                #expect(refused?.reason == .unresolvedReference(reference, instruction: 1))
                #expect(refused?.description == "instruction 1: \(text) is not resolved, nothing can be loaded before")
            }
        }

        @Test func closesItsDescriptors() throws {
            let cycles = 200
            let before = try openDescriptors()
            for _ in 0..<cycles {
                _ = try load(returning(1)) { $0.debugInformation = MinimalTypes.debugInformation }
                _ = refusal(program([.exit])) { $0.debugInformation = MinimalTypes.debugInformation }
            }
            // Other tests have some open at the same time; a leak would be one a cycle.
            #expect(try openDescriptors() < before + cycles / 2)
        }

        private func openDescriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }

        /// The numbers of the instructions that a log shows, `NUMBER: (OPCODE) …`.
        private func instructionNumbers(_ log: String) -> [Int] {
            log.split(separator: "\n").compactMap { line in
                let parts = line.split(separator: " ", maxSplits: 2)
                guard parts.count > 1, parts[0].last == ":", parts[1].first == "(" else { return nil }
                return Int(parts[0].dropLast())
            }
        }
    }
#endif
