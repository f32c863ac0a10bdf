import ClassicBPF

/// `instructions` with one to three things changed, mostly such that some rule is broken.
///
/// - Complexity: O(*n*).
public func mutated(
    _ instructions: [Instruction], using generator: inout some RandomNumberGenerator
) -> [Instruction] {
    var result = instructions
    for _ in 0..<generator.pick([1, 1, 1, 2, 3]) { mutate(&result, using: &generator) }
    return result
}

private func mutate(_ program: inout [Instruction], using generator: inout some RandomNumberGenerator) {
    guard let index = program.indices.randomElement(using: &generator) else { return }
    switch Int.random(in: 0..<15, using: &generator) {
    case 0: program[index].code ^= 1 << UInt16.random(in: 0..<16, using: &generator)
    case 1: program[index].code = .random(in: 0...0xff, using: &generator)
    case 2: program[index].code = .random(in: 0 ... .max, using: &generator)
    case 3: program[index].k = limit(of: program[index], at: index, count: program.count, using: &generator)
    case 4: program[index].k = generator.interestingNumber()
    case 5: program[index].jt = jumpLimit(at: index, count: program.count, using: &generator)
    case 6: program[index].jf = jumpLimit(at: index, count: program.count, using: &generator)
    case 7: program.remove(at: index)
    case 8: program.insert(program[index], at: program.indices.randomElement(using: &generator)!)
    case 9: program.swapAt(index, program.indices.randomElement(using: &generator)!)
    case 10: program.removeLast(generator.chance(5) ? program.count : 1)
    case 11: program.insert(Instruction(.load(.memory(.random(in: 0...17, using: &generator)))), at: index)
    case 12: program.insert(Instruction(.jump(generator.pick([0, 1, 2, .max, .max - 1]))), at: index)
    case 13: program.insert(Instruction(.result(.constant(1))), at: index)
    default:
        // A load that is an extension, or just is none.
        let offset = Extension.base &+ .random(in: 0...80, using: &generator) &- 4
        program.insert(Instruction(code: generator.pick([0x20, 0x28, 0x30, 0x40, 0xb1]), k: offset), at: index)
    }
}

/// A value of k around what the kind of instruction allows.
private func limit(
    of instruction: Instruction, at index: Int, count: Int, using generator: inout some RandomNumberGenerator
) -> UInt32 {
    switch instruction.operation {
    case .arithmetic: generator.pick([0, 1, 31, 32, 33, 63, 64, .max])
    case .jump:
        generator.pick([
            UInt32(truncatingIfNeeded: count - index - 2), UInt32(truncatingIfNeeded: count - index - 1), 0x8000_0000,
            0x7fff_ffff, .max, 0 &- UInt32(index) &- 1, 0 &- UInt32(index) &- 2,
        ])
    default: generator.pick([15, 16, 17, 0x8000_0000, .max, Extension.base, Extension.base + 1, Extension.base + 64])
    }
}

private func jumpLimit(at index: Int, count: Int, using generator: inout some RandomNumberGenerator) -> UInt8 {
    let past = count - index - 1
    return UInt8(clamping: generator.pick([past - 2, past - 1, past, past + 1, 0, 255]))
}
