#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import BPFObject
    import ExtendedBPF
    import SystemPackage

    /// Filters in the kernel whose matches are counted, all by one program, as long as this object lives.
    ///
    ///     let counter = try PacketCounter(["tcp", "udp"], at: .packetSocket(interface: "eth0"))
    ///     for try await counts in counter.updates() {
    ///         print(counts.filters.map { "\($0.name) \($0.bytes)" })
    ///     }
    ///
    /// The packets themselves are not touched. Reading the counts takes one system call, whatever the number of filters.
    public final class PacketCounter: @unchecked Sendable {
        // Unchecked: descriptors that never change, and system calls that any thread may make at any time.
        /// The names of the filters, in order.
        public let names: [String]
        /// Where they are.
        public let place: CountingPlace
        private let layout: CountingLayout
        private let maps: CountingMaps
        private let program: LoadedProgram
        private let attachment: CountingAttachment

        /// Compiles, loads and attaches `filters`.
        ///
        /// - Parameters:
        ///   - filters: The filters, compiled for the place's ``CountingPlace/linkType``.
        ///   - place: Where they are to be.
        ///   - histogram: What to make a histogram of, if anything.
        ///   - view: The packet that filters are shown, as to its VLAN tag; nil for each filter's default.
        /// - Throws: ``CountingError``, ``CompilerError``, ``KernelError`` with the verifier's log.
        public init(
            _ filters: [CountedFilter], at place: CountingPlace, histogram: Histogram? = nil, vlan view: VLANView? = nil
        ) throws {
            let counting = try CountingSource(filters, on: place.hook, histogram: histogram, vlan: view)
            names = filters.map(\.name)
            self.place = place
            layout = CountingLayout(filterCount: filters.count, histogram: histogram)
            maps = try CountingMaps(layout)
            program = try counting.load(maps.descriptors)
            attachment = try CountingAttachment(program, at: place)
        }

        /// Compiles `expressions`, each its own name, for what packets begin with at `place`, and loads and attaches them.
        ///
        /// - Throws: `PcapError` and what the other initialiser throws.
        public convenience init(_ expressions: [String], at place: CountingPlace, histogram: Histogram? = nil) throws {
            let linkType = try place.linkType
            try self.init(
                expressions.map { CountedFilter($0, try PacketFilter($0, linkType: linkType)) }, at: place,
                histogram: histogram)
        }

        /// What has been counted so far.
        ///
        /// - Throws: ``KernelError``.
        public func counts() throws -> Counts {
            Counts(time: secondsSince1970(), try maps.counts, names, layout)
        }

        /// What the kernel knows of the program.
        ///
        /// - Throws: ``KernelError``.
        public func programInformation() throws -> ProgramInformation { try program.information() }

        /// Whether the program is still where it was put; once it is not, nothing is counted any more.
        public var isAttached: Bool { !attachment.isGone }
    }
#endif
