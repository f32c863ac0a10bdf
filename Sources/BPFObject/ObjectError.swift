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
        /// The reference is to something that objects cannot hold yet.
        case unsupportedReference(Reference)
        /// A function is named by an instruction that is no program-local call.
        case misplacedReference(function: String)
        /// A call or a wide instruction refers to a function or a map by a number that another kernel, or the same
        /// one later, would not know.
        case unnamedReference
        /// A call names a function that the program does not have.
        case noSuchFunction(String)
        /// A call names the function that the kernel enters at.
        case callOfEntry(String)
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
            "the name \(name.debugDescription) is there twice, every function needs its own"
        case .invalidSection(let name):
            "\(name.debugDescription) is no section for a program, that is one like \"socket\" or \"classifier\""
        case .invalidLicense(let license):
            "\(license.debugDescription) is no license, that is a text without NUL like \"GPL\""
        case .emptyFunction:
            "there are no instructions, a function needs at least exit"
        case .noSuchInstruction(let count):
            "there is no such instruction, the function has \(count)"
        case .unsupportedReference(let reference):
            "an object cannot hold \(description(of: reference)) yet, only program-local functions"
        case .misplacedReference(let function):
            "function \(function.debugDescription) is named here, only a program-local call can do that"
        case .unnamedReference:
            "a function or a map is referred to by number, it must be by name"
        case .noSuchFunction(let name):
            "there is no function \(name.debugDescription) in the program"
        case .callOfEntry(let name):
            "function \(name.debugDescription) is the program's entry, only other functions can be called"
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
        case .kernelFunction(let name): "kernel function \(name.debugDescription)"
        case .kernelSymbol(let name): "kernel symbol \(name.debugDescription)"
        case .kernelField(let structure, let member): "kernel field \("\(structure).\(member)".debugDescription)"
        }
    }
}
