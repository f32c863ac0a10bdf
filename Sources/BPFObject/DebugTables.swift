import ExtendedBPF

/// The types and strings of a program, and what each function's records say, whatever they count in.
struct DebugTables {
    var btf: BTFBuilder
    private var functionTypes: [BTFTypeID] = []
    /// By function, the lines that start in it.
    private var lines: [[Line]] = []

    private struct Line {
        /// Counted from the function's start.
        var slot: Int
        var fileName, text: UInt32
        var number: Int
    }

    /// How much of the BTF's limit the text of source lines may fill; lines beyond it have empty text.
    ///
    /// What is left is enough for the types and names of a hundred thousand functions.
    static let textSizeLimit = 4 << 20

    /// Describes the functions of `program`: `int name(contextType *ctx)`, the first one global. Those that helper
    /// functions call are `long long name(unsigned int index, void *ctx)`, as `bpf_loop` wants them.
    ///
    /// - Parameter result: What the first function returns, where it is to be called from other files.
    init(
        _ program: Program, contextType: String, source: SourceText?, _ order: ByteOrder, result: CType? = nil
    ) throws(ObjectError) {
        try program.validateNames()
        btf = BTFBuilder(order)
        // The kernel knows the context of a function that others can call by the structure's name; it must be one.
        let context = btf.id(
            of: .pointer(to: try context(named: contextType)), opaque: result == nil ? .forward : .empty)
        let parameters = [BTFType.Parameter(name: "ctx", type: context)]
        let called = program.functionsByAddress
        for (index, function) in program.functions.enumerated() {
            let linkage = index == 0 ? BTFType.Linkage.global : .static
            let isCalled = index > 0 && called.contains(function.name)
            let returned = btf.id(of: isCalled ? .integer(bytes: 8, signed: true) : (index == 0 ? result : nil) ?? .int)
            let prototype = btf.share(
                .functionPrototype(result: returned, parameters: isCalled ? Self.roundParameters(&btf) : parameters))
            functionTypes.append(
                btf.add(.function(name: function.name, prototype: prototype, linkage: linkage)))
        }
        for function in program.functions {
            lines.append(try addLines(of: function, source))
        }
    }

    private static func roundParameters(_ btf: inout BTFBuilder) -> [BTFType.Parameter] {
        [
            BTFType.Parameter(name: "index", type: btf.id(of: .unsigned(4))),
            BTFType.Parameter(name: "ctx", type: btf.id(of: .pointer(to: .void))),
        ]
    }

    /// Describes the section `name` that the global `char variable[size]` fills.
    mutating func addText(_ variable: String, size: Int, section name: String) {
        let character = btf.share(.integer(name: "char", bytes: 1, encoding: .signed))
        let array = btf.share(.array(of: character, index: btf.id(of: .int), count: UInt32(size)))
        addVariable(variable, array, size: size, section: name)
    }

    /// Describes the section `name` that one global variable fills.
    mutating func addVariable(_ variable: String, _ type: BTFTypeID, size: Int, section name: String) {
        let variable = btf.add(.variable(name: variable, type: type, linkage: .global))
        let place = BTFType.Place(variable: variable, offset: 0, size: UInt32(size))
        _ = btf.add(.dataSection(name: name, bytes: UInt32(size), variables: [place]))
    }

    /// The offset of `string` in the strings of the BTF.
    mutating func offset(of string: String) -> UInt32 { btf.offset(of: string) }

    /// The contents of the `.BTF` section.
    func bytes() throws(ObjectError) -> [UInt8] {
        do {
            return try btf.bytes()
        } catch {
            throw ObjectError(.types(error.reason))
        }
    }

    /// The record of a function that starts at slot `start`, places counted in `unit`s: 8 for bytes, 1 for slots.
    func functionRecord(_ function: Int, start: Int, unit: Int) -> FunctionRecord {
        FunctionRecord(place: UInt32(start * unit), type: functionTypes[function])
    }

    /// The records of the lines of a function that starts at slot `start`.
    func lineRecords(_ function: Int, start: Int, unit: Int) -> [LineRecord] {
        lines[function].map {
            LineRecord(
                place: UInt32((start + $0.slot) * unit), fileName: $0.fileName, text: $0.text,
                line: UInt32(min($0.number, LineRecord.lineLimit)))
        }
    }

    private mutating func addLines(of function: Function, _ source: SourceText?) throws(ObjectError) -> [Line] {
        try function.validateLines(source)
        guard let source, !source.lines.isEmpty else { return [] }
        var marks = function.lines
        // The kernel wants a line for the first instruction of every function.
        if marks.first?.instruction != 0 { marks.insert(LineMark(instruction: 0, line: 1), at: 0) }
        let slots = function.slots
        let fileName = btf.offset(of: SourceText.shown(source.fileName))
        return marks.map {
            let text = btf.size < Self.textSizeLimit ? SourceText.shown(source.lines[$0.line - 1]) : ""
            return Line(
                slot: slots[$0.instruction].rawValue, fileName: fileName, text: btf.offset(of: text), number: $0.line)
        }
    }
}

/// What a context pointer points to. Two names are no structures'; they have the names that C gives them.
func context(named name: String) throws(ObjectError) -> CType {
    switch name {
    case "void": return .void
    case "unsigned long long": return .unsigned(8)
    default:
        try validateName(name)
        return .structure(name)
    }
}

extension Program {
    /// The functions whose addresses instructions have.
    var functionsByAddress: Set<String> {
        var names: Set<String> = []
        for function in functions {
            for case (let index, .function(let name)) in function.references
            where function.instructions[index].isWide { names.insert(name) }
        }
        return names
    }
}
