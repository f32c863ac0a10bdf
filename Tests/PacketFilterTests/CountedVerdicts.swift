#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import ExtendedBPF
    @testable import PacketFilter

    /// A program that runs on live packets, and how often it returned what.
    ///
    /// Nothing shows what a program at a tracepoint returns. So it is called by an entry that counts in a map; the program
    /// itself is as it was compiled. Tracepoints are the whole machine's, therefore the entry leaves alone packets
    /// that are not the test's: those have a mark, or a device, that others have not.
    final class CountedVerdicts {
        /// By what a packet of the test is known.
        enum Packets {
            case all
            /// The mark, which is set on the socket that sends (`SO_MARK`).
            case marked(UInt32)
            /// The index of the device.
            case device(UInt32)
        }

        /// How often the program has returned the number that is the place, 3 standing for higher ones too.
        typealias Counts = [UInt64]

        private let map: BPFKernel.Map
        private let link: BPFKernel.Link

        /// Loads and attaches `program`; the kernel is told what it returns, or `answer`.
        init(
            _ program: CompiledProgram, of packets: Packets, answering answer: Int32? = nil, at place: AttachPlace
        ) throws {
            map = try BPFKernel.Map(
                MapDeclaration(name: "counts", kind: .array, keySize: 4, valueSize: 8, maxEntries: 4))
            let counting = Self.counting(program.program, of: packets, answering: answer, on: program.target.hook)
            var request = LoadRequest(try KernelLayout.loadable(counting), type: program.target.hook.programType)
            try request.prepare(for: program.target.hook)
            request.maps["counts"] = map.descriptor
            link = try BPFKernel.Link(attaching: BPFKernel.Program(loading: request), at: place)
        }

        /// What has been counted so far.
        var counts: Counts {
            get throws {
                try (0..<4 as Range<UInt32>).map { index in
                    let value = try map.value(of: withUnsafeBytes(of: index) { Array($0) })
                    return value!.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
                }
            }
        }

        private static func counting(
            _ program: ExtendedProgram, of packets: Packets, answering answer: Int32?, on hook: Hook
        ) -> ExtendedProgram {
            var assembler = Assembler(functionNamed: "counting")
            let end = assembler.makeLabel()
            assembler.append(.move64(.r6, .r1))
            let argument = Int16(8 * (hook.usualSocketBufferArgument ?? 0))
            switch packets {
            case .all: break
            case .marked(let mark):
                assembler.append(.load(.doubleword, .r3, .r6, argument))
                assembler.probe(.word, "sk_buff", "mark")
                assembler.append(.load(.word, .r1, .r10, -8))
                assembler.append(.jump32(if: .r1, .notEqual, Int32(bitPattern: mark), 0), to: end)
            case .device(let index):
                assembler.append(.load(.doubleword, .r3, .r6, argument))
                assembler.probe(.doubleword, "sk_buff", "dev")
                assembler.append(.load(.doubleword, .r3, .r10, -8))
                assembler.probe(.word, "net_device", "ifindex")
                assembler.append(.load(.word, .r1, .r10, -8))
                assembler.append(.jump32(if: .r1, .notEqual, Int32(bitPattern: index), 0), to: end)
            }
            assembler.append(.move64(.r1, .r6))
            assembler.append(.call(localAt: 0), .function(program.entry.name))
            assembler.append(.move64(.r7, .r0))
            assembler.append(.move32(.r1, .r0))
            assembler.append(.jump64(if: .r1, .lessOrEqual, 3, 1))
            assembler.append(.move32(.r1, 3))
            assembler.append(.store(.word, .r10, -8, .r1))
            assembler.append(.move64(.r2, .r10))
            assembler.append(.alu64(.add, .r2, -8))
            var map = ExtendedInstruction.loadWide(.r1, 0)
            map.srcReg = .r1
            assembler.append(map, .map("counts"))
            assembler.append(.call(helper: 1))
            assembler.append(.jump64(if: .r0, .equal, 0, 2))
            assembler.append(.move64(.r1, 1))
            // lock *(u64 *)(r0 + 0) += r1
            assembler.append(ExtendedInstruction(Opcode(rawValue: 0xdb), dstReg: .r0, srcReg: .r1))
            assembler.append(answer.map { .move64(.r0, $0) } ?? .move64(.r0, .r7))
            assembler.append(.exit)
            if case .all = packets {
                // Every packet is counted.
            } else {
                assembler.place(end)
                assembler.append(.move64(.r0, 0))
                assembler.append(.exit)
            }
            return try! ExtendedProgram(functions: [assembler.finish()] + program.functions)
        }
    }

    extension Assembler {
        /// Copies `r3->member` to the stack at −8.
        fileprivate mutating func probe(_ size: Size, _ structure: String, _ member: String) {
            append(.alu64(.add, .r3, 0), .kernelField(structure: structure, member: member))
            append(.move64(.r1, .r10))
            append(.alu64(.add, .r1, -8))
            append(.move32(.r2, UInt32(size.bytes)))
            append(.call(helper: 113))
        }
    }
#endif
