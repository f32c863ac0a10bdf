#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import CPcap
    import ClassicBPF
    import PacketFilter
    import TestSupport
    import Testing

    /// Programs with loops decide in the running kernel as libpcap does in user space.
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

        /// Bounded loops, and from Linux 6.9 on such as are left to run; programs at netfilter are for 6.17 and later.
        static let cases = Corpus.loops.flatMap { expression in
            targets.flatMap { target in
                [nil, KernelVersion(6, 9)].map { Case(expression: expression, target: target, kernel: $0) }
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
            #expect(needed.contains("may_goto") == (test.kernel != nil))
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
                for oldest in [KernelVersion(5, 15), KernelVersion(6, 9), KernelVersion(6, 17)] {
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
        @Test(arguments: [1_000, 4_000, 8_180]) func chainsThatFillAPacketAreFollowed(headers: Int) throws {
            let filter = try PacketFilter("ip6 protochain 6")
            let compiled = try filter.compile(
                for: .xdpFrags(match: .drop), options: CompilerOptions(kernel: KernelVersion(6, 9)))
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

        /// libpcap counts behind an authentication header from the packet's start, so that there are packets on which
        /// it runs for ever. Programs do not.
        @Test(arguments: [false, true]) func whatGoesInCirclesEnds(isLeftToRun: Bool) throws {
            let kernel = isLeftToRun ? KernelVersion(6, 9) : nil
            let filter = try PacketFilter("ip6 protochain 6")
            let compiled = try filter.compile(for: .xdp(match: .drop), options: CompilerOptions(kernel: kernel))
            let program = try compiled.load()
            var packet = [UInt8](repeating: 2, count: 12) + [0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 51, 64]
            packet += Array(repeating: 1, count: 32)
            // Each of these leads to 40 bytes behind the Ethernet header again.
            packet += [51, 8] + Array(repeating: UInt8(8), count: 60)
            #expect(try program.run(on: packet).returnValue == XDPVerdict.pass.value)
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
