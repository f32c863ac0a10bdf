import ExtendedBPF

/// A register of a program in the making: one of the machine's, or one of any number of virtual ones.
struct MachineRegister: Hashable, Sendable {
    /// 0 to 10 are the machine's own.
    var number: Int

    init(number: Int) { self.number = number }

    init(_ register: Register) { number = Int(register.rawValue) }

    /// The machine's own register this is, or nil for a virtual one.
    var register: Register? { number <= 10 ? Register(rawValue: UInt8(number)) : nil }

    static let result = MachineRegister(.r0)
    static let frame = MachineRegister(.r10)
}

/// The registers that an instruction reads or writes: up to two, and a run of the machine's. Unlike an array they take no
/// memory of their own.
struct MachineRegisters: Sequence {
    private var named: Few<MachineRegister>
    private var run: Range<Int>

    init(_ first: MachineRegister? = nil, _ second: MachineRegister? = nil, _ run: Range<Int> = 0..<0) {
        if let first, let second { named = Few(first, second) } else { named = Few(first ?? second) }
        self.run = run
    }

    func makeIterator() -> Iterator { Iterator(registers: self) }

    struct Iterator: IteratorProtocol {
        fileprivate let registers: MachineRegisters
        private var place = 0

        fileprivate init(registers: MachineRegisters) { self.registers = registers }

        mutating func next() -> MachineRegister? {
            defer { place += 1 }
            if place < registers.named.count { return registers.named[place] }
            let number = registers.run.lowerBound + place - registers.named.count
            return number < registers.run.upperBound ? MachineRegister(number: number) : nil
        }
    }
}

/// An eBPF instruction whose registers may be virtual. Jumps and exits are ends of blocks instead.
struct MachineInstruction: Hashable, Sendable {
    /// The instruction; its register fields are filled in when registers have been chosen.
    var instruction: Instruction
    /// The register in its `dst` field, nil where it has none.
    var dst: MachineRegister?
    /// The register in its `src` field, nil where it has none.
    var src: MachineRegister?
    /// What a field of it stands for.
    var reference: Reference?
    /// For calls, how many of `r1` to `r5` they read.
    var argumentCount = 0
    /// Whether its two operands can be exchanged with those of the move in front of it.
    var isExchangeable = false
    /// The classic instruction it came from; −1 for none.
    var origin = -1

    private var isArithmetic: Bool {
        let instructionClass = instruction.opcode.instructionClass
        return instructionClass == .alu || instructionClass == .alu64
    }

    /// Whether it copies one register to another, whole.
    var isMove: Bool {
        isArithmetic && instruction.opcode.arithmetic == .move && src != nil && instruction.offset == 0
    }

    /// Whether it is a call, or an instruction that destroys the same registers.
    var isCall: Bool { instruction.opcode == .call || isClassicLoad }

    /// Whether it is one of the classic packet loads, which read the context from `r6`.
    var isClassicLoad: Bool { instruction.opcode.instructionClass == .ld && !instruction.isWide }

    /// Whether it does nothing but write its `dst`.
    var isPure: Bool {
        switch instruction.opcode.instructionClass {
        case .alu, .alu64, .ldx: true
        case .ld: instruction.isWide
        default: false
        }
    }

    /// Whether it reads its `dst` field.
    var readsDst: Bool {
        switch instruction.opcode.instructionClass {
        case .alu, .alu64: instruction.opcode.arithmetic != .move
        case .st, .stx: true
        default: false
        }
    }

    /// Whether it writes its `dst` field.
    var writesDst: Bool { dst != nil && isPure }

    /// The registers it reads.
    var reads: MachineRegisters {
        let dst = readsDst ? dst : nil
        if isClassicLoad { return MachineRegisters(dst, src, 6..<7) }
        return MachineRegisters(dst, src, 1..<(1 + argumentCount))
    }

    /// The registers it writes or destroys.
    var writes: MachineRegisters {
        isCall ? MachineRegisters(nil, nil, 0..<6) : MachineRegisters(writesDst ? dst : nil)
    }

    /// The same with its fields replaced.
    func mapRegisters(_ replace: (MachineRegister) -> MachineRegister) -> MachineInstruction {
        var copy = self
        copy.dst = dst.map(replace)
        copy.src = src.map(replace)
        return copy
    }
}

/// How a block of machine instructions ends.
enum MachineTerminator: Hashable, Sendable {
    case jump(Int)
    case branch(MachineCondition, then: Int, otherwise: Int)
    /// Returns `r0`.
    case exit

    var successors: Few<Int> {
        switch self {
        case .jump(let target): Few(target)
        case .branch(_, let then, let otherwise): Few(then, otherwise)
        case .exit: Few()
        }
    }

    var reads: MachineRegisters {
        switch self {
        case .jump: MachineRegisters()
        case .branch(let condition, _, _): condition.reads
        case .exit: MachineRegisters(.result)
        }
    }

    func mapTargets(_ replace: (Int) -> Int) -> MachineTerminator {
        switch self {
        case .jump(let target): .jump(replace(target))
        case .branch(let condition, let then, let otherwise):
            .branch(condition, then: replace(then), otherwise: replace(otherwise))
        case .exit: .exit
        }
    }

    func mapRegisters(_ replace: (MachineRegister) -> MachineRegister) -> MachineTerminator {
        guard case .branch(var condition, let then, let otherwise) = self else { return self }
        condition.left = replace(condition.left)
        if case .register(let right) = condition.right { condition.right = .register(replace(right)) }
        return .branch(condition, then: then, otherwise: otherwise)
    }
}

/// What a conditional jump compares.
struct MachineCondition: Hashable, Sendable {
    enum Operand: Hashable, Sendable {
        case register(MachineRegister)
        case constant(Int32)
        /// What loops may still run: the condition holds once that is used up (`may_goto`), whatever the left side is.
        case budget
    }

    /// Whether loops have run long enough.
    static let budgetIsUsedUp = MachineCondition(comparison: .anyBitSet, is64: true, left: .frame, right: .budget)

    var comparison: JumpCondition
    /// Whether all 64 bits are compared, or the lower 32.
    var is64: Bool
    var left: MachineRegister
    var right: Operand

    var reads: MachineRegisters {
        if case .register(let right) = right { MachineRegisters(left, right) } else { MachineRegisters(left) }
    }
}

/// A run of machine instructions that is entered at its start and left at its end.
struct MachineBlock: Hashable, Sendable {
    var instructions: [MachineInstruction] = []
    var terminator: MachineTerminator = .exit
    /// The classic instruction its end came from; −1 for none.
    var origin = -1
    /// Whether it is seldom reached.
    var isRare = false
}

/// A program in the making: blocks of machine instructions, the first of which is entered.
struct MachineFunction: Sendable {
    var blocks: [MachineBlock] = []
    /// The number of registers named so far.
    private(set) var registerCount = 11
    /// The bytes of stack used so far.
    private(set) var stackSize = 0

    /// Whether an instruction of it refers to that.
    func refers(to reference: Reference) -> Bool {
        blocks.contains { block in block.instructions.contains { $0.reference == reference } }
    }

    mutating func makeRegister() -> MachineRegister {
        registerCount += 1
        return MachineRegister(number: registerCount - 1)
    }

    mutating func makeBlock() -> Int {
        blocks.append(MachineBlock())
        return blocks.count - 1
    }

    /// Reserves stack and returns its lowest place relative to the frame pointer, a multiple of 8.
    mutating func reserveStack(_ bytes: Int) -> Int {
        stackSize += (bytes + 7) & ~7
        return -stackSize
    }
}
