import ExtendedBPF

/// The most bytes of a name that every kernel with BTF takes: `KSYM_NAME_LEN` less its NUL, before Linux 6.1.
let nameSizeLimit = 127

/// Throws unless `name` is a C identifier that the kernel takes.
func validateName(_ name: String) throws(ObjectError) {
    let isIdentifier = name.utf8.enumerated().allSatisfy { index, byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
        default: false
        }
    }
    guard isIdentifier, 1...nameSizeLimit ~= name.utf8.count else {
        throw ObjectError(.invalidName(name, limit: nameSizeLimit))
    }
}

extension Program {
    /// Throws unless there are functions and each has a name of its own and a first instruction.
    func validateNames() throws(ObjectError) {
        if functions.isEmpty { throw ObjectError(.emptyProgram) }
        var names: Set<String> = []
        for function in functions {
            try validateName(function.name)
            guard names.insert(function.name).inserted else { throw ObjectError(.repeatedName(function.name)) }
            if function.instructions.isEmpty { throw ObjectError(.emptyFunction, function: function.name) }
        }
    }

    /// Throws unless tables, maps and kernel functions have names of their own too, and sizes that can be.
    ///
    /// - Parameter taken: Names that the object needs itself.
    func validateSymbols(taken: Set<String>) throws(ObjectError) {
        var names = taken
        let symbols = functions.map(\.name) + data.map(\.name) + maps.map(\.name) + kernelFunctions
        for name in symbols {
            try validateName(name)
            guard names.insert(name).inserted else { throw ObjectError(.repeatedName(name)) }
        }
        for table in data where table.elements.isEmpty { throw ObjectError(.emptyTable(table.name)) }
        for map in maps {
            let isEmpty = map.kind == .ringBuffer
            guard (map.keySize == 0) == isEmpty, (map.valueSize == 0) == isEmpty else {
                throw ObjectError(.invalidMapSizes(map.name, key: map.keySize, value: map.valueSize))
            }
        }
    }

    /// Throws unless all that instructions refer to is there, by name, and in an instruction that can hold it.
    func validateReferences() throws(ObjectError) {
        let known = Names(self)
        for function in functions {
            let count = function.instructions.count
            // Whatever is outside, the first of it in the program's order.
            if let outside = function.references.keys.filter({ !(0..<count ~= $0) }).min() {
                throw ObjectError(.noSuchInstruction(count: count), function: function.name, instruction: outside)
            }
            for (index, instruction) in function.instructions.enumerated() {
                // `src_reg` 0 is a helper's or a plain number, the same on every kernel.
                let isReference = (instruction.opcode == .call || instruction.isWide) && instruction.srcReg != .r0
                let reason: ObjectError.Reason? =
                    switch function.references[index] {
                    case nil: isReference ? .unnamedReference : nil
                    case let reference? where !instruction.canHold(reference): .misplacedReference(reference)
                    case let reference?: known.objection(to: reference)
                    }
                if let reason { throw ObjectError(reason, function: function.name, instruction: index) }
            }
        }
    }
}

extension Function {
    /// Throws unless the line marks ascend and name lines of `source`; without a source they mean nothing.
    func validateLines(_ source: SourceText?) throws(ObjectError) {
        guard let source else { return }
        var last = -1
        for mark in lines {
            let place = mark.instruction
            let reason: ObjectError.Reason? =
                if place <= last {
                    .unorderedLineMark
                } else if place >= instructions.count {
                    .noSuchInstruction(count: instructions.count)
                } else if !(1...max(1, source.lines.count) ~= mark.line) || source.lines.isEmpty {
                    .noSuchLine(mark.line, count: source.lines.count)
                } else {
                    nil
                }
            if let reason { throw ObjectError(reason, function: name, instruction: place) }
            last = place
        }
    }
}

/// What a program has that instructions can name.
private struct Names {
    let entry: String
    let callees: Set<String>
    let maps: Set<String>
    let tableSizes: [String: Int]

    init(_ program: Program) {
        entry = program.entry.name
        callees = Set(program.functions.dropFirst().map(\.name))
        maps = Set(program.maps.map(\.name))
        tableSizes = Dictionary(program.data.map { ($0.name, $0.size) }) { first, _ in first }
    }

    /// Why the reference leads nowhere, or nil.
    func objection(to reference: Reference) -> ObjectError.Reason? {
        switch reference {
        case .function(entry): return .callOfEntry(entry)
        case .function(let name): return callees.contains(name) ? nil : .noSuchFunction(name)
        case .map(let name): return maps.contains(name) ? nil : .noSuchMap(name)
        case .data(let name, let offset):
            guard let size = tableSizes[name] else { return .noSuchTable(name) }
            return 0..<size ~= offset ? nil : .outsideTable(name, offset: offset, size: size)
        case .kernelSymbol: return .unsupportedReference(reference)
        case .kernelFunction, .kernelField, .kernelType: return nil
        }
    }
}

extension Instruction {
    /// Whether what the reference stands for has a field here.
    fileprivate func canHold(_ reference: Reference) -> Bool {
        let wideKind = isWide ? WideKind(rawValue: srcReg.rawValue) : nil
        let isMemoryAccess = [.ldx, .st, .stx].contains(opcode.instructionClass)
        let isArithmetic = [.alu, .alu64].contains(opcode.instructionClass) && opcode.operand == .immediate
        switch reference {
        case .function: return callKind == .local || wideKind == .localFunction
        case .map: return wideKind == .mapDescriptor
        case .data: return wideKind == .mapValue
        case .kernelFunction: return callKind == .kernelFunction
        case .kernelSymbol: return opcode == .call
        case .kernelField:
            return isMemoryAccess || isArithmetic && opcode.instructionClass == .alu64 && opcode.arithmetic == .add
        case .kernelType: return isArithmetic && opcode.arithmetic == .move
        }
    }
}
