#if os(Linux)
    import BPFCompiler
    import BPFInterpreter
    import BPFKernel
    import CPcap
    import ClassicBPF
    import ExtendedBPF
    import Foundation
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// Long lists, which are looked up in tables, in the running kernel and in libpcap's own interpreter.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct SetKernelTests {
        /// A list of hosts scattered in 10.0.0.0/8, or of ports, and frames to and from its members and their neighbours.
        private struct List {
            var filter: PacketFilter
            var frames: [[UInt8]]
        }

        private static func list(hosts count: Int) throws -> List {
            var generator = SeededGenerator(seed: UInt64(count))
            let hosts = (0..<count).map { _ in 0x0a00_0000 | UInt32.random(in: 0...0xff_ffff, using: &generator) }
            let text = hosts.map { "host " + bytes($0).map(String.init).joined(separator: ".") }
            let frame = Frames.named("tcp syn to 80").bytes
            let arp = Frames.named("arp request").bytes
            let asked = hosts.indices.filter { $0 % (1 + count / 16) == 0 }.flatMap { index in
                [hosts[index], hosts[index] &+ 1, hosts[index].byteSwapped]
            }
            return List(
                filter: try PacketFilter(text.joined(separator: " or ")),
                frames: asked.flatMap { host in
                    [26, 30].map { frame.replacing(at: $0, with: bytes(host)) }
                        + [28, 38].map { arp.replacing(at: $0, with: bytes(host)) }
                })
        }

        private static func listOfPorts() throws -> List {
            let ports = (0..<40).map { UInt32($0 * 601 + 7) }
            let frame = Frames.named("tcp syn to 80").bytes
            return List(
                filter: try PacketFilter(ports.map { "port \($0)" }.joined(separator: " or ")),
                frames: (ports + ports.map { $0 + 1 } + [0, 0x700]).flatMap { port in
                    [34, 36].map { frame.replacing(at: $0, with: bytes(port).suffix(2)) }
                })
        }

        private static func bytes(_ number: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
        }

        private static func options() -> [CompilerOptions] {
            let kernels = [nil, KernelVersion(6, 17)].filter { $0 ?? .usual <= KernelVersion.running! }
            return [CompilerOptions(isa: .v1)] + kernels.map { CompilerOptions(kernel: $0) }
        }

        @Test func everyHookFindsWhatIsInAList() throws {
            let lists = try [Self.list(hosts: 16), Self.list(hosts: 150), Self.listOfPorts()]
            try withNetworkNamespace {
                for list in lists {
                    for target in [Target.xdp(match: .drop), .tc(match: .shot), .socket] {
                        for options in Self.options() where target.hook != .xdp || options.kernel == nil {
                            try check(list, try list.filter.compile(for: target, options: options))
                        }
                    }
                }
            }
        }

        private func check(_ list: List, _ program: CompiledProgram) throws {
            // Both ways of reading packets look into the same one.
            #expect(program.program.data.count == 1)
            let loaded = try program.load()
            var matches = 0
            for frame in list.frames {
                let expected = Self.libpcap(list.filter.classic, frame)
                // On a socket, test runs take an Ethernet header off.
                let seen = program.target.hook == .socket ? [UInt8](repeating: 0x42, count: 14) + frame : frame
                let result = try loaded.run(on: seen).returnValue
                let answer: UInt32 =
                    switch program.target.result {
                    case .number: expected
                    case .verdict(let match, let noMatch): expected == 0 ? noMatch.value : match.value
                    }
                #expect(result == answer, "\(program.target) \(frame)")
                #expect(try program.run(on: Packet(ethernet: frame)) == answer, "\(program.target) \(frame)")
                matches += expected == 0 ? 0 : 1
            }
            #expect(matches > 0 && matches < list.frames.count)
        }

        /// What libpcap's own interpreter says.
        private static func libpcap(_ program: ClassicBPF.Program, _ frame: [UInt8]) -> UInt32 {
            let code = program.instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
            return bpf_filter(code, frame, UInt32(frame.count), UInt32(frame.count))
        }

        /// Objects for bpftool, and C for clang, whose object bpftool loads too: the tables are there in both.
        @Test(.enabled(if: Requirement.tool("clang").allowsRunning && Requirement.tool("bpftool").allowsRunning))
        func bpftoolLoadsTables() throws {
            let list = try Self.list(hosts: 150)
            let folder = try TemporaryFolder()
            for (name, target) in [("xdp", Target.xdp(match: .drop)), ("tc", .tc(match: .shot))] {
                let source = try list.filter.source(for: target)
                #expect(source.contains("static const u8 matches_set1_distances["))
                try folder.file("filter.c", containing: Array(source.utf8))
                let ours = try list.filter.compile(for: target).object().bytes
                let compiled = try run(
                    llvm("clang"),
                    [
                        "-O2", "-target", "bpf", "-Wall", "-Wextra", "-Werror", "-c", folder.path("filter.c"), "-g",
                        "-o",
                        folder.path("c.o"),
                    ])
                try #require(compiled.status == 0, "\(compiled.errors)")
                let clangs = try [UInt8](Data(contentsOf: URL(filePath: folder.path("c.o"))))
                for object in [ours, clangs] {
                    try folder.file("set.o", containing: object)
                    let pin = "/sys/fs/bpf/set_\(getpid())_\(name)"
                    defer { unlink(pin) }
                    let loading = try run("bpftool", ["prog", "load", folder.path("set.o"), pin])
                    try #require(loading.status == 0, "\(loading.errors)")
                }
                // What clang made decides as ours, in the kernel.
                let programs = try LoadableProgram.programs(of: clangs)
                let loaded = try programs[0].load()
                for frame in list.frames {
                    guard case .verdict(let match, let noMatch) = target.result else { continue }
                    let expected = Self.libpcap(list.filter.classic, frame) == 0 ? noMatch : match
                    #expect(try loaded.run(on: frame).returnValue == expected.value, "\(target) \(frame)")
                }
            }
        }
    }

    extension [UInt8] {
        fileprivate func replacing(at offset: Int, with bytes: some Collection<UInt8>) -> [UInt8] {
            var copy = self
            copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            return copy
        }
    }
#endif
