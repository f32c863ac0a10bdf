#if os(Linux)
    import BPFKernel
    import SystemPackage

    /// A program that this package made, at its place in the kernel.
    public struct AttachedProgram: Sendable {
        /// What holds a program at its place.
        public enum Holder: Hashable, Sendable {
            /// A link of the machine.
            case link(LinkInformation)
            /// A filter at clsact in the caller's network namespace.
            case filter(TrafficFilterInformation)
        }

        /// What holds it.
        public var holder: Holder
        /// What the kernel knows of the program.
        public var program: ProgramInformation
        /// The filter: its expression, or what stands for that.
        public var filter: String
        /// The names of the link in the BPF file systems that the caller sees.
        public var pins: [String]

        /// What the kernel knows of a link.
        public typealias LinkInformation = BPFKernel.LinkInformation
        /// What the kernel knows of a program at clsact.
        public typealias TrafficFilterInformation = BPFKernel.TrafficFilterInformation

        /// All of them: links that a running process holds or that a pin does, and what is at clsact of the interfaces of
        /// the caller's network namespace.
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
            for interface in try RunningKernel.interfaceIndices() {
                for filter in (try? TrafficFilter.all(at: interface)) ?? [] {
                    if let attached = try? AttachedProgram(filter) { found.append(attached) }
                }
            }
            return found
        }

        /// - Throws: ``NotOurs`` where the filter's program is another's.
        init(_ filter: TrafficFilterInformation) throws {
            holder = .filter(filter)
            (program, self.filter) = try Self.describe(filter.programIdentifier)
            pins = []
        }

        /// - Throws: ``NotOurs`` where the link's program is another's.
        init(ofLink identifier: UInt32, pins: [String]) throws {
            let link = try BPFKernel.Link(identifier: identifier).information()
            holder = .link(link)
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
            let link: LinkInformation
            switch holder {
            case .filter(let filter): return try filter.detach()
            case .link(let information): link = information
            }
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

        /// The program at clsact that ``AttachedProgram/TrafficFilterInformation`` describes so far.
        ///
        /// - Parameters:
        ///   - interface: The interface's name.
        ///   - direction: Which of its packets.
        ///   - priority: The order among others.
        ///   - handle: The number among those of the same priority.
        /// - Throws: ``KernelError`` where there is none, ``NotOurs``.
        public static func atClsact(
            of interface: String, _ direction: TrafficDirection, priority: UInt32, handle: UInt32
        ) throws -> AttachedProgram {
            guard let index = RunningKernel.interfaceIndex(named: interface) else {
                throw KernelError(.noInterface(interface), in: .listTrafficFilters)
            }
            let filters = try TrafficFilter.all(at: index)
            guard
                let filter = filters.first(where: {
                    $0.direction == direction && $0.priority == priority && $0.handle == handle
                })
            else { throw KernelError(.refused(.noSuchFileOrDirectory), in: .removeTrafficFilter) }
            return try AttachedProgram(filter)
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
