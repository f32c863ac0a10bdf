#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import TestSupport
    import Testing

    /// Ring buffers, written by a program that is run on packets.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.kernel(5, 8).allowsRunning, "needs Linux 5.8")) struct RingBufferTests
    {
        /// A program that copies its packet's first `size` bytes into the ring, or reserves a record for them and discards
        /// it where the first one is 0; returns 1 where there is no room.
        private func writer(_ size: Int32, into ring: borrowing RingBuffer) throws -> BPFKernel.Program {
            var wide = Instruction.loadWide(.r1, 0)
            wide.srcReg = .r1
            var function = Function(name: "main")
            function.instructions = [
                .move64(.r6, .r1), wide, .move64(.r2, size), .move64(.r3, 0), .call(helper: 131),
                .jump64(if: .r0, .notEqual, 0, 2), .move32(.r0, 1), .exit,
                .move64(.r7, .r0), .move64(.r1, .r6), .move64(.r2, 0), .move64(.r3, .r7), .move64(.r4, size),
                .call(helper: 26), .load(.byte, .r3, .r7, 0), .move64(.r1, .r7), .move64(.r2, 0),
                .jump64(if: .r3, .notEqual, 0, 2), .call(helper: 133), .jump(1), .call(helper: 132),
                .move32(.r0, 0), .exit,
            ]
            function.references = [1: .map("ring")]
            var request = LoadRequest(ExtendedBPF.Program(functions: [function]), type: .schedCls)
            request.maps = ["ring": ring.map.descriptor]
            return try BPFKernel.Program(loading: request)
        }

        private func packet(_ number: Int) -> [UInt8] {
            [UInt8(number % 256), UInt8(number / 256)] + [UInt8](repeating: UInt8(number % 256), count: 98)
        }

        /// In order, three times round, those that were discarded left out; none is written over the unread.
        @Test func recordsComeInOrderAndTheUnreadStay() throws {
            var ring = try RingBuffer(named: "ring", size: 4096)
            let program = try writer(100, into: ring)
            var next = 0
            for _ in 0..<4 {
                var (written, full) = (0, false)
                var expected: [[UInt8]] = []
                while !full {
                    let bytes = packet(next)
                    full = try program.run(on: bytes).returnValue == 1
                    if full { break }
                    if bytes[0] != 0 { expected.append(bytes) }
                    next += 1
                    written += 1
                }
                // A record with its head, in a multiple of 8.
                #expect(written == 4096 / 112)
                #expect(try ring.wait(atMost: .zero))
                var found: [[UInt8]] = []
                let first = ring.read { record in
                    found.append(Array(record))
                    return found.count < 5
                }
                #expect(first == 5)
                let rest = ring.read { record in
                    found.append(Array(record))
                    return true
                }
                #expect(rest == expected.count - 5 && found == expected)
                #expect(try !ring.wait(atMost: .milliseconds(1)) && ring.read { _ in true } == 0)
            }
            #expect(next > 256 / 2)
        }

        @Test func sizesAreTheKernels() {
            #expect(throws: KernelError(.refused(.invalidArgument), in: .createMap)) {
                _ = try RingBuffer(named: "ring", size: 5000).map.declaration
            }
        }
    }
#endif
