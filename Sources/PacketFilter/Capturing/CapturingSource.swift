#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import BPFObject
    import ExtendedBPF
    import SystemPackage

    /// A filter as a program that captures, and the lines it came from.
    struct CapturingSource {
        let program: ExtendedProgram
        /// The names of the reasons for which packets are dropped, nil where the hook does not tell.
        let dropReasons: [UInt32: String]?
        private let hook: Hook
        private let source: SourceText

        init(_ filter: PacketFilter, _ layout: CapturingLayout, vlan view: VLANView?) throws {
            hook = layout.hook
            var options = CompilerOptions(kernel: KernelVersion.running)
            var dropReasonArgument: Int?
            if hook.context == .tracing {
                options.socketBufferArgument = try PacketFilter.packetArgument(of: hook)
                dropReasonArgument = try KernelLayout.dropReasonArgument(of: hook)
            }
            dropReasons = dropReasonArgument == nil ? nil : try KernelLayout.dropReasons()
            let (part, source) = try filter.part(on: hook, showing: view, options: options)
            program = try CapturingProgram.make(part, layout, dropReasonArgument: dropReasonArgument, options: options)
            self.source = source
        }

        /// Loads the program with the maps of these descriptors.
        func load(_ maps: [String: FileDescriptor]) throws -> LoadedProgram {
            try LoadableProgram(program, for: hook, license: PacketFilter.defaultLicense, source: source).load(
                maps: maps)
        }
    }
#endif
