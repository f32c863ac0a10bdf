#if os(Linux)
    import BPFAssembly
    import BPFKernel
    import ClassicBPF
    import Pcap
    import SystemPackage

    /// A packet socket of the machine, and the filter it has.
    public struct AttachedFilter: Sendable {
        /// Who has the socket open, as far as the caller may see.
        public var owners: [SocketOwner]
        /// The interface the socket is bound to, or nil for all.
        public var interface: String?
        /// Whether packets come without their link-layer header.
        public var isCooked: Bool
        /// The classic filter, or nil where the socket has none or one that is an eBPF program.
        public var filter: PacketFilter?
        /// What the filter decides, as an expression, empty if every packet matches; nil where that is not known.
        public var meaning: String?

        /// The process that has the socket.
        public typealias SocketOwner = BPFKernel.SocketOwner

        /// All packet sockets of the caller's network namespace, with their filters where the caller has CAP_NET_ADMIN.
        ///
        /// - Throws: ``KernelError`` where the kernel does not tell.
        public static func ofPacketSockets() throws -> [AttachedFilter] {
            let owners = SocketOwner.all()
            return try PacketSocketDescription.all().map { socket in
                var attached = AttachedFilter(
                    owners: owners[socket.inode] ?? [], interface: socket.interface, isCooked: socket.isCooked)
                if let filter = socket.filter.flatMap({ try? ClassicProgram(kernelBytes: $0) }) {
                    attached.filter = PacketFilter(filter)
                    attached.meaning = attached.owners.lazy.compactMap { filter.expression(among: $0.arguments) }.first
                    attached.meaning =
                        attached.meaning ?? FilterMeaning.expression(filter, isEthernet: !socket.isCooked)
                }
                return attached
            }
        }
    }

    extension PacketFilter {
        /// The classic filter of a socket of a running process; nil where the socket has none.
        ///
        /// - Parameters:
        ///   - descriptor: The socket's number in the process.
        ///   - process: The process's identifier.
        /// - Throws: ``KernelError`` where there is no such process or socket, the caller may not look into it, or the
        ///   filter is an eBPF program.
        public init?(attachedTo descriptor: Int32, ofProcess process: Int32) throws {
            guard let bytes = try SocketFilter.classic(ofProcess: process, descriptor: descriptor) else { return nil }
            self.init(try ClassicProgram(kernelBytes: bytes))
        }
    }

    extension ClassicProgram {
        /// From `struct sock_filter[]` as the kernel gives it.
        fileprivate init(kernelBytes bytes: [UInt8]) throws {
            let instructions = stride(from: 0, to: bytes.count - 7, by: 8).map { start in
                bytes[start..<(start + 8)].withUnsafeBytes { record in
                    ClassicInstruction(
                        code: record.loadUnaligned(as: UInt16.self), jt: record[2], jf: record[3],
                        k: record.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
                }
            }
            try self.init(instructions)
        }

        /// The expression among the words a process was started with, as of tcpdump, that libpcap makes this filter of,
        /// whatever its snapshot length.
        fileprivate func expression(among arguments: [String]) -> String? {
            for start in arguments.indices.dropFirst() {
                let text = arguments[start...].joined(separator: " ")
                for linkType in [LinkType.ethernet, .rawIP] {
                    for optimizes in [true, false] {
                        let compiler = ExpressionCompiler(
                            linkType: linkType, snapshotLength: 262_144, optimizes: optimizes, netmask: nil)
                        if let same = try? compiler.compile(text), decidesLike(same) { return text }
                    }
                }
            }
            return nil
        }

        /// Whether the instructions are the same but for how many bytes of a match they keep.
        private func decidesLike(_ other: ClassicProgram) -> Bool {
            count == other.count
                && zip(instructions, other.instructions).allSatisfy { left, right in
                    if case .result(.constant(let l))? = left.operation,
                        case .result(.constant(let r))? = right.operation
                    {
                        return (l == 0) == (r == 0)
                    }
                    return left == right
                }
        }
    }
#endif
