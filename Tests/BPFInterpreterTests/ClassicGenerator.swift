import ClassicBPF

/// Makes random classic programs that the kernel accepts.
struct ClassicGenerator {
    var random: RandomSource
    /// Whether to leave out everything that the kernel and libpcap disagree about.
    var onlyCommon: Bool
    var packetLength: Int

    /// A straight piece of program; jumps lead to the start of one.
    private struct Piece {
        var operations: [Operation]
        /// How many pieces further the last operation jumps, if it does.
        var targets: (Int, Int)?

        init(_ operations: Operation..., targets: (Int, Int)? = nil) {
            self.operations = operations
            self.targets = targets
        }
    }

    /// A program whose last pieces is `epilogue`, which is entered with the result in A.
    mutating func program(endingWith epilogue: [Operation]) -> [Instruction] {
        let count = Int.random(in: 1...25, using: &random)
        var pieces = [
            Piece(
                .load(.immediate(constant())), .store(0), .store(1), .loadIndex(.immediate(constant())), .storeIndex(2))
        ]
        for index in 1...count { pieces.append(piece(before: count + 1 - index)) }
        return layOut(pieces).map { Instruction($0) } + epilogue.map { Instruction($0) }
    }

    private func layOut(_ pieces: [Piece]) -> [Operation] {
        var starts: [Int] = []
        var next = 0
        for piece in pieces {
            starts.append(next)
            next += piece.operations.count
        }
        starts.append(next)
        return pieces.enumerated().flatMap { index, piece -> [Operation] in
            guard let (taken, other) = piece.targets else { return piece.operations }
            let end = starts[index + 1]
            let (jt, jf) = (starts[index + 1 + taken] - end, starts[index + 1 + other] - end)
            var operations = piece.operations
            switch operations.removeLast() {
            case .branch(let comparison, let operand, _, _):
                operations.append(.branch(comparison, operand, jt: UInt8(jt), jf: UInt8(jf)))
            default:
                operations.append(.jump(UInt32(jt)))
            }
            return operations
        }
    }

    private mutating func constant() -> UInt32 { UInt32(truncatingIfNeeded: random.number()) }

    private mutating func size() -> Operation.Size { Operation.Size.allCases.randomElement(using: &random)! }

    /// An offset that is mostly inside the packet.
    private mutating func offset() -> UInt32 {
        if random.oneIn(12) {
            return onlyCommon ? UInt32.random(in: 0..<0x7fff_ffff, using: &random) : area()
        }
        let limit = random.oneIn(8) ? packetLength + 4 : max(1, packetLength - 4)
        return UInt32.random(in: 0..<UInt32(limit), using: &random)
    }

    /// An offset of 2³¹ or more that is no extension.
    private mutating func area() -> UInt32 {
        let bases: [UInt32] = [0xfff0_0000, 0xffe0_0000, 0x8000_0000]
        let base = bases.randomElement(using: &random)!
        return base + UInt32.random(in: 0..<UInt32(packetLength + 4), using: &random)
    }

    private mutating func piece(before left: Int) -> Piece {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: Piece(.load(.immediate(constant())))
        case 1: Piece(.loadIndex(.immediate(constant())))
        case 2, 3: Piece(.load(.absolute(size(), offset())))
        case 4, 5: indirect()
        case 6: Piece(.loadIndex(.headerLength(offset())))
        case 7: Piece(.load(.memory(UInt32.random(in: 0...2, using: &random))))
        case 8: Piece(.loadIndex(.memory(UInt32.random(in: 0...2, using: &random))))
        case 9: Piece(random.oneIn(2) ? .store(UInt32.random(in: 0...2, using: &random)) : .storeIndex(1))
        case 10: Piece(random.oneIn(2) ? .load(.length) : .loadIndex(.length))
        case 11: Piece(random.oneIn(2) ? .transferAToX : .transferXToA)
        case 12, 13, 14, 15: arithmetic()
        case 16: random.oneIn(4) ? Piece(.negate) : arithmetic()
        case 17, 18: branch(left)
        default: last(left)
        }
    }

    private mutating func indirect() -> Piece {
        let near = UInt32.random(in: 0..<UInt32(packetLength), using: &random)
        if onlyCommon || random.oneIn(2) {
            let back = UInt32.random(in: 0...near, using: &random)
            return Piece(.loadIndex(.immediate(near - back)), .load(.indirect(size(), back)))
        }
        // Over the end of 32 bits and back into the packet, into a header's area, or anywhere.
        let x = constant()
        let target = random.oneIn(3) ? area() : near
        return random.oneIn(4)
            ? Piece(.load(.indirect(size(), constant())))
            : Piece(.loadIndex(.immediate(x)), .load(.indirect(size(), target &- x)))
    }

    private mutating func arithmetic() -> Piece {
        let op = Operation.ArithmeticOperator.allCases.randomElement(using: &random)!
        let isShift = op == .shiftLeft || op == .shiftRight
        if random.oneIn(2), !(isShift && onlyCommon) {
            // Mostly no division by 0, which ends the program.
            return random.oneIn(4)
                ? Piece(.arithmetic(op, .index))
                : Piece(.loadIndex(.immediate(constant() | 1)), .arithmetic(op, .index))
        }
        let k = isShift ? constant() & 31 : max(1, constant())
        return Piece(.arithmetic(op, .constant(k)))
    }

    private mutating func branch(_ left: Int) -> Piece {
        let comparison = Operation.Comparison.allCases.randomElement(using: &random)!
        let operand: Operation.Operand = random.oneIn(3) ? .index : .constant(constant())
        return Piece(
            .branch(comparison, operand, jt: 0, jf: 0),
            targets: (Int.random(in: 0..<left, using: &random), Int.random(in: 0..<left, using: &random)))
    }

    /// A jump, an `A ^= X` by extension or an early end.
    private mutating func last(_ left: Int) -> Piece {
        if !onlyCommon, random.oneIn(2) { return Piece(.load(.extension(.xorX))) }
        if random.oneIn(2) {
            return Piece(.jump(0), targets: (Int.random(in: 0..<left, using: &random), 0))
        }
        let end: Operation = random.oneIn(3) ? .result(.a) : .result(.constant(constant()))
        return Piece(
            .branch(.equal, .constant(constant()), jt: 0, jf: 1), end)
    }
}
