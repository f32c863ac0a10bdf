import ExtendedBPF
import SystemPackage

/// What the kernel refused, or what could not be asked of it.
public struct KernelError: Error, Hashable, Sendable {
    /// What is wrong, with the offending value.
    public enum Reason: Hashable, Sendable {
        /// The kernel answered with this error number.
        case refused(Errno)
        /// An instruction still stands for something that is not known when the program is loaded.
        case unresolvedReference(Reference, instruction: Int)
        /// A number is larger than the system call can carry.
        case tooLarge(Int, limit: Int)
        /// Bytes are no whole number of records of `recordSize` bytes.
        case partialRecord(bytes: Int, recordSize: Int)
        /// A key or value has another size than those of the map.
        case wrongSize(Int, expected: Int)
        /// The kernel has no symbol of this name.
        case unknownSymbol(String)
        /// The kernel shows every address as 0 (`kptr_restrict`).
        case hiddenAddresses
        /// A symbol is further from `__bpf_call_base` than a call's 32 bits reach.
        case symbolTooFar(String, distance: Int64)
        /// Something could not get that name in a BPF file system.
        case cannotPin(String, PinObstacle)
        /// The caller's network namespace has no interface of that name.
        case noInterface(String)
        /// What has that name in a BPF file system is no link.
        case noLink(String)
        /// The interface has the queueing discipline ingress, which shows what comes in only.
        case noEgress
    }

    /// What was asked of the kernel. The raw value is what the message begins with.
    public enum Call: String, Hashable, Sendable, CaseIterable {
        /// Loading a program.
        case loadProgram = "bpf(BPF_PROG_LOAD)"
        /// Loading type information.
        case loadTypeInformation = "bpf(BPF_BTF_LOAD)"
        /// Running a program on a packet.
        case testRun = "bpf(BPF_PROG_TEST_RUN)"
        /// Asking for what the kernel knows of a program.
        case getInformation = "bpf(BPF_OBJ_GET_INFO_BY_FD)"
        /// Attaching a program to a tracepoint, or to what it was loaded for.
        case openRawTracepoint = "bpf(BPF_RAW_TRACEPOINT_OPEN)"
        /// Attaching a program to another place.
        case createLink = "bpf(BPF_LINK_CREATE)"
        /// Giving a program or link a name.
        case pin = "bpf(BPF_OBJ_PIN)"
        /// Opening what has a name.
        case openPinned = "bpf(BPF_OBJ_GET)"
        /// Removing a name.
        case removePin = "unlink"
        /// Listing the links.
        case nextLink = "bpf(BPF_LINK_GET_NEXT_ID)"
        /// Opening a link by its number.
        case openLink = "bpf(BPF_LINK_GET_FD_BY_ID)"
        /// Opening a program by its number.
        case openProgram = "bpf(BPF_PROG_GET_FD_BY_ID)"
        /// Taking a link's program from its place.
        case detachLink = "bpf(BPF_LINK_DETACH)"
        /// Having the runs of programs counted.
        case enableStatistics = "bpf(BPF_ENABLE_STATS)"
        /// Making a map.
        case createMap = "bpf(BPF_MAP_CREATE)"
        /// Reading a value of a map.
        case lookUpElement = "bpf(BPF_MAP_LOOKUP_ELEM)"
        /// Changing a value of a map.
        case updateElement = "bpf(BPF_MAP_UPDATE_ELEM)"
        /// Removing a key of a map.
        case deleteElement = "bpf(BPF_MAP_DELETE_ELEM)"
        /// Listing the keys of a map.
        case nextKey = "bpf(BPF_MAP_GET_NEXT_KEY)"
        /// Reading many values of a map.
        case lookUpBatch = "bpf(BPF_MAP_LOOKUP_BATCH)"
        /// Changing many values of a map.
        case updateBatch = "bpf(BPF_MAP_UPDATE_BATCH)"
        /// Keeping processes from changing a map.
        case freezeMap = "bpf(BPF_MAP_FREEZE)"
        /// Having a map's values, or a ring buffer, in this process's memory.
        case shareMap = "mmap"
        /// Waiting for a ring buffer to have something to read.
        case waitForRing = "poll"
        /// Attaching an eBPF program to a socket.
        case attachProgram = "setsockopt(SO_ATTACH_BPF)"
        /// Attaching a classic filter to a socket.
        case attachClassic = "setsockopt(SO_ATTACH_FILTER)"
        /// Detaching the filter of a socket.
        case detach = "setsockopt(SO_DETACH_FILTER)"
        /// Reading the classic filter of a socket.
        case getClassic = "getsockopt(SO_GET_FILTER)"
        /// Opening a copy of another process's descriptor.
        case copyDescriptor = "pidfd_getfd"
        /// Listing the packet sockets.
        case listPacketSockets = "sock_diag(AF_PACKET)"
        /// Making the queueing discipline clsact.
        case addClsact = "netlink(RTM_NEWQDISC)"
        /// Adding a program to it.
        case addTrafficFilter = "netlink(RTM_NEWTFILTER)"
        /// Removing a program from it.
        case removeTrafficFilter = "netlink(RTM_DELTFILTER)"
        /// Listing what it has.
        case listTrafficFilters = "netlink(RTM_GETTFILTER)"
        /// Listing the network interfaces.
        case listInterfaces = "if_nameindex"
        /// Looking up a network interface.
        case getInterface = "ioctl(SIOCGIFINDEX)"
        /// Opening a packet socket at an interface.
        case openPacketSocket = "socket(AF_PACKET)"
        /// Reading the kernel's symbols.
        case readSymbols = "/proc/kallsyms"
        /// Reading which processors there may be.
        case readProcessors = "/sys/devices/system/cpu/possible"
        /// Reading the kernel's type information.
        case readTypeInformation = "/sys/kernel/btf/vmlinux"
    }

    /// What was asked.
    public var call: Call

    /// What is wrong.
    public var reason: Reason

    /// All that the verifier wrote; empty where it wrote nothing or was not reached.
    public var log: String

    /// Makes an error.
    public init(_ reason: Reason, in call: Call, log: String = "") {
        self.call = call
        self.reason = reason
        self.log = log
    }

    /// The error number, where it was the kernel that refused.
    public var errno: Errno? {
        if case .refused(let errno) = reason { errno } else { nil }
    }

    /// The line in which the verifier says why it refused: the last of its log before the statistics.
    public var verdict: String? {
        log.split(separator: "\n").last { !$0.hasPrefix("processed ") && !$0.hasPrefix("verification time ") }
            .map(String.init)
    }
}

extension KernelError: CustomStringConvertible {
    /// One line: what was asked, what was found, what would be right. The log is left out but for its verdict.
    public var description: String {
        switch reason {
        case .refused(let errno):
            let why = verdict.map { "the verifier says: \($0)\(Self.remedy(forVerdict: $0))" } ?? remedy(for: errno)
            return "\(call.rawValue): \(text(of: errno))" + (why.map { ", \($0)" } ?? "")
        case .unresolvedReference(let reference, let instruction):
            return "instruction \(instruction): \(text(of: reference)) is not resolved, nothing can be loaded before"
        case .tooLarge(let value, let limit):
            return "\(call.rawValue): \(value) is too large, at most \(limit) is allowed"
        case .partialRecord(let bytes, let recordSize):
            return "\(call.rawValue): \(bytes) bytes are no whole number of records of \(recordSize) bytes"
        case .wrongSize(let size, let expected):
            return "\(call.rawValue): \(size) bytes, the map has \(expected) there"
        case .unknownSymbol(let name):
            return "\(call.rawValue): this kernel has no symbol \(name)"
        case .hiddenAddresses:
            return "\(call.rawValue): the kernel hides addresses, read them as root with kernel.kptr_restrict at most 1"
        case .symbolTooFar(let name, let distance):
            return "\(call.rawValue): \(name) is \(distance) bytes from __bpf_call_base, a call reaches 31 bits"
        case .cannotPin(let path, let obstacle): return "\(call.rawValue): \(path): \(obstacle.text)"
        case .noInterface(let name): return "\(call.rawValue): there is no interface \(name) in this network namespace"
        case .noEgress:
            return
                "\(call.rawValue): the interface has the queueing discipline ingress, for egress replace it with clsact: "
                + "'tc qdisc del dev … ingress', 'tc qdisc add dev … clsact'"
        case .noLink(let path): return "\(call.rawValue): \(path) is no link"
        }
    }

    /// The verifier allows root more pointer arithmetic, and means this capability.
    private static func remedy(forVerdict verdict: String) -> String {
        verdict.contains("prohibited for !root") ? " (CAP_PERFMON allows it)" : ""
    }

    /// What who loads programs and makes maps needs; on older kernels root too runs into a limit.
    static func privileges(countingLockedMemory: Bool) -> String {
        countingLockedMemory
            ? "run it as root, and raise the limit of locked memory, which counts before Linux 5.11: ulimit -l unlimited"
            : "run it as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
    }

    private func text(of errno: Errno) -> String {
        // An error number of the kernel's own that should not, but does, reach the caller.
        errno.rawValue == 524 ? "operation not supported (524)" : "\(errno) (\(errno.rawValue))".lowercasedFirst
    }

    private func text(of reference: Reference) -> String {
        switch reference {
        case .function(let name): "the function \(name)"
        case .map(let name): "the map \(name)"
        case .data(let name, let offset): "byte \(offset) of the table \(name)"
        case .kernelFunction(let name): "the kernel function \(name)"
        case .kernelSymbol(let name): "the kernel symbol \(name)"
        case .kernelField(let structure, let member): "the kernel field \(structure).\(member)"
        case .kernelType(let name): "the kernel type \(name)"
        }
    }

    /// What to do about an error number for which the verifier gave no reason.
    private func remedy(for errno: Errno) -> String? {
        switch (call, errno) {
        case (.getClassic, .permissionDenied): "the socket's filter is an eBPF program, which has no classic form"
        case (.copyDescriptor, .noSuchProcess): "there is no such process"
        case (.copyDescriptor, .badFileDescriptor): "the process has no such descriptor"
        case (.copyDescriptor, .notPermitted): "run it as root, or as one who may trace the process"
        case (.copyDescriptor, .noFunction): "it needs Linux 5.6"
        case (.listPacketSockets, .noSuchFileOrDirectory): "the kernel needs its module packet_diag"
        case (.getInterface, .operationNotSupportedByDevice): "there is no interface of that name"
        case (.openPacketSocket, .notPermitted): "run it as root, or with CAP_NET_RAW"
        case (.detach, .notPermitted): "the filter is locked to the socket (SO_LOCK_FILTER)"
        case (.detach, .noSuchFileOrDirectory): "the socket has no filter"
        case (.attachClassic, .notPermitted), (.attachProgram, .notPermitted):
            "the socket's filter is locked (SO_LOCK_FILTER)"
        case (.attachClassic, .noMemory), (.attachProgram, .noMemory):
            "the filter needs more memory than net.core.optmem_max allows"
        case (.attachClassic, .invalidArgument): "the filter breaks a rule for classic filters"
        case (.attachProgram, .invalidArgument): "only a program of type socket_filter goes on a socket"
        case (.openRawTracepoint, .noSuchFileOrDirectory): "this kernel has no such tracepoint"
        case (.openRawTracepoint, .invalidArgument):
            "the program is no tracing program, or reads an argument that the tracepoint does not have"
        case (.openRawTracepoint, Errno(rawValue: 524)), (.createLink, Errno(rawValue: 524)):
            "this kernel attaches no programs there"
        case (.createLink, .notSupported):
            "the driver of the interface runs no XDP programs, the kernel's generic way runs them on any interface"
        case (.createLink, .badFileDescriptor): "the folder is no control group of the second version"
        case (.createLink, .outOfRange):
            "the MTU of the interface or of its peer is over what XDP takes in one buffer, lower it or use xdp-frags"
        case (.openPinned, .noSuchFileOrDirectory): "there is nothing of that name"
        case (.openPinned, .notPermitted), (.openPinned, .permissionDenied):
            "it is in no BPF file system, or not yours to open"
        case (.openLink, .noSuchFileOrDirectory): "there is no link of that number"
        case (.openProgram, .noSuchFileOrDirectory): "there is no program of that number"
        case (.detachLink, .notSupported):
            "the links of tracing programs end with the process that holds them, or with their pin"
        case (.nextLink, .notPermitted), (.enableStatistics, .notPermitted), (.openLink, .notPermitted):
            "run it as root, or with CAP_SYS_ADMIN"
        case (.nextLink, .invalidArgument), (.enableStatistics, .invalidArgument): "it needs Linux 5.8"
        case (.createLink, .fileExists), (.createLink, .resourceBusy): "another program is there already"
        case (.createLink, .invalidArgument):
            "the program was loaded for another place, or this kernel makes no links there"
        case (.createLink, .outOfRange):
            "an XDP program for packets in one buffer takes no MTU this large: choose xdp-frags, or lower the MTU"
        case (.addClsact, .noSuchFileOrDirectory): "the kernel needs clsact, its module sch_ingress"
        case (.addTrafficFilter, .noSuchFileOrDirectory): "the kernel needs its module cls_bpf"
        case (.addTrafficFilter, .invalidArgument): "another kind of filter has that priority, choose another"
        case (.addClsact, .notPermitted), (.addTrafficFilter, .notPermitted), (.removeTrafficFilter, .notPermitted):
            "run it as root, or with CAP_NET_ADMIN"
        case (.removeTrafficFilter, .noSuchFileOrDirectory), (.removeTrafficFilter, .invalidArgument):
            "there is no such filter any more"
        case (.updateElement, .argListTooLong), (.updateBatch, .argListTooLong):
            "the map is full, or an array has no such index"
        case (.updateElement, .notPermitted), (.updateBatch, .notPermitted), (.shareMap, .notPermitted):
            "the map is frozen, or read-only"
        case (.deleteElement, .invalidArgument): "the keys of an array stay"
        case (.lookUpBatch, Errno(rawValue: 524)), (.updateBatch, Errno(rawValue: 524)):
            "this kind of map has no batches"
        case (.lookUpBatch, .invalidArgument), (.updateBatch, .invalidArgument): "it needs Linux 5.6"
        case (.freezeMap, .resourceBusy): "it is frozen already, or writable in some process's memory"
        case (.shareMap, Errno(rawValue: 524)): "only arrays made to be shared can be"
        case (.createMap, .argListTooLong): "it needs more memory than a map may have"
        case (.createMap, .notPermitted), (.loadProgram, .notPermitted):
            Self.privileges(countingLockedMemory: RunningKernel.countsLockedMemory)
        case (.createMap, .noMemory): "the system, or the control group of this process, has too little memory"
        case (.createMap, .invalidArgument): "a size or a flag is none for this kind of map"
        case (_, .notPermitted):
            "run it as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
        case (_, .noFunction): "this system has no bpf(2)"
        case (.loadProgram, .argListTooLong): "the program has no instruction or more than 1000000"
        case (.loadProgram, .invalidArgument):
            "this kernel does not know the program type, attach type or a flag, or the name is no C identifier"
        case (.testRun, .invalidArgument):
            "the packet lacks its Ethernet header or an IP header this announces, is over a page, or the context is wrong"
        case (.testRun, Errno(rawValue: 524)): "programs of this type have no test run"
        case (.readTypeInformation, .noSuchFileOrDirectory):
            "this kernel is built without type information (CONFIG_DEBUG_INFO_BTF)"
        default: nil
        }
    }
}

extension String {
    /// The text with its first letter small.
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
