import ClassicBPF

extension FilterMeaning {
    /// A comparison of two numbers.
    struct Test {
        var comparison: Operation.Comparison
        var left: Term
        var right: Term
        var link: String

        /// The equality it is, if it is one.
        var equality: Equality? {
            guard comparison == .equal, let constant = right.constant else { return nil }
            return Equality(left: left.text, right: constant)
        }

        var readsPacket: Bool { left.text.contains("[") || right.text.contains("[") }

        var text: String {
            if let name = networkProtocol { return name }
            return image(["=", ">", ">=", "!="])
        }

        var inverse: String {
            if let name = networkProtocol { return "not \(name)" }
            return image(["!=", "<=", "<", "="])
        }

        /// The test with the relation that stands for its comparison: for equal, greater, greater or equal, any bit set.
        private func image(_ relations: [String]) -> String {
            let relation =
                switch comparison {
                case .equal: relations[0]
                case .greater: relations[1]
                case .greaterOrEqual: relations[2]
                case .anyBitSet: relations[3]
                }
            guard comparison == .anyBitSet else { return "\(left.operand) \(relation) \(right.operand)" }
            return "\(left.operand) & \(right.operand) \(relation) 0"
        }

        /// The word for an EtherType that stands right behind the Ethernet addresses.
        private var networkProtocol: String? {
            guard link == "ether", comparison == .equal, left.text == "ether[12:2]" else { return nil }
            switch right.constant {
            case 0x0800: return "ip"
            case 0x86dd: return "ip6"
            case 0x0806: return "arp"
            case 0x8035: return "rarp"
            default: return nil
            }
        }
    }
}

extension FilterMeaning.State {
    mutating func apply(_ operation: Operation, _ link: String) {
        switch operation {
        case .load(let source):
            a = load(source, link)
            switch source {
            case .absolute, .indirect: if let text = a?.text { unused.insert(text) }
            default: break
            }
        case .loadIndex(.immediate(let k)): x = .number(k)
        case .loadIndex(.memory(let cell)): x = cells[Int(cell)]
        case .loadIndex(.length): x = .length
        case .loadIndex(.headerLength(let k)):
            x = FilterMeaning.Term(text: "(\(link)[\(k)] & 0xf) * 4", isSimple: false)
            unused.insert("\(link)[\(k)]")
        case .store(let cell): cells[Int(cell)] = a
        case .storeIndex(let cell): cells[Int(cell)] = x
        case .arithmetic(let op, .constant(let k)): a = a.map { $0.with(op, .number(k)) }
        case .arithmetic(let op, .index):
            // A division by 0 ends the filter, and what far shifts give is not the same everywhere: no test stands for that.
            let limit: ClosedRange<UInt32>? =
                switch op {
                case .divide, .modulo: 1...UInt32.max
                case .shiftLeft, .shiftRight: 0...31
                default: nil
                }
            if let limit, x?.constant.map(limit.contains) != true { unused.insert("arithmetic") }
            if let left = a, let right = x { a = left.with(op, right) } else { a = nil }
        case .negate: a = a.map { FilterMeaning.Term(text: "0 - \($0.operand)", isSimple: false) }
        case .transferAToX: x = a
        case .transferXToA: a = x
        case .branch, .jump, .result: break
        }
    }

    private func load(_ source: Operation.Source, _ link: String) -> FilterMeaning.Term? {
        switch source {
        case .immediate(let k): .number(k)
        // From 2³¹ on an offset counts from a header of the kernel's, which expressions have no word for.
        case .absolute(_, let k) where k > Int32.max: nil
        case .indirect(_, let k) where k > Int32.max: nil
        case .absolute(let size, let k): .bytes("\(k)", size, link)
        case .indirect(let size, 0): x.map { .bytes($0.text, size, link) } ?? nil
        case .indirect(let size, let k): x.map { .bytes("\($0.operand) + \(k)", size, link) } ?? nil
        case .memory(let cell): cells[Int(cell)]
        case .length: .length
        case .extension: nil
        }
    }
}

extension FilterMeaning.Term {
    static let length = Self(text: "len", isSimple: true)

    static func bytes(_ address: String, _ size: Operation.Size, _ link: String) -> Self {
        Self(text: "\(link)[\(address)\(size == .byte ? "" : ":\(size.rawValue)")]", isSimple: true)
    }

    /// The number that an operation on this and `right` gives.
    func with(_ op: Operation.ArithmeticOperator, _ right: Self) -> Self {
        Self(text: "\(operand) \(op.symbol) \(right.operand)", isSimple: false)
    }
}
