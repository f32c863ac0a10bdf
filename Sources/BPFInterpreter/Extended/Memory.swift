import ExtendedBPF

// Memory: what addresses mean, loads and stores. Source: RFC 9669 §5.

/// Where each kind of memory lies. The bases are far apart, so that no offset leads from one into another.
enum AddressSpace {
    static let context: UInt64 = 0x1000_0000_0000
    static let packet: UInt64 = 0x2000_0000_0000
    private static let stacks: UInt64 = 0x3000_0000_0000
    private static let stackDistance: UInt64 = 0x1_0000_0000

    /// Where the stack of the frame with that number begins, its lowest address.
    static func stack(of frame: Int) -> UInt64 { stacks + UInt64(frame) * stackDistance }
}

/// Bytes in one of the memories.
struct Location {
    enum Memory {
        case context
        case packet
        /// The stack of the frame with that number.
        case stack(Int)

        var region: Trap.Region {
            switch self {
            case .context: .context
            case .packet: .packet
            case .stack: .stack
            }
        }
    }

    var memory: Memory
    /// The distance of the first byte from the memory's begin.
    var offset: Int
    var count: Int

    var range: Range<Int> { offset..<offset + count }
}

extension ExtendedState {
    /// `BPF_LDX | BPF_MEM | BPF_W`, the one load that can read a pointer from the context.
    private static let loadWord = Instruction.load(.word, .r0, .r0, 0).opcode

    mutating func load(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        if let reference { throw .unresolvedReference(reference) }
        let size = instruction.opcode.size
        let location = try locate(
            try read(instruction.srcReg) &+ UInt64(bitPattern: Int64(instruction.offset)), count: size.bytes)
        if case .context = location.memory, instruction.opcode == Self.loadWord,
            let pointer = packetPointer(at: location.offset)
        {
            return try write(instruction.dstReg, pointer)
        }
        let value = number(from: try bytes(at: location))
        try write(instruction.dstReg, instruction.opcode.mode == .memSigned ? signExtended(value, size) : value)
    }

    mutating func store(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        if let reference { throw .unresolvedReference(reference) }
        if instruction.opcode.mode == .atomic { throw .unsupportedInstruction(instruction.opcode) }
        let size = instruction.opcode.size
        let value =
            instruction.opcode.instructionClass == .st
            ? UInt64(bitPattern: Int64(instruction.imm)) : try read(instruction.srcReg)
        let location = try locate(
            try read(instruction.dstReg) &+ UInt64(bitPattern: Int64(instruction.offset)), count: size.bytes)
        try set(location, to: memoryBytes(of: value, count: size.bytes))
    }

    /// The value of a wide instruction.
    mutating func loadConstant(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        if let reference { throw .unresolvedReference(reference) }
        guard instruction.srcReg.rawValue == WideKind.constant.rawValue else {
            throw .unresolvedConstant(kind: instruction.srcReg.rawValue)
        }
        let (low, high) = (UInt32(bitPattern: instruction.imm), UInt32(bitPattern: instruction.nextImm))
        try write(instruction.dstReg, UInt64(high) << 32 | UInt64(low))
    }

    /// The `count` bytes at `address`.
    func locate(_ address: UInt64, count: Int) throws(Trap.Reason) -> Location {
        var memories: [(memory: Location.Memory, base: UInt64, limit: Int)] = [
            (.context, AddressSpace.context, SocketBuffer.size),
            (.packet, AddressSpace.packet, packet.linearLength),
        ]
        for frame in frames.indices {
            memories.append((.stack(frame), AddressSpace.stack(of: frame), ExtendedMachine.stackSize))
        }
        // An address a little outside is taken for a mistake with the memory it is near to.
        let near = 0x4000_0000
        for (memory, base, limit) in memories {
            let offset = Int(Int64(bitPattern: address &- base))
            guard (-near...near).contains(offset) else { continue }
            if offset >= 0, count <= limit, offset <= limit - count {
                return Location(memory: memory, offset: offset, count: count)
            }
            throw .outOfBounds(memory.region, offset: offset, count: count, limit: limit)
        }
        throw .noMemory(address: address, count: count)
    }

    private func bytes(at location: Location) throws(Trap.Reason) -> [UInt8] {
        switch location.memory {
        case .context: return try context.bytes(at: location)
        case .packet: return Array(packet.bytes[location.range])
        case .stack(let number):
            var bytes: [UInt8] = []
            for offset in location.range {
                guard let byte = frames[number].stack[offset] else {
                    throw .uninitializedStack(offset: offset - ExtendedMachine.stackSize)
                }
                bytes.append(byte)
            }
            return bytes
        }
    }

    /// Writes `bytes`, as many as `location` spans.
    mutating func set(_ location: Location, to bytes: [UInt8]) throws(Trap.Reason) {
        switch location.memory {
        case .context: try context.set(location, to: bytes)
        case .packet: throw .readOnlyMemory(.packet)
        case .stack(let number): frames[number].stack.replaceSubrange(location.range, with: bytes)
        }
    }

    private func number(from bytes: [UInt8]) -> UInt64 {
        (byteOrder == .big ? bytes : bytes.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func signExtended(_ value: UInt64, _ size: Size) -> UInt64 {
        let unused = UInt64(64 - 8 * size.bytes)
        return UInt64(bitPattern: Int64(bitPattern: value << unused) >> Int64(unused))
    }

    private func memoryBytes(of value: UInt64, count: Int) -> [UInt8] {
        let littleEndian = (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        return byteOrder == .big ? littleEndian.reversed() : littleEndian
    }
}
