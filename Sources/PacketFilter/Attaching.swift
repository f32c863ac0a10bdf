#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import SystemPackage

    /// A program in the running kernel, at the place where it runs. It is taken from there when this value ends, and
    /// when the process does, however that comes about; from clsact it is not where the process is killed.
    public struct Attachment: ~Copyable {
        /// The program.
        public let program: LoadedProgram
        private let hook: Hook
        private let place: HeldPlace

        fileprivate init(_ program: consuming LoadedProgram, on hook: Hook, by place: HeldPlace) {
            self.program = program
            self.hook = hook
            self.place = place
        }

        /// What holds the program at its place.
        public var holder: AttachedProgram.Holder {
            get throws(KernelError) {
                switch place {
                case .filter(let filter): .filter(filter.filter.information)
                case .link(let link): .link(try link.link.information())
                }
            }
        }

        /// Keeps the program attached when this value ends, until the file at `path` is removed, which has to be in a
        /// BPF file system.
        ///
        /// - Throws: ``KernelError`` with what is in the way, ``AttachError`` for a program at clsact.
        public func pin(at path: FilePath) throws {
            guard case .link(let link) = place else { throw AttachError(.noPin, hook) }
            try link.link.pin(at: path)
        }

        /// Whether the program is no longer where it was attached: the interface or control group is gone, or somebody
        /// has detached it.
        public var isGone: Bool {
            switch place {
            case .filter(let filter): filter.filter.information.isGone
            case .link(let link): (try? link.link.information().place.isGone) ?? false
            }
        }
    }

    /// What holds a program at its place, each in an object: what cannot be copied is in no enumeration that is.
    private enum HeldPlace {
        case link(LinkOwner)
        case filter(TrafficFilterOwner)

        final class LinkOwner {
            let link: BPFKernel.Link
            init(_ link: consuming BPFKernel.Link) { self.link = link }
        }
    }

    /// A filter at clsact in an object of its own.
    final class TrafficFilterOwner {
        let filter: TrafficFilter
        init(_ filter: consuming TrafficFilter) { self.filter = filter }
    }

    extension CompiledProgram {
        /// Loads the program and attaches it to what its hook belongs to.
        ///
        /// - Parameters: As for ``load(named:license:log:)``.
        /// - Throws: What loading throws; ``AttachError``; ``KernelError`` where the kernel does not attach it.
        public func attach(
            to owner: HookOwner, named name: String? = nil, license: String = PacketFilter.defaultLicense
        ) throws -> Attachment {
            try target.hook.checkIsAttachable()
            let hook = target.hook
            if case .traffic(let interface, let direction, let way) = owner, hook == .tc, !usesLink(way) {
                let priority: UInt16 = if case .clsact(let priority) = way { priority } else { 0 }
                let index = try owner.index(of: interface)
                let program = try load(named: name, license: license)
                let filter = try TrafficFilter(attaching: program, at: index, direction, priority: priority)
                return Attachment(program, on: hook, by: .filter(.init(filter)))
            }
            return try owner.withPlace(of: hook) { place in
                let program = try load(named: name, license: license)
                let link = try BPFKernel.Link(attaching: program, at: place)
                return Attachment(program, on: hook, by: .link(.init(link)))
            }
        }

        /// Whether a program for tc is attached by a link of tcx, where other verdicts than these mean "next".
        private func usesLink(_ way: TrafficWay) -> Bool {
            guard way == .automatic, TrafficWay.hasLinks else { return false }
            guard case .verdict(let match, let noMatch) = target.result else { return true }
            let same = [TCVerdict.unspec, .ok, .shot, .redirect].map(\.value)
            return same.contains(match.value) && same.contains(noMatch.value)
        }
    }

    extension TrafficWay {
        /// Whether the kernel has links for traffic control (6.6).
        static var hasLinks: Bool { KernelVersion.running.map { $0 >= KernelVersion(6, 6) } ?? false }
    }

    extension TrafficDirection {
        /// The place of tcx.
        var attachType: AttachType { self == .ingress ? .tcxIngress : .tcxEgress }
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
#endif
