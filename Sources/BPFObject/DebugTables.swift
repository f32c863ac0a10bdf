import ExtendedBPF

/// The types and strings of a program, and what each function's records say, whatever they count in.
struct DebugTables {
    private var btf: BTFBuilder
    private let int: BTFTypeID
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

    /// Describes the functions of `program`: `int name(struct contextType *ctx)`, the first one global.
    init(_ program: Program, contextType: String, source: SourceText?, _ order: ByteOrder) throws(ObjectError) {
        try program.validateNames()
        try validateName(contextType)
        btf = BTFBuilder(order)
        let context = btf.add(.pointer(to: btf.add(.forwardStructure(name: contextType))))
        int = btf.add(.integer(name: "int", bytes: 4, signed: true))
        let prototype = btf.add(
            .functionPrototype(result: int, parameters: [BTFType.Parameter(name: "ctx", type: context)]))
        for (index, function) in program.functions.enumerated() {
            let linkage = index == 0 ? BTFType.Linkage.global : .static
            functionTypes.append(
                btf.add(.function(name: function.name, prototype: prototype, linkage: linkage)))
        }
        for function in program.functions {
            lines.append(try addLines(of: function, source))
        }
    }

    /// Describes the section `name` that the global `char variable[size]` fills.
    mutating func addText(_ variable: String, size: Int, section name: String) {
        let character = btf.add(.integer(name: "char", bytes: 1, signed: true))
        let array = btf.add(.array(of: character, index: int, count: UInt32(size)))
        let variable = btf.add(.variable(name: variable, type: array))
        _ = btf.add(.dataSection(name: name, variable: variable, bytes: UInt32(size)))
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
