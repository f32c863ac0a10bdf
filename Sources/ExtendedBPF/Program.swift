/// An eBPF program: its functions, the first of which is where the kernel enters.
public struct Program: Hashable, Sendable {
    /// The functions, at least one; calls between them are by name.
    public var functions: [Function]
    /// The tables that instructions read, each named once.
    public var data: [DataTable]
    /// The maps that instructions name, each named once.
    public var maps: [MapDeclaration]

    /// Makes a program.
    ///
    /// - Precondition: There is at least one function and every function's name is there once.
    public init(functions: [Function], data: [DataTable] = [], maps: [MapDeclaration] = []) {
        precondition(!functions.isEmpty, "a program has a function to enter at")
        precondition(Set(functions.map(\.name)).count == functions.count, "function names are unique")
        self.functions = functions
        self.data = data
        self.maps = maps
    }

    /// The function the kernel enters at.
    public var entry: Function { functions[0] }

    /// The program with its entry called `name`; functions and tables named after the entry are renamed with it.
    public func renamed(_ name: String) -> Program {
        let old = entry.name
        func renamed(_ part: String) -> String {
            part == old || part.hasPrefix(old + "_") ? name + part.dropFirst(old.count) : part
        }
        var copy = self
        for index in copy.data.indices { copy.data[index].name = renamed(copy.data[index].name) }
        for index in copy.functions.indices {
            copy.functions[index].name = renamed(copy.functions[index].name)
            copy.functions[index].references = copy.functions[index].references.mapValues { reference in
                switch reference {
                case .function(let callee): .function(renamed(callee))
                case .data(let table, let offset): .data(renamed(table), offset: offset)
                default: reference
                }
            }
        }
        return copy
    }

    /// All functions one behind the other, program-local calls resolved to distances.
    ///
    /// - Precondition: Every program-local call names a function of the program.
    public func linked() -> Function {
        var starts: [String: Int] = [:]
        var slots = 0
        for function in functions {
            starts[function.name] = slots
            slots += function.slotCount
        }
        var result = Function(name: entry.name)
        var slot = 0
        for function in functions {
            let base = result.instructions.count
            result.lines += function.lines.map { LineMark(instruction: base + $0.instruction, line: $0.line) }
            for (index, instruction) in function.instructions.enumerated() {
                var instruction = instruction
                switch function.references[index] {
                case .function(let callee):
                    guard let start = starts[callee] else { preconditionFailure("no function \(callee)") }
                    instruction.imm = Int32(start - slot - 1)
                case let reference?:
                    result.references[base + index] = reference
                case nil:
                    break
                }
                result.instructions.append(instruction)
                slot += instruction.slots
            }
        }
        return result
    }
}

/// One function: instructions, what they refer to, and the source lines they came from.
public struct Function: Hashable, Sendable {
    /// The name, a C identifier.
    public var name: String
    /// The instructions; jumps inside the function are resolved.
    public var instructions: [Instruction]
    /// By index of the instruction, what its `imm` or `offset` stands for and is filled in later.
    public var references: [Int: Reference]
    /// Where source lines begin, by ascending index of the instruction.
    public var lines: [LineMark]

    /// Makes a function.
    public init(
        name: String, instructions: [Instruction] = [], references: [Int: Reference] = [:], lines: [LineMark] = []
    ) {
        self.name = name
        self.instructions = instructions
        self.references = references
        self.lines = lines
    }

    /// The number of 64-bit slots the instructions fill.
    public var slotCount: Int { instructions.reduce(0) { $0 + $1.slots } }

    /// The slot each instruction starts at.
    public var slots: [Slot] {
        var next = 0
        return instructions.map { instruction in
            defer { next += instruction.slots }
            return Slot(rawValue: next)
        }
    }
}

/// The first instruction that came from a line of the program's source.
public struct LineMark: Hashable, Sendable {
    /// The index of the instruction in its function.
    public var instruction: Int
    /// The source line, counted from 1.
    public var line: Int

    /// Makes a mark.
    public init(instruction: Int, line: Int) {
        self.instruction = instruction
        self.line = line
    }
}

/// What a field of an instruction stands for until a loader or linker knows the number.
public enum Reference: Hashable, Sendable {
    /// The program-local function of that name; the distance goes into the `imm` of a call.
    case function(String)
    /// The map of that name; its descriptor goes into a wide instruction of kind ``WideKind/mapDescriptor``.
    case map(String)
    /// A place in the table of that name, counted in bytes from its start; its address goes into a wide instruction of
    /// kind ``WideKind/mapValue``.
    case data(String, offset: Int)
    /// The kernel function (kfunc) of that name; its BTF id goes into the `imm` of a call.
    case kernelFunction(String)
    /// A function inside the kernel, no helper of the stable interface; its address, counted from
    /// `__bpf_call_base`, goes into the `imm` of a call.
    case kernelSymbol(String)
    /// A member of a kernel structure; its distance in bytes goes into the `offset` of a load or store, or into the
    /// `imm` of a 64-bit `add`.
    ///
    /// The member may be a path through structures held in one another, `"__sk_common.skc_family"`. Members of unnamed
    /// structures and unions count as those of the structure around them, as in C.
    case kernelField(structure: String, member: String)
    /// The kernel structure of that name; its BTF id goes into the `imm` of a `mov`, as `bpf_rdonly_cast` wants it.
    case kernelType(String)
}
