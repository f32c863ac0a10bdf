#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import CPcap
    import ExtendedBPF
    import TestSupport
    import Testing

    /// The C filters that programs are measured against decide what libpcap decides.
    @Suite(
        .enabled(
            if: Requirement.root.allowsRunning && Requirement.tool("clang").allowsRunning
                && Requirement.tool("python3").allowsRunning, "needs root, clang and python3"))
    struct ReferenceFilterTests {
        @Test(arguments: ReferenceFilter.files)
        func decidesAsLibpcap(_ filter: ReferenceFilter) throws {
            try check(filter)
        }

        @Test(arguments: [16, 256])
        func listsDecideAsLibpcap(_ count: Int) throws {
            try check(.hosts(count))
        }

        private func check(_ filter: ReferenceFilter) throws {
            let judge = try Judge(filter.expression)
            var generator = SeededGenerator(for: filter.name)
            let frames = Frames.all.map(\.bytes) + variations(of: filter, using: &generator)
            let answers = frames.map { judge.matches($0) }
            #expect(Set(answers).count == 2, "\(filter) is asked for nothing that matches, or for nothing else")
            for hook in ReferenceFilter.Hook.allCases {
                let code = try filter.program(for: hook)
                let loaded = try Program(loading: LoadRequest(code, type: hook == .xdp ? .xdp : .schedCls))
                var runs = 0
                for (frame, answer) in zip(frames, answers) {
                    let interpreted = try ExtendedMachine(byteOrder: .host).run(
                        code, on: Packet(ethernet: frame), context: hook == .xdp ? .xdp : .socketBuffer)
                    #expect(interpreted == (answer ? 1 : 0), "\(filter), interpreted, \(frame)")
                    // Test runs refuse some frames, such as those that end in the IP header or do not fit a page.
                    guard let result = try? loaded.run(on: frame) else { continue }
                    runs += 1
                    #expect(result.returnValue == (answer ? 1 : 0), "\(filter) at \(hook), \(frame)")
                }
                #expect(runs > frames.count / 2, "\(filter) at \(hook): \(runs) of \(frames.count) frames")
            }
        }

        /// Frames of the catalogue changed so that some match, and cut at every length.
        private func variations(
            of filter: ReferenceFilter, using generator: inout SeededGenerator
        ) -> [[UInt8]] {
            let words = filter.expression.split { " .:()-".contains($0) }.compactMap { UInt16($0) }
            let addresses = filter.expression.split(separator: " ").map { $0.split(separator: ".") }
                .filter { $0.count == 4 }.map { $0.compactMap { UInt8($0) } }
            var frames: [[UInt8]] = [[0, 0x11, 0x22, 0x33, 0x44, 0x55, 2, 0, 0, 0, 0, 1, 8, 0, 1, 2]]
            frames.append(Array(frames[0][6..<12] + frames[0][0..<6] + frames[0][12...]))
            for frame in Frames.all where frame.bytes.count < 200 {
                for position in [0, 6, 26, 28, 30, 38] where position + 4 <= frame.bytes.count {
                    guard let address = addresses.randomElement(using: &generator), address.count == 4 else { break }
                    frames.append(frame.bytes)
                    frames[frames.count - 1].replaceSubrange(position..<position + 4, with: address)
                }
                for position in [34, 36, 38, 40, 54, 56] where position + 2 <= frame.bytes.count {
                    guard let port = words.randomElement(using: &generator) else { break }
                    frames.append(frame.bytes)
                    frames[frames.count - 1].replaceSubrange(
                        position..<position + 2, with: [UInt8(port >> 8), UInt8(port & 255)])
                }
            }
            // One more extension header in front of what IPv6 carries.
            for frame in Frames.ipv6.map(\.bytes) where frame.count >= 54 {
                for (type, words) in [(0, 0), (43, 2), (44, 0), (51, 4), (60, 1)] as [(UInt8, UInt8)] {
                    let count = type == 51 ? (Int(words) + 2) * 4 : (Int(words) + 1) * 8
                    let header = [frame[20], words] + [UInt8](repeating: 6, count: count - 2)
                    frames.append(Array(frame[..<20] + [type] + frame[21..<54] + header + frame[54...]))
                }
            }
            // The fields that decide: lengths, fragments, protocols, also those behind a fragment header.
            let values: [UInt8] = [0, 1, 6, 17, 44, 47, 51, 58, 60, 132, 0x1f, 0x20, 0x40, 0x4f, 0x50, 0x80, 255]
            for frame in frames where frame.count < 200 {
                for _ in 0..<4 {
                    var changed = frame
                    for position in [14, 20, 21, 23, 27, 54, 55, 62].shuffled(using: &generator).prefix(2)
                    where position < frame.count {
                        changed[position] = generator.pick(values)
                    }
                    frames.append(changed)
                }
            }
            for index in frames.indices {
                guard frames[index].count > 14 else { continue }
                frames.append(Array(frames[index].prefix(Int.random(in: 14..<frames[index].count, using: &generator))))
            }
            return frames
        }
    }

    /// libpcap, asked for its opinion of frames.
    private final class Judge {
        private var program = bpf_program()

        init(_ expression: String) throws {
            let handle = try #require(pcap_open_dead(DLT_EN10MB, 262_144))
            defer { pcap_close(handle) }
            let status = pcap_compile(handle, &program, expression, 1, PCAP_NETMASK_UNKNOWN)
            try #require(status == 0, "\(expression)")
        }

        deinit { pcap_freecode(&program) }

        func matches(_ frame: [UInt8]) -> Bool {
            bpf_filter(program.bf_insns, frame, UInt32(frame.count), UInt32(frame.count)) != 0
        }
    }
#endif
