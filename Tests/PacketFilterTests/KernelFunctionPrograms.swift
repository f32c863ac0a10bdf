#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ExtendedBPF
    import PacketFilter

    // Handwritten programs over the kernel's own `struct sk_buff`, and the packets that test runs make for them.

    /// A program that has the kernel's socket buffer in r6 and then does what `body` says; it ends with `return r0`.
    func socketBufferProgram(_ body: (inout Assembler) -> Void) -> ExtendedProgram {
        var assembler = Assembler(functionNamed: "filter")
        assembler.append(.call, .kernelFunction("bpf_cast_to_kern_ctx"))
        assembler.append(.move64(.r6, .r0))
        body(&assembler)
        assembler.append(.exit)
        return try! ExtendedProgram(functions: [assembler.finish()])
    }

    extension ExtendedInstruction {
        /// A call of a kernel function that a reference names.
        static let call = ExtendedInstruction(.call, srcReg: .r2)
    }

    extension Assembler {
        mutating func load(
            _ size: Size, _ dst: Register, _ src: Register, _ structure: String, _ member: String
        ) {
            append(.load(size, dst, src, 0), .kernelField(structure: structure, member: member))
        }

        /// `data` as plain memory, and the length of the linear part. Destroys r0 to r5.
        mutating func linearPart(data: Register, length: Register, casting: Bool = true) {
            load(.doubleword, .r1, .r6, "sk_buff", "data")
            if casting {
                append(.move64(.r2, 0))
                append(.call, .kernelFunction("bpf_rdonly_cast"))
                append(.move64(data, .r0))
            } else {
                append(.move64(data, .r1))
            }
            load(.word, length, .r6, "sk_buff", "len")
            load(.word, .r1, .r6, "sk_buff", "data_len")
            append(.alu64(.subtract, length, .r1))
        }

        /// Both halves of r0 into its lower one.
        mutating func foldResult() {
            append(.move64(.r1, .r0))
            append(.alu64(.shiftRight, .r1, 32))
            append(.alu64(.xor, .r0, .r1))
        }
    }

    /// 1 for TCP over IPv4 from or to port 80, behind an Ethernet header, else 0.
    func tcpPort80(casting: Bool) -> ExtendedProgram {
        socketBufferProgram {
            let (no, yes) = ($0.makeLabel(), $0.makeLabel())
            $0.linearPart(data: .r7, length: .r8, casting: casting)
            $0.append(.jump64(if: .r8, .less, 34, 0), to: no)
            $0.append(.load(.halfword, .r0, .r7, 12))
            $0.append(.bigEndian(.r0, bits: 16))
            $0.append(.jump64(if: .r0, .notEqual, 0x0800, 0), to: no)
            $0.append(.load(.byte, .r0, .r7, 23))
            $0.append(.jump64(if: .r0, .notEqual, 6, 0), to: no)
            $0.append(.load(.halfword, .r0, .r7, 20))
            $0.append(.bigEndian(.r0, bits: 16))
            $0.append(.jump64(if: .r0, .anyBitSet, 0x1fff, 0), to: no)
            // The header's length is only known now.
            $0.append(.load(.byte, .r1, .r7, 14))
            $0.append(.alu64(.and, .r1, 15))
            $0.append(.alu64(.shiftLeft, .r1, 2))
            $0.append(.alu64(.add, .r7, .r1))
            $0.append(.alu64(.add, .r1, 16))
            $0.append(.jump64(if: .r1, .greater, .r8, 0), to: no)
            $0.append(.load(.halfword, .r0, .r7, 14))
            $0.append(.bigEndian(.r0, bits: 16))
            $0.append(.jump64(if: .r0, .equal, 80, 0), to: yes)
            $0.append(.alu64(.add, .r1, 2))
            $0.append(.jump64(if: .r1, .greater, .r8, 0), to: no)
            $0.append(.load(.halfword, .r0, .r7, 16))
            $0.append(.bigEndian(.r0, bits: 16))
            $0.append(.jump64(if: .r0, .equal, 80, 0), to: yes)
            $0.place(no)
            $0.append(.move64(.r0, 0))
            $0.append(.exit)
            $0.place(yes)
            $0.append(.move64(.r0, 1))
        }
    }

    /// Whether a test run takes the frame: it wants a whole IP header, and one page at most.
    func isTakenByTestRuns(_ frame: [UInt8]) -> Bool {
        let smallest = frame[12...].starts(with: [8, 0]) ? 34 : frame[12...].starts(with: [0x86, 0xdd]) ? 54 : 14
        return (smallest...3712).contains(frame.count)
    }

    /// The packet that a test run on the loopback interface makes of a frame.
    ///
    /// A classifier sees the frame; a socket what is behind its Ethernet header, which is in front of the data.
    func testRunPacket(_ frame: [UInt8], as type: ProgramType, _ context: SKBContext = SKBContext()) -> Packet {
        var metadata = Packet(ethernet: frame).metadata
        metadata.interface = .init(index: 1, hardwareType: 772)
        // The loopback interface has zeros for its address and for the broadcast one.
        metadata.packetType = frame[0] & 1 == 1 ? 2 : frame[..<6].allSatisfy { $0 == 0 } ? 0 : 3
        if type == .schedCls {
            metadata.mark = context.mark
            metadata.priority = context.priority
            metadata.ingressInterface = context.ingressInterface
            return Packet(frame, networkHeaderOffset: 14, linkLayerHeaderOffset: 0, metadata: metadata)
        }
        return Packet(
            Array(frame[14...]), headroom: Array(frame[..<14]), networkHeaderOffset: 0, linkLayerHeaderOffset: -14,
            metadata: metadata)
    }
#endif
