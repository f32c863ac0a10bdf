import ClassicBPF

/// The form in which `tcpdump -d` shows a classic program, one instruction a line.
///
/// The lines are those of libpcap's `bpf_image`, except for `ldx #pktlen`, which libpcap cannot show.
public enum ClassicListing {
    /// The listing of `program`, a line feed behind each line.
    ///
    /// - Complexity: O(*n*) in the number of instructions.
    public static func text(_ program: Program) -> String {
        String(decoding: bytes(of: program), as: UTF8.self)
    }

    /// The lines of the listing, one an instruction.
    public static func lines(_ program: Program) -> [String] {
        bytes(of: program).split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func bytes(of program: Program) -> [UInt8] {
        do {
            return try write(program.instructions)
        } catch {
            preconditionFailure("a validated program has an unknown code")
        }
    }

    /// The bytes of the listing.
    static func write(_ instructions: [Instruction]) throws(WritingError) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(48 * instructions.count)
        for (index, instruction) in instructions.enumerated() {
            guard let operation = instruction.operation else {
                throw WritingError(.noMnemonic(code: instruction.code), at: index)
            }
            text.append(ascii: "(")
            text.append(decimal: UInt32(truncatingIfNeeded: index), width: 3)
            text.append(") ")
            text.append(operation, instruction.code, at: index, of: instructions.count)
            text.append(ascii: "\n")
        }
        return text
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ operation: Operation, _ code: UInt16, at index: Int, of count: Int) {
        switch operation {
        case .load(let source): append(source, code)
        case .loadIndex(.headerLength(let k)):
            append(mnemonic: "ldxb")
            append("4*([")
            append(signed: k)
            append("]&0xf)")
        case .loadIndex(.immediate(let k)): append(mnemonic: "ldx", constant: k)
        case .loadIndex(.memory(let cell)): append(mnemonic: "ldx", memory: cell)
        case .loadIndex(.length):
            append(mnemonic: "ldx")
            append("#pktlen")
        case .store(let cell): append(mnemonic: "st", memory: cell)
        case .storeIndex(let cell): append(mnemonic: "stx", memory: cell)
        case .arithmetic(let op, let operand):
            append(mnemonic: op.mnemonic)
            append(operand, inHex: op.isBitwise)
        case .negate: append(mnemonic: "neg")
        case .jump(let distance):
            append(mnemonic: "ja")
            append(signed: UInt32(truncatingIfNeeded: jumpTarget(from: index, distance: distance, count: count)))
        case .branch(let comparison, let operand, let jt, let jf):
            append(mnemonic: comparison.mnemonic)
            let start = self.count
            append(operand, inHex: true)
            pad(from: start, to: 16)
            append(" jt ")
            append(decimal: UInt32(truncatingIfNeeded: index + 1 + Int(jt)))
            append("\tjf ")
            append(decimal: UInt32(truncatingIfNeeded: index + 1 + Int(jf)))
        case .result(.constant(let k)):
            append(mnemonic: "ret")
            append(.constant(k), inHex: false)
        case .result(.a): append(mnemonic: "ret")
        case .transferAToX: append(mnemonic: "tax")
        case .transferXToA: append(mnemonic: "txa")
        }
    }

    private mutating func append(_ source: Operation.Source, _ code: UInt16) {
        switch source {
        case .immediate(let k): append(mnemonic: "ld", constant: k)
        case .absolute(let size, let k):
            append(mnemonic: size.loadMnemonic)
            append(ascii: "[")
            append(signed: k)
            append(ascii: "]")
        case .indirect(let size, let k):
            append(mnemonic: size.loadMnemonic)
            append("[x + ")
            append(signed: k)
            append(ascii: "]")
        case .memory(let cell): append(mnemonic: "ld", memory: cell)
        case .length:
            append(mnemonic: "ld")
            append("#pktlen")
        case .extension(let ext):
            append(mnemonic: Operation.Size(ofLoad: code).loadMnemonic)
            append(ascii: "[")
            append(ext.tcpdumpName)
            append(ascii: "]")
        }
    }

    private mutating func append(mnemonic: StaticString) {
        let start = count
        append(mnemonic)
        pad(from: start, to: 8)
        append(ascii: " ")
    }

    private mutating func append(mnemonic: StaticString, constant: UInt32) {
        append(mnemonic: mnemonic)
        append(.constant(constant), inHex: true)
    }

    private mutating func append(mnemonic: StaticString, memory cell: UInt32) {
        append(mnemonic: mnemonic)
        append("M[")
        append(signed: cell)
        append(ascii: "]")
    }

    /// libpcap prints k as a signed number wherever it is not in hexadecimal.
    private mutating func append(_ operand: Operation.Operand, inHex: Bool) {
        switch operand {
        case .index: append(ascii: "x")
        case .constant(let k):
            append(ascii: "#")
            if inHex { append(hex: k) } else { append(signed: k) }
        }
    }
}

/// Where a `ja` at `index` goes: forward, or by libpcap's rules backward where that would leave the program.
func jumpTarget(from index: Int, distance: UInt32, count: Int) -> Int {
    let forward = index + 1 + Int(distance)
    return forward < count ? forward : index + 1 + Int(Int32(bitPattern: distance))
}
