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

    /// Throws unless all that instructions refer to is a program-local function, by name and by a call.
    func validateReferences() throws(ObjectError) {
        let callees = Set(functions.dropFirst().map(\.name))
        for function in functions {
            let count = function.instructions.count
            // Whatever is outside, the first of it in the program's order.
            if let outside = function.references.keys.filter({ !(0..<count ~= $0) }).min() {
                throw ObjectError(.noSuchInstruction(count: count), function: function.name, instruction: outside)
            }
            for (index, instruction) in function.instructions.enumerated() {
                let isCall = instruction.callKind == .local
                // `src_reg` 0 is a helper's or a plain number, the same on every kernel.
                let isReference = (instruction.opcode == .call || instruction.isWide) && instruction.srcReg != .r0
                let reason: ObjectError.Reason? =
                    switch function.references[index] {
                    case nil: isReference ? .unnamedReference : nil
                    case .function(let name) where !isCall: .misplacedReference(function: name)
                    case .function(let name) where name == entry.name: .callOfEntry(name)
                    case .function(let name): callees.contains(name) ? nil : .noSuchFunction(name)
                    case let reference?: .unsupportedReference(reference)
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
