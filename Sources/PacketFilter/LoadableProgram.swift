import BPFCompiler
import BPFObject
import ExtendedBPF

#if os(Linux)
    import BPFKernel
    import SystemPackage
#endif

/// A program with what a kernel is to be told of it: the hook, the source lines of its instructions, the license.
public struct LoadableProgram: Hashable, Sendable {
    /// The program.
    public let program: ExtendedProgram
    /// What it is for.
    public let hook: Hook
    /// What the kernel is told its license is.
    public var license: String
    /// The text that its line marks count lines of, nil where they count none.
    let source: SourceText?
    /// The data that the program refers to.
    private let data: [ObjectReader.DataSection]

    /// The name of the program.
    public var name: String { program.entry.name }

    init(
        _ program: ExtendedProgram, for hook: Hook, license: String, source: SourceText?,
        data: [ObjectReader.DataSection]? = nil
    ) {
        self.data = data ?? program.dataSections
        self.program = program
        self.hook = hook
        self.license = license
        self.source = source
    }

    /// The programs of an object.
    ///
    /// Loading makes the maps and the data that they refer to, new ones each time.
    /// - Parameter hook: What the programs are for; nil for what their sections say.
    /// - Throws: `ELFError` for bytes that are no object, ``UnknownSection``, ``WrongByteOrder``.
    public static func programs(of bytes: [UInt8], on hook: Hook? = nil) throws -> [LoadableProgram] {
        let object = try ObjectReader(bytes)
        guard object.byteOrder == .host else { throw WrongByteOrder(compiledFor: object.byteOrder) }
        return try object.entries.map { entry in
            guard let hook = hook ?? Hook(section: entry.section) else { throw UnknownSection(name: entry.section) }
            let (program, source) = try object.withLines(entry)
            return LoadableProgram(
                try object.withMaps(program).withKindsOfReferences(), for: hook, license: object.license ?? "",
                source: source, data: object.data)
        }
    }
}

extension ExtendedProgram {
    /// The program's tables as loaders put them together.
    var dataSections: [ObjectReader.DataSection] {
        if data.isEmpty { return [] }
        let layout = DataLayout(of: data)
        let places = Dictionary(zip(layout.tables.map(\.name), layout.offsets)) { first, _ in first }
        return [
            ObjectReader.DataSection(name: ".rodata", bytes: layout.bytes(.host), isReadOnly: true, places: places)
        ]
    }

    /// Whether an instruction refers to data of that name.
    fileprivate func refersToData(in names: some Sequence<String>) -> Bool {
        let names = Set(names)
        return functions.contains { function in
            function.references.values.contains {
                if case .data(let name, _) = $0 { names.contains(name) } else { false }
            }
        }
    }

    /// The program with the calls of kernel functions and the addresses of its own functions marked as such: in objects
    /// they look like calls of functions that other files have, and like numbers.
    fileprivate func withKindsOfReferences() -> ExtendedProgram {
        var program = self
        for index in program.functions.indices {
            for (place, reference) in program.functions[index].references {
                switch reference {
                // BPF_PSEUDO_KFUNC_CALL
                case .kernelFunction: program.functions[index].instructions[place].srcReg = .r2
                // BPF_PSEUDO_FUNC
                case .function where program.functions[index].instructions[place].isWide:
                    program.functions[index].instructions[place].srcReg = .r4
                default: break
                }
            }
        }
        return program
    }
}

extension CompiledProgram {
    /// The program with what a kernel is to be told of it.
    ///
    /// - Throws: ``WrongByteOrder`` for a program for other machines.
    public func loadable(license: String = PacketFilter.defaultLicense) throws(WrongByteOrder) -> LoadableProgram {
        _ = try checked(.host)
        return LoadableProgram(program, for: target.hook, license: license, source: source)
    }
}

#if os(Linux)
    extension LoadableProgram {
        /// Loads the program into the running kernel.
        ///
        /// - Parameter log: What the verifier is to write of an accepted program.
        /// - Throws: As ``CompiledProgram/load(named:license:log:)``.
        public func load(log: LogLevel = []) throws -> LoadedProgram { try load(log: log, maps: [:]) }

        /// Loads the program with the maps of these descriptors, and makes those that are missing.
        ///
        /// The program holds them all from then on.
        func load(log: LogLevel = [], maps: [String: FileDescriptor]) throws -> LoadedProgram {
            let program = try KernelLayout.loadable(program)
            let debug = try BPFObject.DebugInformation(of: program, contextType: hook.contextType, source: source)
            var request = LoadRequest(program, type: hook.programType)
            try request.prepare(for: hook)
            request.license = license
            request.log = log
            let made = try MadeMaps(of: program, except: maps, data)
            request.maps = maps.merging(made.descriptors) { given, _ in given }
            request.data = made.places
            request.debugInformation = BPFKernel.DebugInformation(
                types: debug.btf,
                functionRecords: debug.functionInfo,
                functionRecordSize: BPFObject.DebugInformation.functionInfoRecordSize,
                lineRecords: debug.lineInfo,
                lineRecordSize: BPFObject.DebugInformation.lineInfoRecordSize)
            return try withExtendedLifetime(made) { try LoadedProgram(loading: request) }
        }

        /// The instruction that the verifier looked at last before it refused the program, and what that stands for;
        /// nil where the log names none.
        public func place(of refusal: KernelError) -> Place? {
            guard let slot = refusal.lastInstruction else { return nil }
            let linked = program.linked()
            guard let index = linked.slots.firstIndex(where: { $0.rawValue == slot }) else { return nil }
            let line = linked.lines.last { $0.instruction <= index }?.line ?? 1
            return Place(instruction: index, slot: slot, line: line, text: source?.lines[line - 1] ?? "")
        }

        /// An instruction of a program, and what it stands for.
        public struct Place: Hashable, Sendable {
            /// The instruction, counted from 0.
            public var instruction: Int
            /// The number by which the verifier calls it, which counts wide instructions twice.
            public var slot: Int
            /// The source line, counted from 1; line 1 is the filter as a whole.
            public var line: Int
            /// The line's text: the classic instruction.
            public var text: String
        }
    }

    extension KernelError {
        /// The number at the beginning of the last line of the log that is about an instruction: `12: (85) call …`.
        fileprivate var lastInstruction: Int? {
            for line in log.split(separator: "\n").reversed() {
                let digits = line.prefix { $0.isASCII && $0.isNumber }
                if !digits.isEmpty, line.dropFirst(digits.count).hasPrefix(": ("), let number = Int(digits) {
                    return number
                }
            }
            return nil
        }
    }

    /// The maps that a program needs, until it is loaded and holds them.
    final class MadeMaps {
        private(set) var descriptors: [String: FileDescriptor] = [:]
        private(set) var places: [String: DataPlace] = [:]
        private var owners: [MapOwner] = []

        init(
            of program: ExtendedProgram, except given: [String: FileDescriptor], _ data: [ObjectReader.DataSection]
        ) throws(KernelError) {
            for declaration in program.maps where given[declaration.name] == nil {
                descriptors[declaration.name] = try make(declaration).descriptor
            }
            for section in data where program.refersToData(in: section.places.keys) { try add(section) }
        }

        private func make(_ declaration: MapDeclaration) throws(KernelError) -> MapOwner {
            let owner = try MapOwner(declaration)
            owners.append(owner)
            return owner
        }

        /// An array with one value, which programs know once it is frozen.
        private func add(_ section: ObjectReader.DataSection) throws(KernelError) {
            let name = String(section.name.drop { $0 == "." }.map { $0 == "." ? "_" : $0 })
            let owner = try make(
                MapDeclaration(
                    name: name, kind: .array, keySize: 4, valueSize: UInt32(clamping: section.bytes.count),
                    maxEntries: 1,
                    flags: section.isReadOnly ? .readOnlyForPrograms : []))
            try owner.map.set(section.bytes, of: [0, 0, 0, 0])
            // Kernels before 5.2 do without.
            if section.isReadOnly { try? owner.map.freeze() }
            for (name, offset) in section.places { places[name] = DataPlace(map: owner.descriptor, offset: offset) }
        }
    }

    private final class MapOwner {
        let map: BPFKernel.Map
        var descriptor: FileDescriptor { map.descriptor }

        init(_ declaration: MapDeclaration) throws(KernelError) { map = try BPFKernel.Map(declaration) }
    }
#endif
