import ClassicBPF

/// The form in which `tcpdump -d` shows a classic program, one instruction a line.
///
/// The lines are those of libpcap's `bpf_image`, except for `ldx #pktlen`, which libpcap cannot show.
public enum ClassicListing {
    /// The listing of `program`, a line feed behind each line.
    ///
    /// - Complexity: O(*n*) in the number of instructions.
    public static func text(_ program: Program) -> String {
        lines(program).map { $0 + "\n" }.joined()
    }

    /// The lines of the listing, one an instruction.
    public static func lines(_ program: Program) -> [String] {
        (0..<program.count).map { line(program.operation(at: $0), at: $0, in: program) }
    }

    private static func line(_ operation: Operation, at index: Int, in program: Program) -> String {
        let (mnemonic, operand) = image(operation, at: index, in: program)
        let start = "(\(padded(index))) \(mnemonic.padded(to: 8)) "
        guard case .branch(_, _, let jt, let jf) = operation else { return start + operand }
        return start + operand.padded(to: 16) + " jt \(index + 1 + Int(jt))\tjf \(index + 1 + Int(jf))"
    }

    private static func image(
        _ operation: Operation, at index: Int, in program: Program
    ) -> (mnemonic: String, operand: String) {
        switch operation {
        case .load(let source): image(source, code: program.instructions[index].code)
        case .loadIndex(.headerLength(let k)): ("ldxb", "4*([\(signed(k))]&0xf)")
        case .loadIndex(.immediate(let k)): ("ldx", "#0x\(hex(k))")
        case .loadIndex(.memory(let cell)): ("ldx", "M[\(cell)]")
        case .loadIndex(.length): ("ldx", "#pktlen")
        case .store(let cell): ("st", "M[\(cell)]")
        case .storeIndex(let cell): ("stx", "M[\(cell)]")
        case .arithmetic(let op, let operand): (op.mnemonic, image(operand, inHex: op.isBitwise))
        case .negate: ("neg", "")
        case .jump(let distance): ("ja", "\(program.jumpTarget(from: index, distance: distance))")
        case .branch(let comparison, let operand, _, _): (comparison.mnemonic, image(operand, inHex: true))
        case .result(.constant(let k)): ("ret", "#\(signed(k))")
        case .result(.a): ("ret", "")
        case .transferAToX: ("tax", "")
        case .transferXToA: ("txa", "")
        }
    }

    private static func image(_ source: Operation.Source, code: UInt16) -> (mnemonic: String, operand: String) {
        switch source {
        case .immediate(let k): ("ld", "#0x\(hex(k))")
        case .absolute(let size, let k): (size.mnemonic, "[\(signed(k))]")
        case .indirect(let size, let k): (size.mnemonic, "[x + \(signed(k))]")
        case .memory(let cell): ("ld", "M[\(cell)]")
        case .length: ("ld", "#pktlen")
        case .extension(let ext): (Operation.Size(code: code).mnemonic, "[\(ext.tcpdumpName)]")
        }
    }

    private static func image(_ operand: Operation.Operand, inHex: Bool) -> String {
        switch operand {
        case .index: "x"
        case .constant(let k): inHex ? "#0x\(hex(k))" : "#\(signed(k))"
        }
    }

    private static func padded(_ index: Int) -> String {
        let digits = String(index)
        return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// libpcap prints k as a signed number wherever it is not in hexadecimal.
    private static func signed(_ k: UInt32) -> Int32 { Int32(bitPattern: k) }

    private static func hex(_ k: UInt32) -> String { String(k, radix: 16) }
}

extension Operation.Size {
    fileprivate init(code: UInt16) {
        switch code & 0x18 {
        case 0x08: self = .half
        case 0x10: self = .byte
        default: self = .word
        }
    }

    fileprivate var mnemonic: String {
        switch self {
        case .byte: "ldb"
        case .half: "ldh"
        case .word: "ld"
        }
    }
}

extension Operation.ArithmeticOperator {
    fileprivate var mnemonic: String {
        switch self {
        case .add: "add"
        case .subtract: "sub"
        case .multiply: "mul"
        case .divide: "div"
        case .or: "or"
        case .and: "and"
        case .shiftLeft: "lsh"
        case .shiftRight: "rsh"
        case .modulo: "mod"
        case .xor: "xor"
        }
    }

    fileprivate var isBitwise: Bool { [.or, .and, .xor].contains(self) }
}

extension Operation.Comparison {
    fileprivate var mnemonic: String {
        switch self {
        case .equal: "jeq"
        case .greater: "jgt"
        case .greaterOrEqual: "jge"
        case .anyBitSet: "jset"
        }
    }
}

extension Extension {
    /// libpcap's name, which is bpf_asm's but for two.
    fileprivate var tcpdumpName: String {
        switch self {
        case .vlanAvail: "vlanp"
        case .rand: "random"
        default: name
        }
    }
}
