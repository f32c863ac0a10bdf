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
        /// The number at such an address as the host that runs the program reads it, without a swap of its bytes.
        case rawLoad(Operation.Size, Address)
        /// The big-endian number at any address, in the header areas too, or the end of the filter as at a requirement.
        case classicLoad(Operation.Size, Address, by: AreaReader)
        /// The packet's length in bytes.
        case length
        /// An extension that depends on nothing but what the kernel knows of the packet.
        case metadata(Extension)
        /// One of the extensions that search the packet, `nla`, `nlan` and `poff`, with A and X.
        case search(Extension, a: Value, x: Value)
        /// 1 if a number is in the set of that place in ``Graph/sets``, else 0. Becomes loads from a table.
        case member(of: Int, Value)
        /// An element of one of the ``Graph/tables``: of its distances by their index, or of its numbers by the distance
        /// in bytes. The index is known not to lead out of the table from the shift or mask that computes it.
        case tableLoad(TablePart, of: Int, Value)
        /// The number of that size with its bytes in the opposite order. It has no bits above those.
        case swapped(Operation.Size, Value)

        /// Ends the filter with ``Graph/failure`` unless the packet has all bytes of a load there.
        case requireBytes(Operation.Size, Address)
        /// Ends the filter with ``Graph/failure`` unless the packet reaches as far as a number of bytes behind the
        /// window's index.
        case requireEnd(Window, UInt32)
        /// Ends the filter with ``Graph/failure`` if the number is 0, which a divisor must not be.
        case requireNonzero(Value)
        /// Ends the filter with the number unless the packet has an interface.
        case requireInterface(orReturn: Value)
    }

    /// Who knows where the header areas are.
    enum AreaReader: Hashable, Sendable {
        /// The kernel's own instruction for classic loads, which ends its function with 0 where there is nothing.
        case instruction(EndingPermit)
        /// Helper functions of the kernel's.
        case helpers
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

    /// The two parts of a table, as ``PerfectHash`` has them.
    enum TablePart: Hashable, Sendable {
        /// How far numbers are shifted, a byte each.
        case distances
        /// The numbers of the set.
        case numbers
    }

    /// What a load reads.
    struct Load: Hashable, Sendable {
        var size: Operation.Size
        var address: Address
    }

    /// A stretch of the packet that is checked, and where need be copied, as one: the bytes from ``start`` on behind an
    /// index. An index with loads far from each other has several.
    struct Window: Hashable, Sendable {
        /// What is added to all offsets, or nil for the packet's start. The sum stays below 2³¹.
        var index: Value?
        /// The lowest offset of the loads in the window.
        var start: UInt32
    }
}

extension Graph.Instruction {
    /// Whether it may end the filter. Its value is of no use then.
    var isRequirement: Bool {
        switch self {
        case .requireBytes, .requireEnd, .requireNonzero, .requireInterface: true
        default: false
        }
    }

    /// Whether it has to stay even where nothing reads its value.
    var mayEndFilter: Bool {
        if case .classicLoad = self { true } else { isRequirement }
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
    var operands: Few<Value> {
        switch self {
        case .constant, .length, .metadata: Few()
        case .arithmetic(_, let left, let right): Few(left, right)
        case .load(_, let address), .rawLoad(_, let address), .classicLoad(_, let address, _),
            .requireBytes(_, let address):
            Few(address.index)
        case .requireEnd(let window, _): Few(window.index)
        case .search(_, let a, let x): Few(a, x)
        case .member(_, let value), .tableLoad(_, _, let value), .swapped(_, let value): Few(value)
        case .requireNonzero(let value), .requireInterface(let value): Few(value)
        }
    }

    /// The same instruction with every value it reads replaced.
    func mapOperands(_ replace: (Value) -> Value) -> Graph.Instruction {
        switch self {
        case .constant, .length, .metadata: self
        case .arithmetic(let op, let left, let right): .arithmetic(op, replace(left), replace(right))
        case .load(let size, let address): .load(size, address.mapIndex(replace))
        case .rawLoad(let size, let address): .rawLoad(size, address.mapIndex(replace))
        case .classicLoad(let size, let address, let reader): .classicLoad(size, address.mapIndex(replace), by: reader)
        case .requireEnd(let window, let end):
            .requireEnd(Graph.Window(index: window.index.map(replace), start: window.start), end)
        case .requireBytes(let size, let address): .requireBytes(size, address.mapIndex(replace))
        case .search(let ext, let a, let x): .search(ext, a: replace(a), x: replace(x))
        case .member(let set, let value): .member(of: set, replace(value))
        case .tableLoad(let part, let table, let value): .tableLoad(part, of: table, replace(value))
        case .swapped(let size, let value): .swapped(size, replace(value))
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
