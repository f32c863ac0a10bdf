#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import ExtendedBPF
    import Foundation
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// Filters as C: what clang makes of it is loaded, and decides on every frame as the classic filter does.
    @Suite(
        .enabled(
            if: Requirement.root.allowsRunning && Requirement.tool("clang").allowsRunning, "needs root and clang"))
    struct CSourceTests {
        static let targets: [Target] = [.xdp(match: .drop), .tc(match: .shot), .tc(match: .ok, noMatch: .unspec)]

        @Test(arguments: targets) func everyExpressionOfTheCorpusDecidesAsBefore(target: Target) throws {
            var filters = try Corpus.expressions.filter { $0.linkType == "EN10MB" }
                .map { ($0.name, try PacketFilter($0.text)) }
            filters += Corpus.programs.map { ($0.name, PacketFilter($0.program)) }
            var count = 0
            for (name, filter) in filters {
                guard let source = try source(of: filter, for: target) else { continue }
                let program = try program(source, target, filter)
                try compare(name, filter, program.load(), target)
                try interpret(name, filter, program.program, target)
                count += 1
            }
            // Those that load extensions, or by header, have no C; there are no others.
            #expect(count > filters.count * 2 / 3, "\(count) of \(filters.count)")
        }

        /// The C of a filter, or nil where it has none.
        private func source(of filter: PacketFilter, for target: Target) throws -> String? {
            do {
                return try filter.source(for: target)
            } catch let error as CompilerError {
                switch error.reason {
                case .unavailableExtension, .headerAreaInC: return nil
                default: throw error
                }
            }
        }

        /// What clang makes of the source, warnings being errors, with the options that its first comment names.
        private func program(_ source: String, _ target: Target, _ filter: PacketFilter) throws -> CompiledProgram {
            let folder = try TemporaryFolder()
            try folder.file("filter.c", containing: Array(source.utf8))
            let (object, code) = (folder.path("filter.o"), folder.path("filter.bin"))
            let compiled = try run(
                llvm("clang"),
                ["-O2", "-target", "bpf", "-Wall", "-Wextra", "-Werror", "-c", folder.path("filter.c"), "-o", object])
            try #require(compiled.status == 0, "\(compiled.errors)\n\(source)")
            let section = target.hook.section
            try #require(
                run(llvm("llvm-objcopy"), ["-O", "binary", "--only-section=\(section)", object, code]).status == 0)
            let instructions = try ExtendedInstruction.decode([UInt8](Data(contentsOf: URL(filePath: code))), .little)
            return CompiledProgram(
                filter: filter, target: target,
                program: ExtendedProgram(functions: [Function(name: "filter", instructions: instructions)]))
        }

        private func compare(
            _ name: String, _ filter: PacketFilter, _ program: borrowing BPFKernel.Program, _ target: Target
        ) throws {
            guard case .verdict(let match, let noMatch) = target.result else {
                preconditionFailure("targets have verdicts")
            }
            let isChanging = (0..<filter.classic.count).contains { index in
                [.cpu, .rand, .ifidx, .type, .mark, .queue, .rxhash].contains {
                    filter.classic.operation(at: index) == .load(.extension($0))
                }
            }
            if isChanging { return }
            var runs = 0
            for frame in Frames.all where frame.bytes.count >= 14 {
                let result: UInt32
                do {
                    result = try program.run(on: frame.bytes).returnValue
                } catch {
                    // Test runs refuse packets that end within their IP header, and those larger than a page.
                    continue
                }
                let number = try ClassicMachine().run(filter.classic, on: Packet(ethernet: frame.bytes))
                #expect(result == (number == 0 ? noMatch.value : match.value), "\(name) on \(frame.name)")
                runs += 1
            }
            #expect(runs > Frames.all.count / 2)
        }

        /// In the interpreter, packets can be in several parts too, and be cut anywhere.
        private func interpret(
            _ name: String, _ filter: PacketFilter, _ program: ExtendedProgram, _ target: Target
        ) throws {
            guard case .verdict(let match, let noMatch) = target.result else {
                preconditionFailure("targets have verdicts")
            }
            var generator = SeededGenerator(for: name)
            for frame in Frames.all {
                let bytes = Array(
                    frame.bytes.prefix(generator.chance(30) ? .random(in: 14...80, using: &generator) : .max))
                var packet = Packet(ethernet: bytes)
                if target.hook == .tc {
                    packet = Packet(
                        bytes, linearLength: .random(in: 0...bytes.count, using: &generator),
                        networkHeaderOffset: packet.networkHeaderOffset,
                        linkLayerHeaderOffset: packet.linkLayerHeaderOffset, metadata: packet.metadata)
                }
                packet.metadata.interface = .init(index: 3)
                packet.metadata.ingressInterface = 3
                let number = try ClassicMachine().run(filter.classic, on: packet)
                let result = try ExtendedMachine().run(
                    program, on: packet, context: target.hook == .xdp ? .xdp : .socketBuffer)
                #expect(result == (number == 0 ? noMatch.value : match.value), "\(name) on \(packet)")
            }
        }

        /// With the kernel's headers it is the same program as with the few declarations of our own.
        @Test(arguments: targets) func theKernelsHeadersSayTheSame(target: Target) throws {
            let source = try PacketFilter("tcp port 80 or icmp").source(for: target)
            let folder = try TemporaryFolder()
            try folder.file("filter.c", containing: Array(source.utf8))
            let headers = try run("gcc", ["-print-multiarch"]).text.trimmingCharacters(in: .whitespacesAndNewlines)
            for (object, options) in [("without.o", []), ("with.o", ["-I", "/usr/include/\(headers)"])] {
                let result = try run(
                    llvm("clang"),
                    ["-O2", "-target", "bpf", "-Wall", "-Wextra", "-Werror"] + options
                        + ["-c", folder.path("filter.c"), "-o", folder.path(object)])
                #expect(result.status == 0, "\(result.errors)")
            }
            #expect(
                try Data(contentsOf: URL(filePath: folder.path("without.o")))
                    == Data(contentsOf: URL(filePath: folder.path("with.o"))))
        }

        @Test func whatHasNoCIsSaid() throws {
            func message(_ filter: PacketFilter, _ target: Target, _ name: String = "filter") -> String? {
                do {
                    _ = try filter.source(for: target, named: name)
                    return nil
                } catch {
                    return "\(error)"
                }
            }
            let filter = try PacketFilter("ip")
            #expect(message(filter, .socket) == "no C is written for the socket hook, only for xdp and tc")
            #expect(
                message(filter, .xdp(match: .drop), "while")
                    == "'while' is no name for a program, it must be a C identifier")
            #expect(
                message(try PacketFilter("ip6 protochain 6"), .xdp(match: .drop))
                    == "no C is written for filters that jump back, as those of protochain do")
            let header = try PacketFilter(
                ClassicProgram([
                    ClassicInstruction(.load(.absolute(.byte, 0xfff0_0000))), ClassicInstruction(.result(.a)),
                ]))
            #expect(message(header, .xdp(match: .drop)) == nil)
            #expect(
                message(header, .tc(match: .shot))
                    == "instruction 0: its load may be one by header (negative offsets), which has no form in C on the tc hook"
            )
        }

        /// An expression of several lines is a comment of several lines.
        @Test func theExpressionIsAComment() throws {
            let source = try PacketFilter("ip\nand udp").source(for: .xdp(match: .drop))
            #expect(source.hasPrefix("/*\n * ip\n * and udp\n *\n"))
        }
    }
#endif
