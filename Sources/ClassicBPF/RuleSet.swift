/// The sets of rules that classic programs are held to.
public struct RuleSet: OptionSet, Hashable, Sendable {
    /// One bit a set.
    public let rawValue: UInt8

    /// Makes a set from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What Linux asks of a filter before it attaches it with `SO_ATTACH_FILTER`.
    public static let kernel = RuleSet(rawValue: 1)

    /// What libpcap asks of a filter before it runs it itself: any length, backward `ja`, shifts of any distance,
    /// any offset, M[] unwritten.
    public static let libpcap = RuleSet(rawValue: 2)

    /// The most instructions the kernel takes (`BPF_MAXINSNS`).
    public static let maximumKernelInstructions = 4096

    /// The number of cells of M[] (`BPF_MEMWORDS`).
    public static let memoryCells: UInt32 = 16

    /// Checks `instructions` against every rule of every set in `self`.
    ///
    /// - Throws: The first broken rule, in the order of the program.
    /// - Complexity: O(*n*).
    public func validate(_ instructions: [Instruction]) throws(ValidationError) {
        guard !instructions.isEmpty else { throw ValidationError(.emptyProgram) }
        if contains(.kernel), instructions.count > Self.maximumKernelInstructions {
            throw ValidationError(
                .tooManyInstructions(count: instructions.count, limit: Self.maximumKernelInstructions))
        }
        for index in instructions.indices {
            do {
                try validate(instructions[index], at: index, count: instructions.count)
            } catch {
                throw ValidationError(error, at: index)
            }
        }
        guard case .result? = instructions.last?.operation else {
            throw ValidationError(.missingReturn, at: instructions.count - 1)
        }
        if contains(.kernel) { try validateMemoryIsWritten(instructions) }
    }

    /// Checks the instruction at `index` of `count` by itself.
    func validate(
        _ instruction: Instruction, at index: Int, count: Int
    ) throws(ValidationError.Reason) {
        guard let operation = instruction.operation else { throw .unknownCode(instruction.code) }
        switch operation {
        case .load(.memory(let cell)), .loadIndex(.memory(let cell)), .store(let cell), .storeIndex(let cell):
            if cell >= Self.memoryCells { throw .noSuchMemory(index: cell) }
        case .load(.absolute(_, let offset)):
            if contains(.kernel), offset >= Extension.base { throw .unknownExtension(offset: offset) }
        case .arithmetic(.divide, .constant(0)), .arithmetic(.modulo, .constant(0)):
            throw .divisionByZero
        case .arithmetic(.shiftLeft, .constant(let distance)), .arithmetic(.shiftRight, .constant(let distance)):
            if contains(.kernel), distance >= 32 { throw .shiftTooFar(distance: distance) }
        case .jump(let distance):
            try validateJump(distance, at: index, count: count)
        case .branch(_, _, let jt, let jf):
            for distance in [jt, jf] where index + 1 + Int(distance) >= count {
                throw .jumpOutOfRange(target: Int64(index + 1 + Int(distance)), count: count)
            }
        default:
            break
        }
    }

    private func validateJump(_ distance: UInt32, at index: Int, count: Int) throws(ValidationError.Reason) {
        let forward = Int64(index) + 1 + Int64(distance)
        if forward < count { return }
        // A sole jump's target is computed modulo 2³² in libpcap, so that a large distance goes backward.
        let wrapped = Int64(index) + 1 + Int64(Int32(bitPattern: distance))
        if !contains(.kernel), (0..<Int64(count)).contains(wrapped) { return }
        throw .jumpOutOfRange(target: Int32(bitPattern: distance) < 0 ? wrapped : forward, count: count)
    }
}

extension ValidationError.Reason: Error {}
