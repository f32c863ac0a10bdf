#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import BPFObject
    import ExtendedBPF
    import SystemPackage

    /// Filters as one program that counts, and the lines it came from.
    package struct CountingSource {
        let program: ExtendedProgram
        private let hook: Hook
        private let source: SourceText

        package init(
            _ filters: [CountedFilter], on hook: Hook, histogram: Histogram?, vlan view: VLANView?
        ) throws {
            try Self.check(filters, histogram)
            var options = CompilerOptions(kernel: KernelVersion.running)
            if hook.context == .tracing { options.socketBufferArgument = try PacketFilter.packetArgument(of: hook) }
            let parts = try filters.map { try $0.filter.part(on: hook, showing: view, options: options) }
            self.hook = hook
            program = try CountingProgram.join(
                parts.map(\.part), on: hook, lineCounts: parts.map(\.source.lines.count), histogram: histogram,
                options: options)
            source = SourceText(fileName: "filter.cbpf", lines: parts.flatMap(\.source.lines))
        }

        private static func check(_ filters: [CountedFilter], _ histogram: Histogram?) throws(CountingError) {
            if filters.isEmpty { throw CountingError(.noFilter) }
            let limit = CountingLayout.maximumFilterCount(with: histogram)
            guard filters.count <= limit else { throw CountingError(.tooManyFilters(filters.count, limit: limit)) }
            var names: Set<String> = []
            for filter in filters where !names.insert(filter.name).inserted {
                throw CountingError(.sameName(filter.name))
            }
        }

        /// The program, to be run in tests on packets with these maps.
        package func timed(with maps: CountingMaps) throws -> TestedProgram {
            try TestedProgram(
                KernelLayout.loadable(program), at: hook, match: hook.untouched, other: hook.untouched,
                maps: maps.descriptors)
        }

        /// Loads the program with the maps of these descriptors.
        func load(_ maps: [String: FileDescriptor]) throws -> LoadedProgram {
            try LoadableProgram(program, for: hook, license: PacketFilter.defaultLicense, source: source).load(
                maps: maps)
        }
    }

    /// The maps of a counting program.
    package final class CountingMaps {
        private let maps: [MapOwner]

        package init(_ layout: CountingLayout) throws(KernelError) {
            var maps: [MapOwner] = []
            for declaration in layout.maps { maps.append(try MapOwner(declaration)) }
            self.maps = maps
        }

        /// The value of the one with the counts, a part for each processor.
        var counts: [UInt8] {
            get throws(KernelError) { try maps[0].map.value(of: [0, 0, 0, 0]) ?? [] }
        }

        /// Their descriptors by their names.
        var descriptors: [String: FileDescriptor] {
            Dictionary(uniqueKeysWithValues: maps.map { ($0.map.declaration.name, $0.map.descriptor) })
        }
    }

    /// A map in an object of its own; arrays do not hold what cannot be copied.
    private final class MapOwner {
        let map: BPFKernel.Map

        init(_ declaration: MapDeclaration) throws(KernelError) { map = try BPFKernel.Map(declaration) }
    }
#endif
