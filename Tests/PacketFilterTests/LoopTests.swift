#if os(Linux)
    import BPFCompiler
    import BPFInterpreter
    import BPFKernel
    import CPcap
    import ClassicBPF
    import PacketFilter
    import TestSupport
    import Testing

    /// Programs with loops decide in the running kernel as libpcap does in user space.
    ///
    /// Loops are bounded, called by a helper function from Linux 5.17 on, and left to run from 6.9 on.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct LoopTests {
        static let targets: [Target] = [
            .xdp(match: .drop), .tc(match: .shot), .cgroupIngress(match: .deny), .socket,
        ]

        static let everywhere: [Target] =
            targets + [
                .xdpFrags(match: .drop), .lwtXmit(match: .drop), .netfilter(match: .drop), .tpBTF("kfree_skb"),
                .rawTP("kfree_skb"),
            ]

        struct Case: CustomTestStringConvertible, Sendable {
            var expression: CorpusExpression
            var target: Target
            /// The kernel the program is made for, nil for the usual one.
            var kernel: KernelVersion?

            var testDescription: String { "\(expression) \(target.hook) \(kernel?.description ?? "")" }
        }

        /// Programs at netfilter are for 6.17 and later.
        static let cases = Corpus.loops.flatMap { expression in
            targets.flatMap { target in
                [nil, KernelVersion(5, 17), KernelVersion(6, 9)].map {
                    Case(expression: expression, target: target, kernel: $0)
                }
            } + [Case(expression: expression, target: .netfilter(match: .drop), kernel: KernelVersion(6, 17))]
        }

        @Test(arguments: cases) func theKernelDecidesAsLibpcap(test: Case) throws {
            let (expression, target) = (test.expression, test.target)
            // A test run gives these programs what is behind the Ethernet header.
            let isRaw = target == .socket || target.hook.linkLayer == .rawIP
            // libpcap knows no VLAN tags in raw IP.
            if isRaw && expression.name == "vlan-protochain" { return }
            let link = try LinkType(isRaw ? "RAW" : expression.linkType)
            let filter = try PacketFilter(expression.text, linkType: link)
            let compiled = try filter.compile(for: target, options: CompilerOptions(kernel: test.kernel))
            let needed = Requirements(of: compiled.program, on: target.hook).items.map(\.feature)
            #expect(needed.contains("may_goto") == (test.kernel.map { $0 >= KernelVersion(6, 9) } ?? false))
            #expect(needed.contains("bpf_loop") == (test.kernel == KernelVersion(5, 17)))
            // Where it is not stated, every packet is followed to its end, longer ones than a test run takes too.
            let rounds = test.kernel == nil ? try #require(compiled.loopRounds) : 450
            #expect((compiled.loopRounds == nil) == (test.kernel != nil))
            #expect(rounds >= 100, "a chain of as many headers is to be followed")
            let program = try compiled.load()
            guard case .verdict(let match, _) = target.result else {
                return try compare(filter, rounds, test.kernel == nil, program, isRaw) { $0 != 0 }
            }
            // There a `struct nf_hook_state` says that the packets are IPv6 (NFPROTO_IPV6).
            let context: [UInt8] = target.hook == .netfilter ? [0, 10] + Array(repeating: 0, count: 46) : []
            try compare(filter, rounds, test.kernel == nil, program, isRaw, context) { $0 == match.value }
        }

        /// The verifier walks through loops as programs read packets, which each hook and each kernel's way does its own.
        @Test(arguments: everywhere.indices) func loopsAreTakenEverywhere(place: Int) throws {
            let target = Self.everywhere[place]
            let link = try LinkType(target.hook.linkLayer == .rawIP ? "RAW" : "EN10MB")
            for expression in ["ip6 protochain 17", "ip protochain 17 or ip6 protochain 6"] {
                let filter = try PacketFilter(expression, linkType: link)
                for oldest in [
                    KernelVersion(5, 15), KernelVersion(5, 17), KernelVersion(6, 8), KernelVersion(6, 9),
                    KernelVersion(6, 17),
                ] {
                    do {
                        _ = try filter.compile(for: target, options: CompilerOptions(kernel: oldest)).load()
                    } catch let error as CompilerError {
                        #expect("\(error)".contains("needs Linux"), "\(error)")
                    }
                }
            }
        }

        private func compare(
            _ filter: PacketFilter, _ rounds: Int, _ isBounded: Bool, _ program: borrowing BPFKernel.Program,
            _ isRaw: Bool, _ context: [UInt8] = [], _ isMatch: (UInt32) -> Bool
        ) throws {
            var matches = 0
            var generator = SeededGenerator(for: filter.expression!)
            for headers in [0, 1, 2, 3, 7, 30, 99, 100, rounds - 2, rounds - 1, rounds, rounds + 1, 400] {
                for last: UInt8 in [6, 17, 58, 59, 50] {
                    for isTruncated in [false, true] where headers <= 420 {
                        let packet = chain(of: headers, endingWith: last, isTruncated, filter, isRaw, &generator)
                        let theirs = libpcapResult(filter.classic, isRaw ? Array(packet.dropFirst(14)) : packet) != 0
                        let ours = isMatch(try program.run(on: packet, contextBytes: context).returnValue)
                        // What exceeds the bound does not match; one that only just does may.
                        if headers < rounds - 1 || !theirs || !isBounded {
                            #expect(ours == theirs, "\(headers) headers, then \(last), truncated: \(isTruncated)")
                        } else if headers > rounds, isBounded {
                            #expect(!ours, "\(headers) headers exceed \(rounds) rounds")
                        }
                        if theirs && ours { matches += 1 }
                    }
                }
            }
            // Raw IP at a hook that sees Ethernet headers reads those as addresses; IPv4 is not among the packets.
            if isRaw == (filter.linkType != .ethernet) && !filter.expression!.hasPrefix("ip ") {
                #expect(matches > 0, "nothing matched")
            }
        }

        /// A frame with `count` extension headers of eight bytes before protocol `last`.
        private func chain(
            of count: Int, endingWith last: UInt8, _ isTruncated: Bool, _ filter: PacketFilter, _ isRaw: Bool,
            _ generator: inout SeededGenerator
        ) -> [UInt8] {
            let kinds = (0..<count).map { _ in [0, 43, 60].randomElement(using: &generator)! as UInt8 } + [last]
            var packet: [UInt8] = Array(repeating: 2, count: 12)
            if filter.expression!.contains("vlan") { packet += [0x81, 0, 0, 5] }
            packet += [0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, kinds[0], 64] + Array(repeating: 1, count: 32)
            for next in kinds.dropFirst() { packet += [next, 0, 0, 0, 0, 0, 0, 0] }
            packet += Array(repeating: 3, count: 20)
            if isTruncated && count > 4 { packet.removeLast(24 + 8) }
            return packet
        }

        private func libpcapResult(_ program: ClassicBPF.Program, _ packet: [UInt8]) -> UInt32 {
            let code = program.instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
            return bpf_filter(code, packet, UInt32(packet.count), UInt32(packet.count))
        }

        /// As many headers as an IPv6 packet has room for: in several buffers at XDP, where a test run takes that much.
        @Test(arguments: [1_000, 4_000, 8_180], ["5.18", "6.9"])
        func chainsThatFillAPacketAreFollowed(headers: Int, kernel: String) throws {
            let filter = try PacketFilter("ip6 protochain 6")
            let compiled = try filter.compile(
                for: .xdpFrags(match: .drop), options: CompilerOptions(kernel: KernelVersion(kernel)))
            #expect(compiled.loopRounds == nil)
            let program = try compiled.load()
            var generator = SeededGenerator()
            for last: UInt8 in [6, 17] {
                let packet = chain(of: headers, endingWith: last, false, filter, false, &generator)
                let result = try program.run(on: packet).returnValue
                #expect((libpcapResult(filter.classic, packet) != 0) == (last == 6))
                #expect(result == (last == 6 ? XDPVerdict.drop : .pass).value, "\(headers) headers, then \(last)")
            }
        }

        /// As many at tc, of which nothing but the Ethernet header lies in the first part of the kernel's buffer.
        @Test(.enabled(if: Requirement.tool("tc").allowsRunning, "needs tc")) func chainsInPartsAreFollowed() throws {
            let filter = try PacketFilter("ip protochain 6 or ip6 protochain 6")
            let compiled = try filter.compile(
                for: .tc(match: .shot), options: CompilerOptions(kernel: KernelVersion(5, 17)))
            let folder = try TemporaryFolder()
            let file = try folder.file("program.o", containing: compiled.object().bytes)
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 65_535)
                for arguments in [
                    ["qdisc", "add", "dev", veth.first, "clsact"],
                    ["filter", "add", "dev", veth.first, "egress", "bpf", "da", "obj", file.path, "sec", "classifier"],
                ] {
                    let result = try run("tc", arguments)
                    try #require(result.status == 0, "\(result.errors)")
                }
                let sender = try PacketSocket(at: veth.first)
                var generator = SeededGenerator()
                for headers in [600, 4_000, 8_150] {
                    for last: UInt8 in [6, 17] {
                        let packet = chain(of: headers, endingWith: last, false, filter, false, &generator)
                        // What is dropped on the way out is told to the sender.
                        let isDropped = (try? sender.send(packet, linearLength: 14)) == nil
                        #expect(isDropped == (libpcapResult(filter.classic, packet) != 0), "\(headers), \(last)")
                    }
                }
            }
        }

        /// libpcap counts behind an authentication header from the packet's start, so that there are packets on which
        /// it runs for ever. Programs do not.
        @Test(arguments: ["5.15", "5.17", "6.9"]) func whatGoesInCirclesEnds(kernel: String) throws {
            let filter = try PacketFilter("ip6 protochain 6")
            let compiled = try filter.compile(
                for: .xdp(match: .drop), options: CompilerOptions(kernel: KernelVersion(kernel)))
            let program = try compiled.load()
            var packet = [UInt8](repeating: 2, count: 12) + [0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 51, 64]
            packet += Array(repeating: 1, count: 32)
            // Each of these leads to 40 bytes behind the Ethernet header again.
            packet += [51, 8] + Array(repeating: UInt8(8), count: 60)
            #expect(try program.run(on: packet).returnValue == XDPVerdict.pass.value)
        }

        /// Loops in each other and behind each other, in the kernel.
        @Test(arguments: 0..<2) func randomLoopsDecideAsLibpcap(place: Int) throws {
            // The same each time: of others the verifier may find a bounded one too much.
            var generator = SeededGenerator(seed: 7 + UInt64(place))
            var matches = 0
            for kernel in [KernelVersion(5, 17), KernelVersion(6, 8)] {
                for _ in 0..<15 {
                    let filter = RandomLoops.next(using: &generator)
                    matches += try matchesCompared(filter, Self.targets[place], kernel, using: &generator)
                }
            }
            #expect(matches > 0)
        }

        /// What once was refused is taken.
        @Test(arguments: 0..<2) func pastCrashersDecideAsLibpcap(place: Int) throws {
            var generator = SeededGenerator()
            #expect(!Corpus.loopCrashers.isEmpty)
            for (_, filter) in Corpus.loopCrashers {
                for kernel in [KernelVersion(5, 17), KernelVersion(6, 8)] {
                    _ = try matchesCompared(filter, Self.targets[place], kernel, using: &generator)
                }
            }
        }

        /// Runs a filter whose loops a helper function runs on random packets, and returns how many match.
        private func matchesCompared(
            _ classic: ClassicBPF.Program, _ target: Target, _ kernel: KernelVersion,
            using generator: inout SeededGenerator
        ) throws -> Int {
            let filter = PacketFilter(classic)
            let compiled = try filter.compile(for: target, options: CompilerOptions(kernel: kernel))
            // Others have bounded loops, of which random ones can be too much for the verifier.
            guard compiled.program.functions.count > 1, case .verdict(let match, _) = target.result else { return 0 }
            let program = try compiled.load()
            var matches = 0
            for _ in 0..<5 {
                let packet =
                    [UInt8](repeating: 2, count: 12)
                    + (0..<60).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let theirs = libpcapResult(filter.classic, packet) != 0
                let ours = try program.run(on: packet).returnValue
                #expect((ours == match.value) == theirs, "\(filter.classic.instructions) on \(packet)")
                if theirs { matches += 1 }
            }
            return matches
        }

        /// The loaders people have take the function that the helper function calls, and give it to the kernel.
        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"), arguments: targets.indices)
        func objectsLoadByLibbpf(place: Int) throws {
            let target = Self.targets[place]
            let filter = try PacketFilter("ip protochain 17 or ip6 protochain 6")
            let compiled = try filter.compile(
                for: target, options: CompilerOptions(kernel: KernelVersion(5, 17)))
            let object = try compiled.object().bytes
            let folder = try TemporaryFolder()
            let file = try folder.file("program.o", containing: object)
            let script = "mount -t bpf bpf /sys/fs/bpf; bpftool prog load \"$1\" /sys/fs/bpf/program"
            let result = try run("unshare", ["-m", "sh", "-ec", script, "sh", file.path])
            #expect(result.status == 0, "\(result.errors)")
            // What is read back from it is the same program.
            let read = try #require(LoadableProgram.programs(of: object).first)
            #expect(read.program.linked().instructions == compiled.program.linked().instructions)
            _ = try read.load()
        }

        /// What the helper function returns, and what it leaves: for no round, for all, for some, too many, and flags that
        /// there are none of.
        @Test(arguments: [(0, 0), (1, 0), (6, 0), (7, 0), (100, 0), (8 << 20, 0), (8 << 20 + 1, 0), (100, 1)])
        func theInterpreterCallsRoundsAsTheKernel(rounds: Int, flags: Int) throws {
            let text = """
                filter:
                *(u64 *)(r10 - 8) = 0
                r1 = \(rounds)
                r2 = each ll
                r3 = r10
                r3 += -8
                r4 = \(flags)
                call 181
                r1 = *(u64 *)(r10 - 8)
                r0 <<= 8
                r0 += r1
                exit
                each:
                r3 = *(u64 *)(r2 + 0)
                r3 += r1
                r3 &= 0xff
                *(u64 *)(r2 + 0) = r3
                r0 = 0
                if r1 < 6 goto done
                r0 = 1
                done:
                exit
                """
            let assembled = try AssembledProgram(Array(text.utf8))
            let program = try #require(LoadableProgram.programs(of: assembled.object(section: "xdp").bytes).first)
            let theirs = try program.load().run(on: [UInt8](repeating: 0, count: 60)).returnValue
            let packet = Packet([UInt8](repeating: 0, count: 60))
            for read in [assembled.program, program.program] {
                #expect(try ExtendedMachine(byteOrder: .host).run(read, on: packet, context: .xdp) == theirs)
            }
        }

        @Test func aLoopWithTwoEntriesIsRefused() throws {
            // Into the middle or to the start of a loop, by the packet's first byte.
            let program = try ClassicBPF.Program(
                [
                    .load(.absolute(.byte, 0)), .branch(.equal, .constant(1), jt: 1, jf: 0),
                    .arithmetic(.add, .constant(1)), .arithmetic(.add, .constant(2)),
                    .branch(.greater, .constant(200), jt: 1, jf: 0), .jump(UInt32(bitPattern: -4)),
                    .result(.constant(1)),
                ].map { ClassicInstruction($0) }, satisfying: .libpcap)
            let error = #expect(throws: CompilerError.self) {
                try PacketFilter(program).compile(for: .xdp(match: .drop))
            }
            #expect(error?.reason == .irreducibleLoop)
        }
    }
#endif
