import ClassicBPF
import ExtendedBPF

/// One translation of a classic program into one eBPF function, in progress.
///
/// The instructions are translated one by one in the order of the program; a label in front of each lets the jumps
/// find their targets. The files beside this one hold a function per classic instruction class.
struct Translation {
    /// A lives here; also where calls leave their result.
    let a = Register.r0
    /// X lives here, because calls keep it.
    let x = Register.r7
    /// The context, where LD_ABS and LD_IND expect it.
    let context = Register.r6
    /// A temporary that calls may destroy.
    let temporary = Register.r2

    let filter: ClassicBPF.Program
    let dialect: Dialect
    var assembler: Assembler

    private var labels: [Assembler.Label] = []
    private var starts: [Int] = []

    init(_ filter: ClassicBPF.Program, _ dialect: Dialect, named name: String) {
        self.filter = filter
        self.dialect = dialect
        assembler = Assembler(functionNamed: name)
    }

    /// Translates the whole program.
    consuming func run() throws(CompilerError) -> Function {
        assembler.mark(line: 1)
        emitPrologue()
        // The verifier refuses instructions that nothing reaches; the kernel's converter keeps them.
        let isReachable = ControlFlow(filter).reachableInstructions
        for _ in 0..<filter.count { labels.append(assembler.makeLabel()) }
        for index in 0..<filter.count {
            assembler.place(labels[index])
            starts.append(assembler.slotCount)
            guard dialect == .kernel || isReachable[index] else { continue }
            assembler.mark(line: index + 2)
            try emit(index)
        }
        return try finish()
    }

    private consuming func finish() throws(CompilerError) -> Function {
        let starts = starts
        do {
            return try assembler.finish()
        } catch {
            guard case .jumpTooFar(let distance) = error.reason else {
                preconditionFailure("resolving labels fails for distance only")
            }
            let instruction = starts.lastIndex { $0 <= error.slot.rawValue }
            throw CompilerError(.jumpTooFar(distance: distance), at: instruction)
        }
    }

    private mutating func emit(_ index: Int) throws(CompilerError) {
        let leftover = filter.instructions[index].k
        switch filter.operation(at: index) {
        case .load(let source): try emitLoad(source, at: index)
        case .loadIndex(let source): emitLoadIndex(source)
        case .store(let cell): assembler.append(.store(.word, .r10, memoryOffset(cell), a))
        case .storeIndex(let cell): assembler.append(.store(.word, .r10, memoryOffset(cell), x))
        case .arithmetic(let op, let operand): emitArithmetic(op, operand, leftover: leftover)
        case .negate: emitNegation(leftover: leftover)
        case .jump(let distance): emitJump(to: filter.jumpTarget(from: index, distance: distance))
        case .branch(let comparison, let operand, let jt, let jf):
            emitBranch(comparison, operand, jt: jt, jf: jf, at: index, leftover: leftover)
        case .result(let value): emitReturn(value)
        case .transferAToX: assembler.append(.move64(x, a))
        case .transferXToA: assembler.append(.move64(a, x))
        }
    }

    private mutating func emitLoad(_ source: Operation.Source, at index: Int) throws(CompilerError) {
        switch source {
        case .immediate(let k): assembler.append(.move32(a, k))
        case .absolute(let size, let k): emitPacketLoad(size, at: k)
        case .indirect(let size, let k): emitIndirectPacketLoad(size, plus: k)
        case .memory(let cell): assembler.append(.load(.word, a, .r10, memoryOffset(cell)))
        case .length: emitLength(into: a)
        case .extension(let ext):
            switch dialect {
            case .kernel: emitKernelExtension(ext)
            case .loadable(let target): try emitExtension(ext, on: target.hook, at: index)
            }
        }
    }

    private mutating func emitLoadIndex(_ source: Operation.IndexSource) {
        switch source {
        case .immediate(let k): assembler.append(.move32(x, k))
        case .memory(let cell): assembler.append(.load(.word, x, .r10, memoryOffset(cell)))
        case .length: emitLength(into: x)
        case .headerLength(let k): emitHeaderLength(at: k)
        }
    }

    /// The place of `M[cell]` relative to the frame pointer: M[0] highest.
    private func memoryOffset(_ cell: UInt32) -> Int16 {
        -4 - 4 * Int16(cell)
    }

    /// The label in front of the classic instruction `index`.
    func label(_ index: Int) -> Assembler.Label { labels[index] }
}
