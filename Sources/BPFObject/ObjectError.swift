import ExtendedBPF

/// Why a program cannot be an object, and where.
public struct ObjectError: Error, Hashable, Sendable {
    /// What is wrong, with the offending value and the limit.
    public enum Reason: Hashable, Sendable {
        /// There are no functions.
        case emptyProgram
        /// A function or the context's type has a name that is no C identifier, or a longer one than kernels take.
        case invalidName(String, limit: Int)
        /// Two things of the object have this name.
        case repeatedName(String)
        /// The section cannot hold a program.
        case invalidSection(String)
        /// The license is empty or holds a NUL.
        case invalidLicense(String)
        /// A function has no instructions.
        case emptyFunction
        /// Something belongs to an instruction past the function's end.
        case noSuchInstruction(count: Int)
        /// The reference is to something that only the running kernel knows.
        case unsupportedReference(Reference)
        /// The instruction cannot hold what the reference stands for.
        case misplacedReference(Reference)
        /// A call or a wide instruction refers to a function or a map by a number that another kernel, or the same
        /// one later, would not know.
        case unnamedReference
        /// A call names a function that the program does not have.
        case noSuchFunction(String)
        /// A call names the function that the kernel enters at.
        case callOfEntry(String)
        /// An instruction names a map that the program does not have.
        case noSuchMap(String)
        /// An instruction names a table that the program does not have.
        case noSuchTable(String)
        /// A place is not inside its table.
        case outsideTable(String, offset: Int, size: Int)
        /// A table has no elements.
        case emptyTable(String)
        /// A map without keys or values has sizes of them, or one with them has none.
        case invalidMapSizes(String, key: UInt32, value: UInt32)
        /// A call names a kernel function of which parameters and result are not known.
        case undeclaredKernelFunction(String)
        /// A member of a kernel structure has no known type.
        case undeclaredMember(String, structure: String)
        /// A member is declared as a value and as a structure.
        case contradictoryMember(String, structure: String)
        /// A line mark is not behind the one before it.
        case unorderedLineMark
        /// A line mark names a line that the source does not have.
        case noSuchLine(Int, count: Int)
        /// The types or strings do not fit.
        case types(BTFError.Reason)
    }

    /// What is wrong.
    public var reason: Reason

    /// The name of the function, or nil if the program as a whole is meant.
    public var function: String?

    /// The index of the instruction in its function, or nil if the function as a whole is meant.
    public var instruction: Int?

    /// Makes an error.
    public init(_ reason: Reason, function: String? = nil, instruction: Int? = nil) {
        self.reason = reason
        self.function = function
        self.instruction = instruction
    }
}

extension ObjectError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        switch (function, instruction) {
        case (let function?, let instruction?): "function \(function), instruction \(instruction): \(reason)"
        case (let function?, nil): "function \(function): \(reason)"
        default: reason.description
        }
    }
}

extension ObjectError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .emptyProgram:
            "the program has no functions, it needs at least one"
        case .invalidName(let name, let limit):
            "\(name.debugDescription) is no name, that is a C identifier of at most \(limit) bytes"
        case .repeatedName(let name):
            "the name \(name.debugDescription) is there twice, everything that has one needs its own"
        case .invalidSection(let name):
            "\(name.debugDescription) is no section for a program, that is one like \"socket\" or \"classifier\""
        case .invalidLicense(let license):
            "\(license.debugDescription) is no license, that is a text without NUL like \"GPL\""
        case .emptyFunction:
            "there are no instructions, a function needs at least exit"
        case .noSuchInstruction(let count):
            "there is no such instruction, the function has \(count)"
        case .unsupportedReference(let reference):
            "an object cannot hold \(description(of: reference)), its number is another on every kernel"
        case .misplacedReference(let reference):
            "\(description(of: reference)) is named here, only \(place(of: reference)) can do that"
        case .unnamedReference:
            "a function or a map is referred to by number, it must be by name"
        case .noSuchFunction(let name):
            "there is no function \(name.debugDescription) in the program"
        case .callOfEntry(let name):
            "function \(name.debugDescription) is the program's entry, only other functions can be called"
        case .noSuchMap(let name):
            "there is no map \(name.debugDescription) in the program"
        case .noSuchTable(let name):
            "there is no table \(name.debugDescription) in the program"
        case .outsideTable(let name, let offset, let size):
            "byte \(offset) is not in table \(name.debugDescription), that has \(size) bytes"
        case .emptyTable(let name):
            "table \(name.debugDescription) has no elements, it needs at least one"
        case .invalidMapSizes(let name, let key, let value):
            "map \(name.debugDescription) has keys of \(key) bytes and values of \(value), "
                + "a ring buffer has neither, other maps both"
        case .undeclaredKernelFunction(let name):
            "what kernel function \(name.debugDescription) takes is not known, it must be declared"
        case .undeclaredMember(let member, let structure):
            "the type of \("\(structure).\(member)".debugDescription) is not known, it must be declared"
        case .contradictoryMember(let member, let structure):
            "\("\(structure).\(member)".debugDescription) is named as a value and as a structure, it can be one of them"
        case .unorderedLineMark:
            "a line mark must stand at a later instruction than the one before it"
        case .noSuchLine(let line, let count):
            "there is no line \(line), the source has lines 1 to \(count)"
        case .types(let reason):
            reason.description
        }
    }

    private func description(of reference: Reference) -> String {
        switch reference {
        case .function(let name): "function \(name.debugDescription)"
        case .map(let name): "map \(name.debugDescription)"
        case .data(let name, _): "table \(name.debugDescription)"
        case .kernelFunction(let name): "kernel function \(name.debugDescription)"
        case .kernelSymbol(let name): "kernel symbol \(name.debugDescription)"
        case .kernelField(let structure, let member): "kernel field \("\(structure).\(member)".debugDescription)"
        case .kernelType(let name): "kernel type \(name.debugDescription)"
        }
    }

    /// The instructions that can refer to such a thing.
    private func place(of reference: Reference) -> String {
        switch reference {
        case .function: "a program-local call"
        case .map: "a wide instruction for a map's descriptor"
        case .data: "a wide instruction for a place in a map's value"
        case .kernelFunction, .kernelSymbol: "a call of a kernel function"
        case .kernelField: "a load, a store or a 64-bit add of a constant"
        case .kernelType: "a mov of a constant"
        }
    }
}
