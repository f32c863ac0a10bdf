import ClassicBPF

extension Graph {
    /// What computes a value, or requires something of the packet.
    enum Instruction: Hashable, Sendable {
        /// The number itself.
        case constant(UInt32)
        /// `left op right` modulo 2³². A divisor is not 0, shift distances count modulo 32.
        case arithmetic(Operation.ArithmeticOperator, Value, Value)
        /// The big-endian number at an address whose bytes have been required.
        case load(Operation.Size, Address)
        /// The packet's length in bytes.
        case length
        /// An extension that depends on nothing but what the kernel knows of the packet.
        case metadata(Extension)
        /// One of the extensions that search the packet, `nla`, `nlan` and `poff`, with A and X.
        case search(Extension, a: Value, x: Value)

        /// Ends the filter with 0 unless the packet has all bytes of a load there.
        case requireBytes(Operation.Size, Address)
        /// Ends the filter with 0 if the number is 0, which a divisor must not be.
        case requireNonzero(Value)
        /// Ends the filter with the number unless the packet has an interface.
        case requireInterface(orReturn: Value)
    }

    /// Where a load reads: a constant distance from the packet's start, or a computed one.
    ///
    /// Both are 32-bit offsets as the classic machine has them: from 0x80000000 on they lie in one of the header areas,
    /// or nowhere.
    struct Address: Hashable, Sendable {
        /// What is added to ``offset``, modulo 2³², or nil for 0.
        var index: Value?
        /// The constant part.
        var offset: UInt32
    }
}

extension Graph.Instruction {
    /// Whether it may end the filter. Its value is of no use then.
    var isRequirement: Bool {
        switch self {
        case .requireBytes, .requireNonzero, .requireInterface: true
        default: false
        }
    }

    /// The number, if it is a constant.
    var constant: UInt32? {
        if case .constant(let number) = self { number } else { nil }
    }

    /// Whether the same instruction with the same operands gives the same value wherever it stands.
    var isRepeatable: Bool {
        if case .metadata(.rand) = self { false } else { true }
    }

    /// The values it reads.
    var operands: [Value] {
        switch self {
        case .constant, .length, .metadata: []
        case .arithmetic(_, let left, let right): [left, right]
        case .load(_, let address), .requireBytes(_, let address): address.index.map { [$0] } ?? []
        case .search(_, let a, let x): [a, x]
        case .requireNonzero(let value), .requireInterface(let value): [value]
        }
    }

    /// The same instruction with every value it reads replaced.
    func mapOperands(_ replace: (Value) -> Value) -> Graph.Instruction {
        switch self {
        case .constant, .length, .metadata: self
        case .arithmetic(let op, let left, let right): .arithmetic(op, replace(left), replace(right))
        case .load(let size, let address): .load(size, address.mapIndex(replace))
        case .requireBytes(let size, let address): .requireBytes(size, address.mapIndex(replace))
        case .search(let ext, let a, let x): .search(ext, a: replace(a), x: replace(x))
        case .requireNonzero(let value): .requireNonzero(replace(value))
        case .requireInterface(let value): .requireInterface(orReturn: replace(value))
        }
    }
}

extension Graph.Address {
    fileprivate func mapIndex(_ replace: (Value) -> Value) -> Graph.Address {
        Graph.Address(index: index.map(replace), offset: offset)
    }
}
