import ClassicBPF

/// The words that classic instructions begin with: tcpdump's, and some more that only bpf_asm has.
enum Mnemonic {
    /// `ld`, `ldh`, `ldb`.
    case load(Operation.Size)
    /// `ldi`.
    case loadImmediate
    /// `ldx`.
    case loadIndex
    /// `ldxi`.
    case loadIndexImmediate
    /// `ldxb`.
    case loadIndexByte
    case store
    case storeIndex
    /// `ja`, `jmp`.
    case jump
    /// `jeq` …, and where the opposite is asked `jne`, `jneq`, `jlt`, `jle`.
    case branch(Operation.Comparison, isInverted: Bool)
    case arithmetic(Operation.ArithmeticOperator)
    case negate
    case result
    case transferAToX
    case transferXToA

    /// The mnemonic that `word` is, in letters of either case.
    init?(_ word: ArraySlice<UInt8>, inTcpdump: Bool = false) {
        guard let key = Self.key(word), let mnemonic = inTcpdump ? Self.ofTcpdump[key] : Self.all[key] else {
            return nil
        }
        self = mnemonic
    }

    private static let ofTcpdump = table([
        "ld": .load(.word), "ldh": .load(.half), "ldb": .load(.byte), "ldx": .loadIndex, "ldxb": .loadIndexByte,
        "st": .store, "stx": .storeIndex, "ja": .jump, "neg": .negate, "ret": .result, "tax": .transferAToX,
        "txa": .transferXToA, "jeq": .branch(.equal, isInverted: false), "jgt": .branch(.greater, isInverted: false),
        "jge": .branch(.greaterOrEqual, isInverted: false), "jset": .branch(.anyBitSet, isInverted: false),
        "add": .arithmetic(.add), "sub": .arithmetic(.subtract), "mul": .arithmetic(.multiply),
        "div": .arithmetic(.divide), "mod": .arithmetic(.modulo), "and": .arithmetic(.and), "or": .arithmetic(.or),
        "xor": .arithmetic(.xor), "lsh": .arithmetic(.shiftLeft), "rsh": .arithmetic(.shiftRight),
    ])

    private static let all = ofTcpdump.merging(
        table([
            "ldi": .loadImmediate, "ldxi": .loadIndexImmediate, "jmp": .jump,
            "jne": .branch(.equal, isInverted: true), "jneq": .branch(.equal, isInverted: true),
            "jlt": .branch(.greaterOrEqual, isInverted: true), "jle": .branch(.greater, isInverted: true),
        ])
    ) { $1 }

    private static func table(_ names: KeyValuePairs<String, Mnemonic>) -> [UInt32: Mnemonic] {
        Dictionary(uniqueKeysWithValues: names.map { (key(Array($0.utf8)[...])!, $1) })
    }

    /// A number for a word of up to four letters: looking that up is quicker than looking up the word.
    private static func key(_ word: ArraySlice<UInt8>) -> UInt32? {
        guard word.count <= 4 else { return nil }
        return word.reduce(0) { $0 << 8 | UInt32($1 | 0x20) }
    }
}

extension Operation.Size {
    var loadMnemonic: StaticString {
        switch self {
        case .byte: "ldb"
        case .half: "ldh"
        case .word: "ld"
        }
    }

    /// The size in the code of an extension's load, which may be any.
    init(ofLoad code: UInt16) {
        switch code & 0x18 {
        case 0x08: self = .half
        case 0x10: self = .byte
        default: self = .word
        }
    }
}

extension Operation.ArithmeticOperator {
    var mnemonic: StaticString {
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

    var isBitwise: Bool {
        switch self {
        case .or, .and, .xor: true
        default: false
        }
    }
}

extension Operation.Comparison {
    var mnemonic: StaticString {
        switch self {
        case .equal: "jeq"
        case .greater: "jgt"
        case .greaterOrEqual: "jge"
        case .anyBitSet: "jset"
        }
    }
}
