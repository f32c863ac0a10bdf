import ExtendedBPF

// Memory: what addresses mean, loads and stores. Source: RFC 9669 §5.

extension ExtendedState {
    /// `BPF_LDX | BPF_MEM | BPF_W`, the one load that can read a pointer from the context.
    private static let loadWord = Instruction.load(.word, .r0, .r0, 0).opcode

    mutating func load(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        let size = instruction.opcode.size
        let address: UInt64
        if let reference {
            guard let member = try self.address(of: reference, from: instruction.srcReg) else {
                return try write(instruction.dstReg, 0)
            }
            address = member
        } else {
            address = try read(instruction.srcReg) &+ UInt64(bitPattern: Int64(instruction.offset))
        }
        let bytes: [UInt8]
        if address & AddressSpace.untrusted != 0 {
            bytes = untrustedBytes(at: address, count: size.bytes)
        } else {
            let location = try locate(address, count: size.bytes)
            if case .context = location.memory, instruction.opcode == Self.loadWord,
                let pointer = packetPointer(at: location.offset)
            {
                return try write(instruction.dstReg, pointer)
            }
            if case .context = location.memory, size == .doubleword, context.hasSocketBuffer(at: location.offset) {
                return try write(instruction.dstReg, context.socketBuffer)
            }
            bytes = try self.bytes(at: location)
        }
        let value = number(from: bytes)
        try write(instruction.dstReg, instruction.opcode.mode == .memSigned ? signExtended(value, size) : value)
    }

    /// The pointer that a load of a word from `offset` of the context gives, or nil if the field there is none.
    private func packetPointer(at offset: Int) -> UInt64? {
        switch context.pointer(at: offset) {
        case .start: AddressSpace.packet
        case .end: AddressSpace.packet + UInt64(packet.linearLength)
        case nil: nil
        }
    }

    mutating func store(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        if let reference { throw .unresolvedReference(reference) }
        if instruction.opcode.mode == .atomic { throw .unsupportedInstruction(instruction.opcode) }
        let size = instruction.opcode.size
        let value =
            instruction.opcode.instructionClass == .st
            ? UInt64(bitPattern: Int64(instruction.imm)) : try read(instruction.srcReg)
        let address = try read(instruction.dstReg) &+ UInt64(bitPattern: Int64(instruction.offset))
        if address & AddressSpace.untrusted != 0 { throw .readOnlyMemory(.untrusted) }
        let location = try locate(address, count: size.bytes)
        try set(location, to: memoryBytes(of: value, count: size.bytes, byteOrder))
    }

    /// The value of a wide instruction.
    mutating func loadConstant(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        if case .data(let name, let offset)? = reference, let address = address(ofTable: name, plus: offset) {
            return try write(instruction.dstReg, address)
        }
        if let address = try functionAddress(instruction, reference) {
            return try write(instruction.dstReg, address)
        }
        if let reference { throw .unresolvedReference(reference) }
        guard instruction.srcReg.rawValue == WideKind.constant.rawValue else {
            throw .unresolvedConstant(kind: instruction.srcReg.rawValue)
        }
        let (low, high) = (UInt32(bitPattern: instruction.imm), UInt32(bitPattern: instruction.nextImm))
        try write(instruction.dstReg, UInt64(high) << 32 | UInt64(low))
    }

    /// The `count` bytes at `address`.
    func locate(_ address: UInt64, count: Int) throws(Trap.Reason) -> Location {
        guard let (memory, base, limit) = memory(near: address) else { throw .noMemory(address: address, count: count) }
        let offset = Int(Int64(bitPattern: address &- base))
        if offset >= 0, count <= limit, offset <= limit - count {
            return Location(memory: memory, offset: offset, count: count)
        }
        throw .outOfBounds(memory.region, offset: offset, count: count, limit: limit)
    }

    /// The memory that `address` is in or a little outside of, where it begins, and how many bytes it has.
    private func memory(near address: UInt64) -> (Location.Memory, base: UInt64, limit: Int)? {
        let isNear = { (base: UInt64) in
            let near: Int64 = 0x4000_0000
            return (-near...near).contains(Int64(bitPattern: address &- base))
        }
        if isNear(AddressSpace.context) { return (.context, AddressSpace.context, context.size) }
        if isNear(AddressSpace.packet) { return (.packet, AddressSpace.packet, packet.linearLength) }
        for frame in frames.indices where isNear(AddressSpace.stack(of: frame)) {
            return (.stack(frame), AddressSpace.stack(of: frame), ExtendedMachine.stackSize)
        }
        if let tables, isNear(AddressSpace.tables) { return (.tables, AddressSpace.tables, tables.bytes.count) }
        guard kernelMemory != nil else { return nil }
        for structure in KernelStructure.allCases where isNear(AddressSpace.structure(structure)) {
            return (.structure(structure), AddressSpace.structure(structure), structure.size)
        }
        return nil
    }

    func bytes(at location: Location) throws(Trap.Reason) -> [UInt8] {
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
        case .structure(let structure): return try kernelMemory!.bytes(of: structure, at: location)
        case .tables: return Array(tables!.bytes[location.range])
        }
    }

    /// Writes `bytes`, as many as `location` spans.
    mutating func set(_ location: Location, to bytes: [UInt8]) throws(Trap.Reason) {
        switch location.memory {
        case .context: try context.set(location, to: bytes)
        case .packet, .structure, .tables: throw .readOnlyMemory(location.memory.region)
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
}

/// The `count` lowest bytes of `value` as they lie in memory.
func memoryBytes(of value: UInt64, count: Int, _ order: ByteOrder) -> [UInt8] {
    let littleEndian = (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    return order == .big ? littleEndian.reversed() : littleEndian
}
