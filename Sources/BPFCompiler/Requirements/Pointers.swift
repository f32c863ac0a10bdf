import ExtendedBPF

/// Which registers hold the context, and which a pointer that the kernel's own structures have to a packet, at each
/// instruction of a function.
///
/// The verifier lets a register be read as a pointer only where it is one of that kind on every way there. So what a
/// register may be is what it is.
struct Pointers {
    /// Kinds of pointers, by register or by place on the stack.
    struct Kinds: Hashable {
        /// A bit for each register.
        var context: UInt16 = 0
        var packet: UInt16 = 0
        /// Distances from the frame's end where the context is kept.
        var stack: Set<Int16> = []

        fileprivate mutating func formUnion(_ other: Kinds) {
            context |= other.context
            packet |= other.packet
            stack.formUnion(other.stack)
        }
    }

    /// By index of the instruction, before it.
    let before: [Kinds]

    /// The pointers of each function of `program`; its entry has the context in `r1`, others where a call puts it there.
    ///
    /// - Parameter successors: By function, then index, where each instruction may continue.
    static func find(in program: Program, _ successors: [[[Int]]]) -> [Pointers] {
        var takers: Set<String> = [program.entry.name]
        while true {
            let found = zip(program.functions, successors).map { function, successors in
                Pointers(function, successors, takesContext: takers.contains(function.name))
            }
            let count = takers.count
            for (function, pointers) in zip(program.functions, found) {
                for (index, reference) in function.references where pointers.before[index].context & bit(.r1) != 0 {
                    if case .function(let name) = reference { takers.insert(name) }
                }
            }
            if takers.count == count { return found }
        }
    }

    private init(_ function: Function, _ successors: [[Int]], takesContext: Bool) {
        var before = [Kinds](repeating: Kinds(), count: function.instructions.count)
        var reached = [Bool](repeating: false, count: before.count)
        var waiting: [Int] = []
        if !before.isEmpty {
            before[0].context = takesContext ? Self.bit(.r1) : 0
            reached[0] = true
            waiting = [0]
        }
        while let index = waiting.popLast() {
            let after = Self.kinds(after: function.instructions[index], function.references[index], before[index])
            for next in successors[index] {
                var kinds = before[next]
                kinds.formUnion(after)
                guard kinds != before[next] || !reached[next] else { continue }
                before[next] = kinds
                reached[next] = true
                waiting.append(next)
            }
        }
        self.before = before
    }

    static func bit(_ register: Register) -> UInt16 { 1 << UInt16(register.rawValue) }

    private static func kinds(after instruction: Instruction, _ reference: Reference?, _ before: Kinds) -> Kinds {
        var kinds = before
        let (dst, src) = (bit(instruction.dstReg), bit(instruction.srcReg))
        let isContext = before.context & src != 0
        switch instruction.opcode.instructionClass {
        case .alu64 where instruction.opcode.arithmetic == .move && instruction.opcode.operand == .register:
            kinds.context = before.context & ~dst | (isContext ? dst : 0)
            kinds.packet = before.packet & ~dst | (before.packet & src != 0 ? dst : 0)
        case .alu64 where [.add, .subtract].contains(instruction.opcode.arithmetic):
            // A pointer into the packet stays one, one into the context is at another member.
            kinds.context &= ~dst
            if instruction.opcode.operand == .register, before.packet & src != 0 { kinds.packet |= dst }
        case .alu64, .alu, .ld:
            // Packet loads clobber r1 to r5 and give r0.
            let written = instruction.isWide || instruction.opcode.instructionClass != .ld ? dst : 0x3f
            kinds.context &= ~written
            kinds.packet &= ~written
        case .ldx:
            let isSpilled = instruction.srcReg == .r10 && before.stack.contains(instruction.offset)
            kinds.context = before.context & ~dst | (isSpilled ? dst : 0)
            kinds.packet &= ~dst
            if case .kernelField("sk_buff", "data") = reference { kinds.packet |= dst }
            if case .kernelField("sk_buff", "head") = reference { kinds.packet |= dst }
        case .stx where instruction.dstReg == .r10 && instruction.opcode.mode == .mem:
            if isContext { kinds.stack.insert(instruction.offset) } else { kinds.stack.remove(instruction.offset) }
        case .jmp where instruction.opcode == .call:
            kinds.context &= ~0x3f
            kinds.packet &= ~0x3f
        case .st, .stx, .jmp, .jmp32:
            break
        }
        return kinds
    }
}
