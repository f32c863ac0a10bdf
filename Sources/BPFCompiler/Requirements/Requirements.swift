import ExtendedBPF

/// From which version of Linux on a program can be loaded, and what of it asks for that.
///
/// That a kernel has all that a program uses is not all: its verifier has to follow the program too, and later ones
/// follow more.
public struct Requirements: Hashable, Sendable {
    /// One thing that a program uses.
    public struct Item: Hashable, Sendable {
        /// What it is.
        public var feature: String
        /// The version it came with, nil where that is not known.
        public var kernel: KernelVersion?
        /// Where it is first used, or nil if the program as a whole does.
        public var place: Place?
    }

    /// An instruction of a function.
    public struct Place: Hashable, Sendable, Comparable {
        /// The place of the function among the program's.
        public var function: Int
        /// The index of the instruction in the function.
        public var instruction: Int

        /// Whether `left` stands before `right`.
        public static func < (left: Place, right: Place) -> Bool {
            (left.function, left.instruction) < (right.function, right.instruction)
        }
    }

    /// What is used, each thing once, from the earliest version to the latest, then what is not known.
    public let items: [Item]

    /// The earliest version that has all of it.
    public var kernel: KernelVersion { items.compactMap(\.kernel).max() ?? KernelVersion(3, 18) }

    /// What ``kernel`` does not cover, because nothing is known of it.
    public var unknown: [Item] { items.filter { $0.kernel == nil } }

    /// Looks through `program`, made for `hook`.
    ///
    /// - Complexity: O(number of instructions), in most programs.
    public init(of program: Program, on hook: Hook) {
        var search = Search(hook: hook)
        search.add("programs on \(hook)", hook.minimumKernel)
        let slots = program.functions.reduce(0) { $0 + $1.slotCount }
        if slots > KernelHistory.formerSlotLimit {
            search.add("more than \(KernelHistory.formerSlotLimit) instructions", KernelHistory.longPrograms)
        }
        for map in program.maps { search.add("maps: \(map.kind)", map.kind.minimumKernel) }
        let successors = program.functions.map(\.successors)
        let pointers = Pointers.find(in: program, successors)
        for (index, function) in program.functions.enumerated() {
            search.hasCalls = program.functions.count > 1 || hook.isFunction
            search.look(through: function, at: index, successors[index], pointers[index])
        }
        // Stable: what is of one version stays in the order of the program.
        let order = search.items.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            let never = KernelVersion(.max, 0)
            return (a.kernel ?? never, a.place ?? Place(function: -1, instruction: 0), left.offset)
                < (b.kernel ?? never, b.place ?? Place(function: -1, instruction: 0), right.offset)
        }
        items = order.map(\.element)
    }
}

/// Collects what a program uses.
private struct Search {
    let hook: Hook
    var hasCalls = false
    var items: [Requirements.Item] = []
    private var known: Set<String> = []
    private var place: Requirements.Place?

    init(hook: Hook) { self.hook = hook }

    mutating func add(_ feature: String, _ kernel: KernelVersion?) {
        guard known.insert(feature).inserted else { return }
        items.append(Requirements.Item(feature: feature, kernel: kernel, place: place))
    }

    mutating func look(through function: Function, at number: Int, _ successors: [[Int]], _ pointers: Pointers) {
        let loop = firstJumpBack(in: successors)
        for (index, instruction) in function.instructions.enumerated() {
            place = Requirements.Place(function: number, instruction: index)
            let reference = function.references[index]
            addInstruction(instruction)
            if let reference { addReference(reference, at: index, in: function) }
            if instruction.opcode == .call, reference == nil || instruction.callKind == .local { addCall(instruction) }
            addLoad(instruction, pointers.before[index])
            if hasCalls, instruction.isPacketLoad {
                add("packet loads (LD_ABS, LD_IND) beside functions", KernelHistory.packetLoadsBesideCalls)
            }
            if index == loop { add("loops", KernelHistory.loops) }
        }
        place = nil
    }

    private mutating func addLoad(_ instruction: Instruction, _ pointers: Pointers.Kinds) {
        guard instruction.opcode.instructionClass == .ldx, instruction.opcode.mode == .mem else { return }
        let base = Pointers.bit(instruction.srcReg)
        if pointers.context & base != 0, let member = hook.contextMember(at: instruction.offset) {
            add(member.feature, member.kernel)
        }
        if pointers.packet & base != 0 {
            add("packets through the kernel's own pointers", KernelHistory.plainPacketPointers)
        }
        if pointers.computed & base != 0 {
            add("loads from the stack at a computed place", KernelHistory.computedStackLoads)
        }
    }

    private mutating func addInstruction(_ instruction: Instruction) {
        let opcode = instruction.opcode
        if let condition = opcode.condition {
            if [.less, .lessOrEqual, .signedLess, .signedLessOrEqual].contains(condition) {
                add("jumps where a number is less", KernelHistory.less)
            }
            if opcode.instructionClass == .jmp32 { add("jumps that compare 32 bits", KernelHistory.jump32) }
        }
        if let feature = instruction.featureOfFourthSet { add(feature, KernelHistory.fourthInstructionSet) }
        if opcode == .mayGoto { add("may_goto", KernelHistory.mayGoto) }
        if opcode.mode == .atomic, opcode.instructionClass == .stx, instruction.imm != 0 {
            add("atomic operations other than adding", KernelHistory.fetchingAtomics)
        }
        guard instruction.isWide else { return }
        switch WideKind(rawValue: instruction.srcReg.rawValue) {
        case .mapValue, .mapIndexValue: add("constant tables (.rodata)", KernelHistory.tables)
        case .localFunction: add("functions that helper functions call", KernelHistory.callbacks)
        default: break
        }
    }

    private mutating func addCall(_ instruction: Instruction) {
        switch instruction.callKind {
        case .helper:
            let number = instruction.imm
            let name = KernelHistory.helperName(number).map { "bpf_\($0)" } ?? "helper function \(number)"
            add(name, hook.helper(number) ?? KernelHistory.helper(number))
        case .local: add("program-local functions", KernelHistory.localCalls)
        case .kernelFunction, nil: add("a kernel function by number", nil)
        }
    }

    private mutating func addReference(_ reference: Reference, at index: Int, in function: Function) {
        switch reference {
        case .kernelFunction(let name):
            add(name, KernelHistory.kernelFunction(name))
            if name == "bpf_rdonly_cast", function.castsToVoid(at: index) {
                add("bpf_rdonly_cast to no type", KernelHistory.castToVoid)
            }
        case .kernelField(let structure, let member):
            add("the kernel's own types (BTF)", KernelHistory.kernelTypes)
            if let kernel = KernelHistory.member(member, of: structure) {
                add("\(member) in struct \(structure)", kernel)
            }
        case .kernelType: add("the kernel's own types (BTF)", KernelHistory.kernelTypes)
        case .data: add("constant tables (.rodata)", KernelHistory.tables)
        case .function where function.instructions[index].isWide:
            add("functions that helper functions call", KernelHistory.callbacks)
        case .kernelSymbol(let name): add("\(name), which is no program's to call", nil)
        case .function, .map: break
        }
    }
}
