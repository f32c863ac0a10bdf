import ClassicBPF

/// Writes the language of the kernel's bpf_asm, such that bpf_asm and bpfc read it too.
///
/// An instruction that something jumps to has the label L with its index behind it.
struct BPFAsmWriter {
    private var text: [UInt8] = []
    private let count: Int

    static func write(_ instructions: [Instruction]) throws(WritingError) -> [UInt8] {
        let isTarget = try targets(of: instructions)
        var writer = BPFAsmWriter(count: instructions.count)
        writer.text.reserveCapacity(24 * instructions.count)
        for (index, instruction) in instructions.enumerated() {
            guard let operation = instruction.operation else {
                throw WritingError(.noMnemonic(code: instruction.code), at: index)
            }
            if isTarget[index] {
                writer.writeLabel(index)
                writer.text.append(ascii: ":")
            }
            writer.text.append(ascii: "\t")
            writer.write(operation, instruction.code, at: index)
            writer.text.append(ascii: "\n")
        }
        return writer.text
    }

    private init(count: Int) { self.count = count }

    /// By instruction, whether something jumps to it by name.
    private static func targets(of instructions: [Instruction]) throws(WritingError) -> [Bool] {
        var isTarget = [Bool](repeating: false, count: instructions.count)
        for (index, instruction) in instructions.enumerated() {
            switch instruction.operation {
            case .jump(let distance):
                let target = jumpTarget(from: index, distance: distance, count: instructions.count)
                guard isTarget.indices.contains(target) else {
                    throw WritingError(.jumpOutOfRange(target: Int64(target), count: instructions.count), at: index)
                }
                isTarget[target] = true
            case .branch(let comparison, _, let jt, let jf):
                let (taken, other) = (index + 1 + Int(jt), index + 1 + Int(jf))
                guard max(taken, other) < instructions.count else {
                    throw WritingError(
                        .jumpOutOfRange(target: Int64(max(taken, other)), count: instructions.count), at: index)
                }
                if !isInverted(comparison, jt, jf) { isTarget[taken] = true }
                if jf != 0 { isTarget[other] = true }
            default: break
            }
        }
        return isTarget
    }

    /// Whether a branch is shown as its opposite, whose one label is where it does not hold.
    private static func isInverted(_ comparison: Operation.Comparison, _ jt: UInt8, _ jf: UInt8) -> Bool {
        jt == 0 && jf != 0 && comparison != .anyBitSet
    }

    private mutating func write(_ operation: Operation, _ code: UInt16, at index: Int) {
        switch operation {
        case .load(let source): write(source, code)
        case .loadIndex(let source): write(source)
        case .store(let cell): write("st ", memory: cell)
        case .storeIndex(let cell): write("stx ", memory: cell)
        case .arithmetic(let op, let operand):
            text.append(op.mnemonic)
            text.append(ascii: " ")
            write(operand, inHex: op.isBitwise)
        case .negate: text.append("neg")
        case .jump(let distance):
            text.append("ja ")
            writeLabel(jumpTarget(from: index, distance: distance, count: count))
        case .branch(let comparison, let operand, let jt, let jf):
            let isInverted = Self.isInverted(comparison, jt, jf)
            text.append(isInverted ? comparison.oppositeMnemonic : comparison.mnemonic)
            text.append(ascii: " ")
            write(operand, inHex: true)
            for distance in isInverted ? [jf] : jf == 0 ? [jt] : [jt, jf] {
                text.append(", ")
                writeLabel(index + 1 + Int(distance))
            }
        case .result(.constant(let k)):
            text.append("ret ")
            write(.constant(k), inHex: false)
        case .result(.a): text.append("ret a")
        case .transferAToX: text.append("tax")
        case .transferXToA: text.append("txa")
        }
    }

    private mutating func write(_ source: Operation.Source, _ code: UInt16) {
        switch source {
        case .immediate(let k):
            text.append("ld ")
            write(.constant(k), inHex: false)
        case .absolute(let size, let k):
            text.append(size.loadMnemonic)
            text.append(" [")
            write(k)
            text.append(ascii: "]")
        case .indirect(let size, let k):
            text.append(size.loadMnemonic)
            text.append(" [x + ")
            write(k)
            text.append(ascii: "]")
        case .memory(let cell): write("ld ", memory: cell)
        case .length: text.append("ld len")
        case .extension(let ext):
            let size = Operation.Size(ofLoad: code)
            guard let name = ext.bpfAsmName else { return write(.absolute(size, ext.offset), code) }
            text.append(size.loadMnemonic)
            text.append(ascii: " ")
            text.append(name)
        }
    }

    private mutating func write(_ source: Operation.IndexSource) {
        switch source {
        case .immediate(let k):
            text.append("ldx ")
            write(.constant(k), inHex: false)
        case .memory(let cell): write("ldx ", memory: cell)
        case .length: text.append("ldx len")
        case .headerLength(let k):
            text.append("ldxb 4*([")
            write(k)
            text.append("]&0xf)")
        }
    }

    private mutating func write(_ mnemonic: StaticString, memory cell: UInt32) {
        text.append(mnemonic)
        text.append("M[")
        write(cell)
        text.append(ascii: "]")
    }

    private mutating func write(_ operand: Operation.Operand, inHex: Bool) {
        switch operand {
        case .index: text.append(ascii: "x")
        case .constant(let k):
            text.append(ascii: "#")
            if inHex { text.append(hex: k) } else { write(k) }
        }
    }

    /// A number in decimal, or in hexadecimal where it may be meant as a negative one.
    private mutating func write(_ k: UInt32) {
        if k > Int32.max { text.append(hex: k) } else { text.append(decimal: k) }
    }

    private mutating func writeLabel(_ index: Int) {
        text.append(ascii: "L")
        text.append(decimal: UInt32(truncatingIfNeeded: index))
    }
}

extension Operation.Comparison {
    /// The mnemonic of bpf_asm for what holds where this does not.
    fileprivate var oppositeMnemonic: StaticString {
        switch self {
        case .equal: "jneq"
        case .greater: "jle"
        case .greaterOrEqual: "jlt"
        case .anyBitSet: preconditionFailure("bpf_asm has no opposite of jset")
        }
    }
}
