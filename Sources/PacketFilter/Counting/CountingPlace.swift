import BPFCompiler
import Pcap

#if os(Linux)
    import BPFKernel
    import SystemPackage

    /// A place where packets are counted; those that pass there are not touched.
    public enum CountingPlace: Hashable, Sendable {
        /// A packet socket at an interface, which sees what comes in and what goes out; of a loopback interface, where
        /// that is the same, only what comes in.
        case packetSocket(interface: String)
        /// A hook of an interface: xdp, xdp-frags, tcx-ingress, tcx-egress, netkit-primary or netkit-peer.
        case interface(String, Hook)
        /// Traffic control of an interface, for the hook tc.
        case traffic(interface: String, TrafficDirection, TrafficWay = .automatic)
        /// cgroup-ingress or cgroup-egress of the control group with this folder.
        case cgroup(path: String, Hook)
        /// A hook of netfilter in the caller's network namespace, for IPv4 and IPv6. Without a priority it is the last
        /// place in front of the filter table that nobody has.
        case netfilter(NetfilterPlace.Hook, priority: Int32? = nil)
        /// A tracepoint or the entry of a function, for packets of all network namespaces.
        case tracing(Hook)

        /// The hook of the program.
        public var hook: Hook {
            switch self {
            case .packetSocket: .socket
            case .traffic: .tc
            case .interface(_, let hook), .cgroup(_, let hook), .tracing(let hook): hook
            case .netfilter: .netfilter
            }
        }

        /// The interface, where it is at one.
        public var interface: String? {
            switch self {
            case .packetSocket(let name), .interface(let name, _), .traffic(let name, _, _): name
            default: nil
            }
        }

        /// What packets begin with there.
        ///
        /// - Throws: ``CountingError`` where there is no such interface.
        public var linkType: LinkType {
            get throws {
                guard let interface = try networkInterface else {
                    return hook.linkLayer == .rawIP ? .rawIP : .ethernet
                }
                return interface.isEthernet ? .ethernet : .rawIP
            }
        }

        /// The interface as the kernel knows it, or nil where the place is at none.
        var networkInterface: NetworkInterface? {
            get throws {
                guard let name = interface else { return nil }
                do throws(KernelError) {
                    return try NetworkInterface(named: name)
                } catch {
                    guard error.errno == .operationNotSupportedByDevice else { throw error }
                    throw CountingError(.unknownInterface(name))
                }
            }
        }
    }

    /// What keeps a program where it counts: links, a packet socket, or a filter at clsact.
    struct CountingAttachment: ~Copyable {
        private var links: LinkChain?
        private var tap: PacketTap?
        private var filter: TrafficFilterOwner?
        /// The number of the socket's interface, which stays whatever that is called.
        private var tapped: UInt32?

        init(_ program: borrowing LoadedProgram, at place: CountingPlace) throws {
            links = nil
            tap = nil
            filter = nil
            tapped = nil
            switch place {
            case .packetSocket:
                let interface = try place.networkInterface!
                tap = try PacketTap(running: program, at: interface)
                tapped = interface.index
            case .interface(_, let hook):
                guard let type = hook.attachType else { throw CountingError(.unattachable(hook)) }
                links = LinkChain(
                    try BPFKernel.Link(attaching: program, at: .interface(place.networkInterface!.index, type)), links)
            case .traffic(_, let direction, .automatic) where TrafficWay.hasLinks:
                let index = try place.networkInterface!.index
                links = LinkChain(
                    try BPFKernel.Link(attaching: program, at: .interface(index, direction.attachType)), links)
            case .traffic(_, let direction, let way):
                let priority: UInt16 = if case .clsact(let priority) = way { priority } else { 0 }
                filter = TrafficFilterOwner(
                    try TrafficFilter(
                        attaching: program, at: place.networkInterface!.index, direction, priority: priority))
            case .cgroup(let path, let hook):
                guard let type = hook.attachType else { throw CountingError(.unattachable(hook)) }
                let folder: FileDescriptor
                do {
                    folder = try FileDescriptor.open(FilePath(path), .readOnly)
                } catch {
                    throw CountingError(.unknownGroup(path))
                }
                defer { try? folder.close() }
                links = LinkChain(try BPFKernel.Link(attaching: program, at: .cgroup(folder, type)), links)
            case .netfilter(let hook, let priority):
                for family in NetfilterPlace.Family.allCases {
                    links = LinkChain(try Self.link(program, family, hook, priority), links)
                }
            case .tracing(.rawTP(let name)):
                links = LinkChain(try BPFKernel.Link(attaching: program, at: .rawTracepoint(name)), links)
            case .tracing(.tpBTF), .tracing(.fentry):
                links = LinkChain(try BPFKernel.Link(attaching: program, at: .loadedFor), links)
            case .tracing(let hook): throw CountingError(.unattachable(hook))
            }
        }

        /// Whether the program is no longer where it was put, or that is no longer there. Links tell in every network
        /// namespace, of a socket and of a filter the caller's one is asked.
        var isGone: Bool {
            if links?.isGone == true || filter?.filter.information.isGone == true { return true }
            return tapped.map { RunningKernel.interfaceName(ofIndex: $0) == nil } ?? false
        }

        /// The kernel takes one program for each priority, and none where a table of iptables is; its filter table is
        /// at 0.
        private static func link(
            _ program: borrowing LoadedProgram, _ family: NetfilterPlace.Family, _ hook: NetfilterPlace.Hook,
            _ priority: Int32?
        ) throws(KernelError) -> BPFKernel.Link {
            var place = NetfilterPlace(family, hook, priority: priority ?? -1)
            while true {
                do throws(KernelError) {
                    return try BPFKernel.Link(attaching: program, at: .netfilter(place))
                } catch {
                    guard priority == nil, error.errno == .resourceBusy, place.priority > -50 else { throw error }
                    place.priority -= 1
                }
            }
        }
    }

    /// A link and those made before it; arrays do not hold what cannot be copied.
    private final class LinkChain {
        private let link: BPFKernel.Link
        private let rest: LinkChain?

        init(_ link: consuming BPFKernel.Link, _ rest: LinkChain?) {
            self.link = link
            self.rest = rest
        }

        /// Whether one of them has nothing any more that it is at.
        var isGone: Bool { (try? link.information().place.isGone) == true || rest?.isGone == true }
    }
#endif
