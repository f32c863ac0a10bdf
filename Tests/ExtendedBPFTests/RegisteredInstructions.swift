import ExtendedBPF

/// A row of the IANA registry "BPF Instruction Set" that RFC 9669 sets up, written here as numbers: an opcode with the
/// values its fields may have. No list means any value.
struct RegistryRow {
    var opcode: UInt8
    var dst: [UInt8]?
    var src: [UInt8]?
    var offset: [Int16]?
    var imm: [Int32]?

    func allows(_ instruction: Instruction) -> Bool {
        [.dstReg, .srcReg, .offset, .imm].allSatisfy { allows($0, of: instruction) }
    }

    func allows(_ field: EncodingError.Field, of instruction: Instruction) -> Bool {
        switch field {
        case .dstReg: dst?.contains(instruction.dstReg.rawValue) ?? true
        case .srcReg: src?.contains(instruction.srcReg.rawValue) ?? true
        case .offset: offset?.contains(instruction.offset) ?? true
        case .imm: imm?.contains(instruction.imm) ?? true
        case .nextImm: opcode == 0x18 || instruction.nextImm == 0
        case .reserved: true
        }
    }
}

/// The registry. Not there but taken by the kernel, and so by us: an offset in calls of kernel functions.
let registry: [RegistryRow] = {
    var rows: [RegistryRow] = []
    // Arithmetic: ADD SUB MUL OR AND LSH RSH XOR ARSH, then DIV and MOD with their signed forms.
    for op: UInt8 in [0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xc0] {
        for width: UInt8 in [0x04, 0x07] {
            rows.append(RegistryRow(opcode: op | width, src: [0], offset: [0]))
            rows.append(RegistryRow(opcode: op | 0x08 | width, offset: [0], imm: [0]))
        }
    }
    for op: UInt8 in [0x30, 0x90] {
        for width: UInt8 in [0x04, 0x07] {
            rows.append(RegistryRow(opcode: op | width, src: [0], offset: [0, 1]))
            rows.append(RegistryRow(opcode: op | 0x08 | width, offset: [0, 1], imm: [0]))
        }
    }
    rows += [
        // MOV, sign-extending by offset.
        RegistryRow(opcode: 0xb4, src: [0], offset: [0]), RegistryRow(opcode: 0xb7, src: [0], offset: [0]),
        RegistryRow(opcode: 0xbc, offset: [0, 8, 16], imm: [0]),
        RegistryRow(opcode: 0xbf, offset: [0, 8, 16, 32], imm: [0]),
        // NEG.
        RegistryRow(opcode: 0x84, src: [0], offset: [0], imm: [0]),
        RegistryRow(opcode: 0x87, src: [0], offset: [0], imm: [0]),
        // le, be, bswap.
        RegistryRow(opcode: 0xd4, src: [0], offset: [0], imm: [16, 32, 64]),
        RegistryRow(opcode: 0xdc, src: [0], offset: [0], imm: [16, 32, 64]),
        RegistryRow(opcode: 0xd7, src: [0], offset: [0], imm: [16, 32, 64]),
        // JA, gotol, call by number, distance and BTF id, exit.
        RegistryRow(opcode: 0x05, dst: [0], src: [0], imm: [0]),
        RegistryRow(opcode: 0x06, dst: [0], src: [0], offset: [0]),
        RegistryRow(opcode: 0x85, dst: [0], src: [0, 1], offset: [0]), RegistryRow(opcode: 0x85, dst: [0], src: [2]),
        RegistryRow(opcode: 0x95, dst: [0], src: [0], offset: [0], imm: [0]),
        // Linux's may_goto, which is not registered.
        RegistryRow(opcode: 0xe5, dst: [0], src: [0], imm: [0]),
        // The wide instruction; its second slot is looked at elsewhere.
        RegistryRow(opcode: 0x18, src: [0, 1, 2, 3, 4, 5, 6], offset: [0]),
    ]
    // Conditional jumps, 64 and 32 bits.
    for op: UInt8 in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0] {
        for width: UInt8 in [0x05, 0x06] {
            rows.append(RegistryRow(opcode: op | width, src: [0]))
            rows.append(RegistryRow(opcode: op | 0x08 | width, imm: [0]))
        }
    }
    // The classic packet loads.
    for opcode: UInt8 in [0x20, 0x28, 0x30] {
        rows.append(RegistryRow(opcode: opcode, dst: [0], src: [0], offset: [0]))
    }
    for opcode: UInt8 in [0x40, 0x48, 0x50] { rows.append(RegistryRow(opcode: opcode, dst: [0], offset: [0])) }
    // LDX, ST, STX of 4, 2, 1, 8 bytes, sign-extending LDX of 4, 2, 1.
    for opcode: UInt8 in [0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91] {
        rows.append(RegistryRow(opcode: opcode, imm: [0]))
    }
    for opcode: UInt8 in [0x62, 0x6a, 0x72, 0x7a] { rows.append(RegistryRow(opcode: opcode, src: [0])) }
    for opcode: UInt8 in [0x63, 0x6b, 0x73, 0x7b] { rows.append(RegistryRow(opcode: opcode, imm: [0])) }
    // Atomic operations on 4 and 8 bytes.
    let atomics: [Int32] = [0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1]
    for opcode: UInt8 in [0xc3, 0xdb] { rows.append(RegistryRow(opcode: opcode, imm: atomics)) }
    return rows
}()
