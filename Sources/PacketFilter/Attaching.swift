#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import SystemPackage

    /// A program in the running kernel, at the place where it runs. It is taken from there when this value ends, and
    /// when the process does, however that comes about.
    public struct Attachment: ~Copyable {
        /// The program.
        public let program: LoadedProgram
        /// What holds it at its place.
        public let link: BPFKernel.Link

        /// Attaches a program at a place, which has to be one that it was compiled for.
        fileprivate init(_ program: consuming LoadedProgram, at place: AttachPlace) throws(KernelError) {
            link = try BPFKernel.Link(attaching: program, at: place)
            self.program = program
        }

        /// Keeps the program attached when this value ends, until the file at `path` is removed, which has to be in a
        /// BPF file system.
        ///
        /// - Throws: ``KernelError`` with what is in the way.
        public func pin(at path: FilePath) throws(KernelError) { try link.pin(at: path) }

        /// Whether the program is no longer where it was attached: the interface or control group is gone, or somebody
        /// has detached it.
        public var isGone: Bool { (try? link.information().place.isGone) ?? false }
    }

    extension CompiledProgram {
        /// Loads the program and attaches it to what its hook belongs to.
        ///
        /// - Parameters: As for ``load(named:license:log:)``.
        /// - Throws: What loading throws; ``AttachError``; ``KernelError`` where the kernel does not attach it.
        public func attach(
            to owner: HookOwner, named name: String? = nil, license: String = PacketFilter.defaultLicense
        ) throws -> Attachment {
            try target.hook.checkHasLinks()
            return try owner.withPlace(of: target.hook) { place in
                try Attachment(load(named: name, license: license), at: place)
            }
        }
    }

    extension PacketFilter {
        /// Compiles the filter for the running kernel, and attaches it.
        ///
        ///     let attachment = try filter.attach(to: .xdp(interface: "eth0"), match: .drop)
        ///
        /// On cgroup and netfilter hooks packets begin with their IP header: the filter is to be one for
        /// `LinkType.rawIP`.
        /// - Parameters:
        ///   - point: Where.
        ///   - match: What packets that match get.
        ///   - noMatch: What other packets get; nil lets them pass.
        /// - Throws: What compiling and ``CompiledProgram/attach(to:named:license:)`` throw.
        public func attach<Verdict: NamedVerdict>(
            to point: AttachPoint<Verdict>, match: Verdict, noMatch: Verdict? = nil
        ) throws -> Attachment {
            let target = Target(
                hook: point.hook, match: BPFCompiler.Verdict(match), noMatch: noMatch.map { BPFCompiler.Verdict($0) })
            return try compile(for: target, options: CompilerOptions(kernel: .running)).attach(to: point.owner)
        }
    }

    /// What the kernel knows of a loaded program.
    public typealias ProgramInformation = BPFKernel.ProgramInformation
    /// Where a program is going to be attached, as the kernel calls it.
    public typealias AttachType = BPFKernel.AttachType
    /// The kernel counts runs of programs as long as there is one of these.
    public typealias RunStatistics = BPFKernel.RunStatistics

    /// A link of the machine with a program that this package made.
    public struct AttachedProgram: Sendable {
        /// What the kernel knows of the link.
        public var link: LinkInformation
        /// What the kernel knows of the program.
        public var program: ProgramInformation
        /// The filter: its expression, or what stands for that.
        public var filter: String
        /// The names of the link in the BPF file systems that the caller sees.
        public var pins: [String]

        /// What the kernel knows of a link.
        public typealias LinkInformation = BPFKernel.LinkInformation

        /// All of them, those that a running process holds and those that a pin does.
        ///
        /// The programs are known by the file that their line information names, which others could name too.
        /// - Throws: ``KernelError`` with `EPERM` without CAP_SYS_ADMIN.
        public static func all() throws(KernelError) -> [AttachedProgram] {
            let pins = RunningKernel.pinnedLinks()
            var found: [AttachedProgram] = []
            for identifier in try BPFKernel.Link.identifiers() {
                // A link may have ended since the list was made.
                if let attached = try? AttachedProgram(ofLink: identifier, pins: pins[identifier] ?? []) {
                    found.append(attached)
                }
            }
            return found
        }

        /// - Throws: ``NotOurs`` where the link's program is another's.
        init(ofLink identifier: UInt32, pins: [String]) throws {
            link = try BPFKernel.Link(identifier: identifier).information()
            (program, filter) = try Self.describe(link.programIdentifier)
            self.pins = pins
        }

        private static func describe(_ identifier: UInt32) throws -> (ProgramInformation, String) {
            let program = try LoadedProgram(identifier: identifier)
            guard let line = try program.firstLine(), line.fileName == CompiledProgram.sourceFileName else {
                throw NotOurs(program: identifier)
            }
            return (try program.information(), line.text)
        }

        /// Takes the program from its place and removes the link's names.
        ///
        /// - Throws: ``KernelError`` where the link can only end with the process that holds it.
        public func detach() throws(KernelError) {
            do throws(KernelError) {
                try BPFKernel.Link(identifier: link.identifier).detach()
            } catch  where error.errno == .notSupported && !pins.isEmpty {
                // Such a link ends with its last holder, which its names are, unless a process has it too.
            }
            for pin in pins { try removePin(at: FilePath(pin)) }
        }

        /// The name of the interface of that index in the caller's network namespace, or nil where there is none.
        public static func interfaceName(ofIndex index: UInt32) -> String? {
            RunningKernel.interfaceName(ofIndex: index)
        }

        /// The folder of the control group of that number, or nil where it cannot be found.
        public static func controlGroup(ofNumber number: UInt64) -> String? {
            RunningKernel.controlGroup(ofNumber: number)
        }

        /// The link of that number.
        ///
        /// - Throws: ``KernelError`` where there is none, ``NotOurs``.
        public static func ofLink(_ identifier: UInt32) throws -> AttachedProgram {
            try AttachedProgram(ofLink: identifier, pins: RunningKernel.pinnedLinks()[identifier] ?? [])
        }

        /// The link of that name in a BPF file system.
        ///
        /// - Throws: ``KernelError`` where there is none, ``NotOurs``.
        public static func pinned(at path: FilePath) throws -> AttachedProgram {
            let identifier = try BPFKernel.Link(pinnedAt: path).information().identifier
            var attached = try ofLink(identifier)
            if !attached.pins.contains(path.string) { attached.pins.append(path.string) }
            return attached
        }
    }

    /// A program is not one of this package's.
    public struct NotOurs: Error, Hashable, Sendable, CustomStringConvertible {
        /// The program's number.
        public var program: UInt32

        /// What was found, what would be right.
        public var description: String {
            "program \(program) is not one that cbpf2ebpf made, bpftool can detach it"
        }
    }
#endif
