import ExtendedBPF

/// Makes random programs that the verifier accepts and that read packets in all the ways a compiler may write it:
/// behind checks of the end, at places that the packet gives, by helper functions, through mixed pointers.
///
/// In them r6 is the context or the kernel's socket buffer, r7 and r8 are the two ends of the part that can be read
/// directly, r9 gathers what was read.
public struct RandomReader {
    /// How a program gets at packets.
    public enum Access: Sendable {
        /// By the pointers of `struct xdp_md`.
        case xdp
        /// By the pointers of the kernel's own `struct sk_buff`.
        case socketBuffer
    }

    private let access: Access
    /// How far into the packet reads go.
    private let reach: Int
    private var random: SeededGenerator
    private var assembler = Assembler(functionNamed: "filter")

    /// Where the address of the socket buffer's context is kept.
    private static let contextSlot: Int16 = -24

    /// Makes a maker of one program; the same seed makes the same.
    public init(_ access: Access, reach: Int, seed: UInt64) {
        self.access = access
        self.reach = reach
        random = SeededGenerator(seed: seed)
    }

    /// The program.
    public consuming func program() throws -> Program {
        findPacket()
        append(
            .move64(.r9, 1), .loadWide(.r0, 0x0807_0605_0403_0201), .store(.doubleword, .r10, -8, .r0),
            .store(.doubleword, .r10, -16, .r0))
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: readConstantPlace()
            case 1: readVariablePlace()
            case 2: readThroughMixedPointer()
            case 3: readByHelper(at: place())
            case 4: readVariableStack()
            default: readMetadata()
            }
            append(.alu64(.multiply, .r9, 0x0100_0193), .alu64(.xor, .r9, .r3))
        }
        // Both halves count.
        append(.move64(.r0, .r9), .alu64(.shiftRight, .r9, 32), .alu64(.xor, .r0, .r9), .exit)
        return Program(functions: [try assembler.finish()])
    }

    private mutating func append(_ instructions: Instruction...) {
        for instruction in instructions { assembler.append(instruction) }
    }

    private mutating func load(_ size: Size, _ dst: Register, member: String) {
        assembler.append(.load(size, dst, .r6, 0), .kernelField(structure: "sk_buff", member: member))
    }

    private mutating func place() -> Int { Int.random(in: 0..<reach, using: &random) }

    private mutating func size() -> Size { random.pick(Size.allCases) }

    private mutating func findPacket() {
        switch access {
        case .xdp: append(.move64(.r6, .r1), .load(.word, .r7, .r6, 0), .load(.word, .r8, .r6, 4))
        case .socketBuffer:
            append(.store(.doubleword, .r10, Self.contextSlot, .r1))
            assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_cast_to_kern_ctx"))
            append(.move64(.r6, .r0))
            load(.doubleword, .r1, member: "data")
            append(.move64(.r2, 0))
            assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_rdonly_cast"))
            append(.move64(.r7, .r0), .move64(.r8, .r0))
            load(.word, .r1, member: "len")
            load(.word, .r2, member: "data_len")
            append(.alu64(.subtract, .r1, .r2), .alu64(.add, .r8, .r1))
        }
    }

    /// Jumps to `label` if r4, a pointer behind what is to be read, is past the end.
    private mutating func jumpIfPastEnd(to label: Assembler.Label) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: assembler.append(.jump64(if: .r4, .greater, .r8, 0), to: label)
        case 1: assembler.append(.jump64(if: .r8, .less, .r4, 0), to: label)
        case let number:
            let fits = assembler.makeLabel()
            let jump: Instruction =
                number == 2 ? .jump64(if: .r4, .lessOrEqual, .r8, 0) : .jump64(if: .r8, .greaterOrEqual, .r4, 0)
            assembler.append(jump, to: fits)
            assembler.append(.jump(0), to: label)
            assembler.place(fits)
        }
    }

    /// r3 = the bytes at a constant offset, or else by the helper function or a number.
    private mutating func readConstantPlace() {
        let (place, size) = (place(), size())
        let (slow, end) = (assembler.makeLabel(), assembler.makeLabel())
        append(.move64(.r4, .r7), .alu64(.add, .r4, Int32(place + size.bytes)))
        jumpIfPastEnd(to: slow)
        append(.load(size, .r3, .r7, Int16(place)))
        assembler.append(.jump(0), to: end)
        assembler.place(slow)
        if random.chance(50) { append(.move64(.r3, -7)) } else { readByHelper(at: place) }
        assembler.place(end)
    }

    /// r3 = the bytes at an offset that the packet itself gives.
    private mutating func readVariablePlace() {
        let (place, size) = (place(), size())
        let past = assembler.makeLabel()
        append(.move64(.r2, .r9), .alu64(.and, .r2, random.pick([0x3c, 0xff, 0x7ff])))
        if access == .xdp, random.chance(50) {
            append(.alu64(.add, .r2, .r7))
        } else {
            // A number to which a pointer to untrusted memory is added stays a number for the verifier of 6.18.
            append(.move64(.r3, .r7), .alu64(.add, .r3, .r2), .move64(.r2, .r3))
        }
        append(.move64(.r4, .r2), .alu64(.add, .r4, Int32(place + size.bytes)), .move64(.r3, 9))
        jumpIfPastEnd(to: past)
        append(.load(size, .r3, .r2, Int16(place)))
        assembler.place(past)
    }

    /// r3 = the bytes from the packet or a copy of them, by the same instruction.
    private mutating func readThroughMixedPointer() {
        let (place, size) = (place(), size())
        let (slow, end) = (assembler.makeLabel(), assembler.makeLabel())
        append(
            .move64(.r5, .r7), .alu64(.add, .r5, Int32(place)), .move64(.r4, .r5), .alu64(.add, .r4, Int32(size.bytes)))
        jumpIfPastEnd(to: slow)
        assembler.append(.jump(0), to: end)
        assembler.place(slow)
        readByHelper(at: place)
        append(.move64(.r5, .r10), .alu64(.add, .r5, -16))
        assembler.place(end)
        append(.load(size, .r3, .r5, 0))
    }

    /// Loads bytes to the stack, and r3 = what the helper function says plus what is there then.
    private mutating func readByHelper(at place: Int) {
        append(access == .xdp ? .move64(.r1, .r6) : .load(.doubleword, .r1, .r10, Self.contextSlot))
        append(
            .move32(.r2, UInt32(place)), .move64(.r3, .r10), .alu64(.add, .r3, -16),
            .move64(.r4, random.pick([1, 2, 4, 8, 13])), .call(helper: access == .xdp ? 189 : 26),
            .load(.doubleword, .r3, .r10, -16), .alu64(.add, .r3, .r0))
    }

    /// r3 = the byte of the stack at a place that the packet gives.
    private mutating func readVariableStack() {
        append(.move64(.r2, .r9), .alu64(.and, .r2, 15), .alu64(.add, .r2, .r10), .load(.byte, .r3, .r2, -16))
    }

    /// r3 = something that is known of the packet besides its bytes.
    private mutating func readMetadata() {
        switch access {
        case .xdp where random.chance(30): append(.move64(.r1, .r6), .call(helper: 188), .move64(.r3, .r0))
        case .xdp: append(.load(.word, .r3, .r6, random.pick([12, 16])))
        case .socketBuffer: load(.word, .r3, member: random.pick(["len", "data_len", "mark", "hash", "vlan_all"]))
        }
    }
}
