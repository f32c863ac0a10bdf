internal import CLinuxBPF
import SystemPackage

/// Which packets of an interface traffic control shows.
public enum TrafficDirection: String, Hashable, Sendable, CaseIterable {
    /// What comes in.
    case ingress
    /// What goes out.
    case egress
}

/// What the kernel knows of a program at clsact.
public struct TrafficFilterInformation: Hashable, Sendable {
    /// The index of the interface in the caller's network namespace.
    public var interface: UInt32
    /// Which of its packets.
    public var direction: TrafficDirection
    /// The order among others there, the lowest first, 1 … 65,535.
    public var priority: UInt32
    /// Its number among those of the same priority.
    public var handle: UInt32
    /// The number of the program.
    public var programIdentifier: UInt32
    /// The name that whoever attached it gave it.
    public var name: String
}

/// A program at clsact, the queueing discipline by which traffic control runs programs since Linux 4.5. It stays there as
/// long as this value lives, or when the process is killed: the kernel knows no owner of such a filter.
///
/// Where there is no clsact, it is made, and removed with the last filter. So that this is known behind a process that was
/// killed, the name of the filter says it.
public struct TrafficFilter: ~Copyable {
    /// What the kernel knows of it.
    public let information: TrafficFilterInformation

    /// The name of filters of this package.
    public static let name = "cbpf2ebpf"
    /// The name where clsact was made by this package.
    static let nameWithClsact = "cbpf2ebpf+clsact"

    /// Attaches a program of type ``ProgramType/schedCls``, whose result decides what becomes of a packet.
    ///
    /// - Parameter priority: The order among others, the lowest first; 0 for a place in front of those that are there.
    /// - Throws: ``KernelError`` with `EPERM` without CAP_NET_ADMIN, `EINVAL` where the priority is another kind of
    ///   filter's.
    public init(
        attaching program: borrowing Program, at interface: UInt32, _ direction: TrafficDirection,
        priority: UInt16 = 0
    ) throws(KernelError) {
        let program = program.descriptor
        let isOurs = try Self.ensureClsact(at: interface, for: direction)
        var added = linux_traffic_filter()
        do throws(KernelError) {
            try asking(.addTrafficFilter) { () throws(Errno) in
                _ = try answer(
                    linux_traffic_add_filter(
                        interface, direction == .egress ? 1 : 0, UInt32(priority), program.rawValue,
                        isOurs ? Self.nameWithClsact : Self.name, &added))
            }
        } catch {
            if isOurs { Self.removeUnusedClsact(at: interface) }
            throw error
        }
        information = TrafficFilterInformation(added, interface, direction)
    }

    deinit { try? information.detach() }

    /// Makes clsact where it is not there; true where this package has made it, now or before.
    private static func ensureClsact(at interface: UInt32, for direction: TrafficDirection) throws(KernelError) -> Bool
    {
        do throws(KernelError) {
            try asking(.addClsact) { () throws(Errno) in _ = try answer(linux_traffic_add_clsact(interface)) }
            return true
        } catch {
            guard error.errno == .fileExists else { throw error }
        }
        // The older discipline is at the same place, and has one direction only, whichever is asked for.
        if direction == .egress, try discipline(at: interface) == "ingress" {
            throw KernelError(.noEgress, in: .addClsact)
        }
        return try all(at: interface).contains { $0.name == nameWithClsact }
    }

    private static func discipline(at interface: UInt32) throws(KernelError) -> String {
        var kind = [CChar](repeating: 0, count: 16)
        try asking(.listTrafficFilters) { () throws(Errno) in
            _ = try answer(linux_traffic_discipline(interface, &kind))
        }
        return String(decoding: kind.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes clsact where no filter of any kind is left. One that somebody adds between the look and the removal goes
    /// with it; the kernel has no way to ask for both at once.
    fileprivate static func removeUnusedClsact(at interface: UInt32) {
        let isUsed = TrafficDirection.allCases.contains { direction in
            (try? list(at: interface, direction).isEmpty) != true
        }
        if !isUsed { _ = linux_traffic_remove_clsact(interface) }
    }

    /// The programs at clsact of an interface, whoever attached them.
    public static func all(at interface: UInt32) throws(KernelError) -> [TrafficFilterInformation] {
        var found: [TrafficFilterInformation] = []
        for direction in TrafficDirection.allCases {
            for filter in try list(at: interface, direction) where filter.program != 0 {
                found.append(TrafficFilterInformation(filter, interface, direction))
            }
        }
        return found
    }

    private static func list(
        at interface: UInt32, _ direction: TrafficDirection
    ) throws(KernelError) -> [linux_traffic_filter] {
        try asking(.listTrafficFilters) { () throws(Errno) in
            var filters: [linux_traffic_filter] = []
            while true {
                let room = UInt32(filters.count)
                let count = Int(
                    try answer(linux_traffic_list(interface, direction == .egress ? 1 : 0, &filters, room)))
                if count <= Int(room) { return Array(filters.prefix(count)) }
                filters = Array(repeating: linux_traffic_filter(), count: count)
            }
        }
    }
}

extension TrafficFilterInformation {
    fileprivate init(_ filter: linux_traffic_filter, _ interface: UInt32, _ direction: TrafficDirection) {
        self.init(
            interface: interface, direction: direction, priority: filter.priority, handle: filter.handle,
            programIdentifier: filter.program,
            name: withUnsafeBytes(of: filter.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }

    /// Removes the filter, and clsact where this package made it and nothing is there any more.
    ///
    /// - Throws: ``KernelError`` with `ENOENT` where it is gone.
    public func detach() throws(KernelError) {
        try asking(.removeTrafficFilter) { () throws(Errno) in
            _ = try answer(linux_traffic_remove_filter(interface, direction == .egress ? 1 : 0, priority, handle))
        }
        if name == TrafficFilter.nameWithClsact { TrafficFilter.removeUnusedClsact(at: interface) }
    }

    /// Whether the filter is there no longer.
    public var isGone: Bool {
        guard let all = try? TrafficFilter.all(at: interface) else { return true }
        return !all.contains(self)
    }
}

extension RunningKernel {
    /// The indices of the interfaces of the caller's network namespace.
    public static func interfaceIndices() throws(KernelError) -> [UInt32] {
        try asking(.listInterfaces) { () throws(Errno) in
            var indices = [UInt32](repeating: 0, count: 64)
            while true {
                let room = UInt32(indices.count)
                let count = Int(try answer(linux_interfaces_list(&indices, room)))
                if count <= indices.count { return Array(indices.prefix(count)) }
                indices = Array(repeating: 0, count: count)
            }
        }
    }
}
