import ExtendedBPF

/// Which registers hold the context, a pointer that the kernel's own structures have to a packet, or one to a place on the
/// stack that only the running program knows, at each instruction of a function.
///
/// The verifier lets a register be read as a pointer only where it is one of that kind on every way there. So what a
/// register may be is what it is.
struct Pointers {
    /// Kinds of pointers, by register or by place on the stack.
    struct Kinds: Hashable {
        /// A bit for each register.
        var context: UInt16 = 0
        var packet: UInt16 = 0
        /// Into the stack, wherever.
        var frame: UInt16 = bit(.r10)
        /// Into the stack, at a place that is computed of ``varying`` numbers.
        var computed: UInt16 = 0
        /// No pointers, but numbers that the verifier may not know.
        var varying: UInt16 = 0
        /// Distances from the frame's end where the context is kept.
        var stack: Set<Int16> = []
        /// Distances from the frame's end where ``computed`` pointers are kept.
        var computedStack: Set<Int16> = []

        fileprivate mutating func formUnion(_ other: Kinds) {
            context |= other.context
            packet |= other.packet
            frame |= other.frame
            computed |= other.computed
            varying |= other.varying
            stack.formUnion(other.stack)
            computedStack.formUnion(other.computedStack)
        }

        /// Lets the register `dst` have the kinds that `src` has.
        fileprivate mutating func copy(_ src: UInt16, to dst: UInt16) {
            for kind in [\Kinds.context, \.packet, \.frame, \.computed, \.varying] {
                self[keyPath: kind] = self[keyPath: kind] & ~dst | (self[keyPath: kind] & src != 0 ? dst : 0)
            }
        }

        /// Takes `registers` for numbers.
        fileprivate mutating func forget(_ registers: UInt16, areVarying: Bool = true) {
            for kind in [\Kinds.context, \.packet, \.frame, \.computed, \.varying] {
                self[keyPath: kind] &= ~registers
            }
            if areVarying { varying |= registers }
        }

        /// What adding the register `src` to `dst` makes of that.
        fileprivate mutating func add(_ src: UInt16, to dst: UInt16) {
            // A pointer into the packet stays one, one into the context is at another member.
            context &= ~dst
            if packet & src != 0 { packet |= dst }
            let isFrame = frame & (src | dst) != 0
            if isFrame && varying & (src | dst) != 0 || computed & src != 0 { computed |= dst }
            if isFrame {
                frame |= dst
                varying &= ~dst
            } else if varying & src != 0 {
                varying |= dst
            }
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
        let isOfRegister = instruction.opcode.operand == .register
        switch instruction.opcode.instructionClass {
        case .alu64 where instruction.opcode.arithmetic == .move:
            if isOfRegister { kinds.copy(src, to: dst) } else { kinds.forget(dst, areVarying: false) }
        case .alu64 where [.add, .subtract].contains(instruction.opcode.arithmetic):
            if isOfRegister { kinds.add(src, to: dst) } else { kinds.context &= ~dst }
        case .alu64, .alu:
            let isMove = instruction.opcode.arithmetic == .move
            let varies = before.varying & ((isMove ? 0 : dst) | (isOfRegister ? src : 0)) != 0
            kinds.forget(dst, areVarying: varies)
        case .ld:
            // Packet loads clobber r1 to r5 and give r0.
            kinds.forget(instruction.isWide ? dst : 0x3f)
        case .ldx:
            kinds.forget(dst)
            if instruction.srcReg == .r10 {
                if before.stack.contains(instruction.offset) { kinds.context |= dst }
                if before.computedStack.contains(instruction.offset) { kinds.computed |= dst }
            }
            if case .kernelField("sk_buff", "data") = reference { kinds.packet |= dst }
            if case .kernelField("sk_buff", "head") = reference { kinds.packet |= dst }
        case .stx where instruction.dstReg == .r10 && instruction.opcode.mode == .mem:
            kinds.stack.remove(instruction.offset)
            kinds.computedStack.remove(instruction.offset)
            if before.context & src != 0 { kinds.stack.insert(instruction.offset) }
            if before.computed & src != 0 { kinds.computedStack.insert(instruction.offset) }
        case .jmp where instruction.opcode == .call:
            kinds.forget(0x3f)
        case .st, .stx, .jmp, .jmp32:
            break
        }
        return kinds
    }
}
