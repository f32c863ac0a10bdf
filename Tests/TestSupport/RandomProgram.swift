import ClassicBPF

/// Makes random classic programs that the kernel's rules accept, and spoils them.
///
/// Programs are written front to back while the state of the kernel's check of M[] is kept, so every one is valid at
/// the first try. The same generator state and options give the same program.
public struct RandomProgram: Sendable {
    /// The kinds of instructions, besides `ret`.
    public enum Kind: Int, Hashable, Sendable, CaseIterable {
        /// `ld`, `ldh`, `ldb` of `[k]`.
        case absoluteLoad
        /// `ld`, `ldh`, `ldb` of `[x + k]`.
        case indirectLoad
        /// `ldx 4*([k]&0xf)`.
        case headerLength
        /// `ld` of an extension.
        case extensionLoad
        /// `ld #k`, `ldx #k`.
        case immediate
        /// `ld len`, `ldx len`.
        case length
        /// `st`, `stx` and loads of `M[k]`.
        case memory
        /// The operators of ALU with k and with X, and `neg`.
        case arithmetic
        /// `tax`, `txa`.
        case transfer
        /// `ja`.
        case jump
        /// `jeq`, `jgt`, `jge`, `jset` with k and with X.
        case branch
    }

    /// The kinds of instructions programs consist of; `ret` is always one.
    public var kinds: Set<Kind>
    /// The extensions that programs may load.
    public var extensions: Set<Extension>
    /// Whether the k of packet loads may be 0x80000000 and more, where the kernel has its header areas.
    ///
    /// Without it, X + k can still be that large when X is.
    public var negativeOffsets: Bool
    /// Whether some programs carry garbage in the fields that their instructions do not use.
    public var leftovers: Bool
    /// The length that few programs exceed, at least 1.
    public var usualCount: Int
    /// The length that no program exceeds, at least ``usualCount``.
    public var maximumCount: Int

    /// Allows what is not restricted.
    public init(
        kinds: Set<Kind> = Set(Kind.allCases), allowing extensions: Set<Extension> = Set(Extension.allCases),
        negativeOffsets: Bool = true, leftovers: Bool = true, usualCount: Int = 60, maximumCount: Int = 400
    ) {
        self.kinds = kinds
        self.extensions = extensions
        self.negativeOffsets = negativeOffsets
        self.leftovers = leftovers
        self.usualCount = usualCount
        self.maximumCount = max(usualCount, maximumCount)
    }

    /// A program of 1 … ``maximumCount`` instructions.
    public func next(using generator: inout some RandomNumberGenerator) -> Program {
        let rarelyLong = generator.chance(3) ? maximumCount : usualCount
        // Short programs are the ones a reader can follow when a test fails, so half of them are.
        let count = Int.random(in: 1...(generator.chance(50) ? min(12, rarelyLong) : rarelyLong), using: &generator)
        var draft = Draft(count: count)
        let messy = leftovers && generator.chance(25)
        let choices = weightedKinds
        for index in 0..<count {
            let operation = operation(at: index, in: draft, of: choices, using: &generator)
            var instruction = Instruction(operation)
            if case .load(.extension) = operation { instruction.code |= generator.pick([0x00, 0x08, 0x10]) }
            if messy, generator.chance(50) { instruction.addLeftovers(using: &generator) }
            draft.append(instruction)
        }
        do {
            return try Program(draft.instructions)
        } catch {
            preconditionFailure("made an invalid program, \(error): \(draft.instructions)")
        }
    }

    private func operation(
        at index: Int, in draft: Draft, of choices: [Kind], using generator: inout some RandomNumberGenerator
    ) -> Operation {
        let last = index == draft.count - 1
        if last || choices.isEmpty || generator.chance(6) { return .result(result(using: &generator)) }
        switch generator.pick(choices) {
        case .absoluteLoad:
            return .load(.absolute(size(using: &generator), absoluteOffset(using: &generator)))
        case .indirectLoad:
            return .load(.indirect(size(using: &generator), indirectOffset(using: &generator)))
        case .headerLength:
            // Here 0xfffff000 and above are no extensions.
            let offset =
                negativeOffsets && generator.chance(3)
                ? generator.pick(Extension.allCases).offset : absoluteOffset(using: &generator)
            return .loadIndex(.headerLength(generator.chance(50) ? 14 : offset))
        case .extensionLoad:
            return .load(.extension(generator.pick(Extension.allCases.filter(extensions.contains))))
        case .immediate:
            // Small values in X keep indirect loads inside the packet.
            return generator.chance(50)
                ? .load(.immediate(generator.interestingNumber()))
                : .loadIndex(
                    .immediate(
                        generator.chance(70)
                            ? .random(in: 0...48, using: &generator)
                            : generator.interestingNumber()))
        case .length: return generator.chance(50) ? .load(.length) : .loadIndex(.length)
        case .memory: return memory(readable: draft.readableCells, using: &generator)
        case .arithmetic: return arithmetic(using: &generator)
        case .transfer: return generator.chance(50) ? .transferAToX : .transferXToA
        case .jump: return .jump(UInt32(distance(upTo: draft.count - index - 2, using: &generator)))
        case .branch: return branch(upTo: min(255, draft.count - index - 2), using: &generator)
        }
    }

    /// The allowed kinds, each as often as it is to be chosen.
    private var weightedKinds: [Kind] {
        // In the order of the cases, because the order of a Set differs from run to run.
        Kind.allCases.filter(kinds.contains).flatMap { [Kind](repeating: $0, count: weight($0)) }
    }

    /// How often a kind is chosen. Few filters do anything without loads and branches.
    private func weight(_ kind: Kind) -> Int {
        switch kind {
        case .absoluteLoad: 5
        case .branch: 6
        case .arithmetic: 5
        case .indirectLoad, .memory: 3
        case .extensionLoad: extensions.isEmpty ? 0 : 2
        case .headerLength, .immediate, .transfer: 2
        case .length, .jump: 1
        }
    }

    private func result(using generator: inout some RandomNumberGenerator) -> Operation.ReturnValue {
        generator.chance(40)
            ? .a
            : .constant(
                generator.chance(50)
                    ? generator.pick([0, 0x40000])
                    : generator.interestingNumber())
    }

    private func size(using generator: inout some RandomNumberGenerator) -> Operation.Size {
        generator.pick(Operation.Size.allCases)
    }

    private func absoluteOffset(using generator: inout some RandomNumberGenerator) -> UInt32 {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: return generator.pick([0x7ffc, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10000, 0x7fff_fffc, 0x7fff_ffff])
        case 1: return .random(in: 0...1600, using: &generator)
        case 2 where negativeOffsets:
            let area = generator.pick(HeaderArea.allCases).rawValue + .random(in: 0...64, using: &generator)
            return generator.pick([area, area, area, 0x8000_0000, 0xffdf_ffff, 0xffef_ffff, 0xffff_efff])
        case 3...8: return generator.pick([0, 12, 14, 16, 20, 22, 23, 26, 30, 34, 36, 38])
        default: return .random(in: 0...70, using: &generator)
        }
    }

    private func indirectOffset(using generator: inout some RandomNumberGenerator) -> UInt32 {
        // X + k wraps, so that without this an offset like −1 would reach the areas through a small X.
        negativeOffsets && generator.chance(5)
            ? 0 &- .random(in: 0...64, using: &generator)
            : absoluteOffset(using: &generator)
    }

    private func memory(
        readable: [UInt32], using generator: inout some RandomNumberGenerator
    ) -> Operation {
        if let cell = readable.randomElement(using: &generator), generator.chance(50) {
            return generator.chance(50) ? .load(.memory(cell)) : .loadIndex(.memory(cell))
        }
        let cell: UInt32 = generator.chance(60) ? generator.pick([0, 1, 15]) : .random(in: 0...15, using: &generator)
        return generator.chance(50) ? .store(cell) : .storeIndex(cell)
    }

    private func arithmetic(using generator: inout some RandomNumberGenerator) -> Operation {
        if generator.chance(6) { return .negate }
        let op = generator.pick(Operation.ArithmeticOperator.allCases)
        if generator.chance(35) { return .arithmetic(op, .index) }
        switch op {
        case .shiftLeft, .shiftRight:
            return .arithmetic(
                op, .constant(generator.pick([0, 1, 2, 8, 16, 24, 31, .random(in: 0...31, using: &generator)])))
        case .divide, .modulo: return .arithmetic(op, .constant(max(1, generator.interestingNumber())))
        default: return .arithmetic(op, .constant(generator.interestingNumber()))
        }
    }

    private func distance(upTo limit: Int, using generator: inout some RandomNumberGenerator) -> Int {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<3: 0
        case 3..<8: Int.random(in: 0...min(limit, 6), using: &generator)
        case 8: limit
        default: Int.random(in: 0...limit, using: &generator)
        }
    }

    private func branch(upTo limit: Int, using generator: inout some RandomNumberGenerator) -> Operation {
        let comparison = generator.pick(Operation.Comparison.allCases)
        let operand: Operation.Operand = generator.chance(25) ? .index : .constant(generator.interestingNumber())
        let jt = UInt8(distance(upTo: limit, using: &generator))
        let jf = generator.chance(10) ? jt : UInt8(distance(upTo: limit, using: &generator))
        return .branch(comparison, operand, jt: jt, jf: jf)
    }
}

/// A program being written, and what the kernel's check of M[] knows at its end.
private struct Draft {
    let count: Int
    private(set) var instructions: [Instruction] = []
    private var written: UInt16 = 0
    private var writtenAtTarget: [UInt16]

    init(count: Int) {
        self.count = count
        writtenAtTarget = [UInt16](repeating: .max, count: count)
    }

    /// The cells that the next instruction may read.
    var readableCells: [UInt32] {
        let readable = written & writtenAtTarget[instructions.count]
        return (0..<RuleSet.memoryCells).filter { readable & 1 << $0 != 0 }
    }

    mutating func append(_ instruction: Instruction) {
        let index = instructions.count
        written &= writtenAtTarget[index]
        switch instruction.operation! {
        case .store(let cell), .storeIndex(let cell): written |= 1 << cell
        case .jump(let distance):
            writtenAtTarget[index + 1 + Int(distance)] &= written
            written = .max
        case .branch(_, _, let jt, let jf):
            for distance in [jt, jf] { writtenAtTarget[index + 1 + Int(distance)] &= written }
            written = .max
        default: break
        }
        instructions.append(instruction)
    }
}

extension Instruction {
    /// Puts garbage into the fields that the operation does not use.
    fileprivate mutating func addLeftovers(using generator: inout some RandomNumberGenerator) {
        let clean = operation!
        var branches = false
        var usesK = true
        switch clean {
        case .branch(_, let operand, _, _):
            branches = true
            usesK = operand != .index
        case .load(.length), .loadIndex(.length), .negate, .arithmetic(_, .index), .transferAToX, .transferXToA,
            .result(.a):
            usesK = false
        default: break
        }
        if !branches {
            jt = .random(in: 0 ... .max, using: &generator)
            jf = .random(in: 0 ... .max, using: &generator)
        }
        if !usesK { k = generator.interestingNumber() }
        assert(operation == clean)
    }
}

extension RandomNumberGenerator {
    /// A number of the kind that filters compare and calculate with, and where implementations go wrong.
    public mutating func interestingNumber() -> UInt32 {
        switch Int.random(in: 0..<10, using: &self) {
        case 0..<5:
            pick([
                0, 1, 2, 4, 6, 12, 14, 17, 20, 23, 31, 32, 0x45, 53, 80, 0xff, 0x0800, 0x0806, 0x1fff, 0x7fff, 0x8000,
                0x86dd, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff,
            ])
        case 5..<7: .random(in: 0...255, using: &self)
        case 7: 1 << UInt32.random(in: 0...31, using: &self)
        case 8: .random(in: 0x8000_0000 ... .max, using: &self)
        default: .random(in: 0 ... .max, using: &self)
        }
    }
}
