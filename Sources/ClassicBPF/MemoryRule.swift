/// Checks that every M[] cell is written on every path before it is read, as the kernel understands "every path".
///
/// One pass in the order of the program suffices because the kernel's jumps only go forward. The kernel's own check
/// is a little stricter than the paths: a `ret` does not end one, so the instruction behind it is taken to be
/// reachable from it. Its verdict is the rule, so that is done here too.
///
/// - Precondition: The other kernel rules hold.
func validateMemoryIsWritten(_ instructions: [Instruction]) throws(ValidationError) {
    if let first = unwrittenReads(in: instructions, atMost: 1).first { throw first }
}

/// The first `limit` reads of cells that some path has not written, under the same precondition.
func unwrittenReads(in instructions: [Instruction], atMost limit: Int = .max) -> [ValidationError] {
    var findings: [ValidationError] = []
    let everything: UInt16 = 0xffff
    // Per instruction, the cells that every jump to it has seen written; one bit a cell.
    var writtenAtTarget = [UInt16](repeating: everything, count: instructions.count)
    var written: UInt16 = 0
    for (index, instruction) in instructions.enumerated() {
        written &= writtenAtTarget[index]
        switch instruction.operation {
        case .store(let cell), .storeIndex(let cell):
            written |= 1 << cell
        case .load(.memory(let cell)), .loadIndex(.memory(let cell)):
            guard written & (1 << cell) == 0 else { continue }
            findings.append(ValidationError(.unwrittenMemory(index: cell), at: index))
            if findings.count == limit { return findings }
        case .jump(let distance):
            writtenAtTarget[index + 1 + Int(distance)] &= written
            written = everything
        case .branch(_, _, let jt, let jf):
            writtenAtTarget[index + 1 + Int(jt)] &= written
            writtenAtTarget[index + 1 + Int(jf)] &= written
            written = everything
        default:
            break
        }
    }
    return findings
}
