import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the kernel knows of a link. Source: `struct bpf_link_info` of `<linux/bpf.h>`.
public struct LinkInformation: Hashable, Sendable {
    /// Where a program runs.
    public enum Place: Hashable, Sendable {
        /// The tracepoint of that name; of typed ones too.
        case rawTracepoint(String)
        /// What a program of type ``ProgramType/tracing`` was loaded for.
        case tracing(AttachType)
        /// The control group of that number, which is the inode of its folder.
        case cgroup(UInt64, AttachType)
        /// A hook of netfilter, in the network namespace that it was attached in.
        case netfilter(NetfilterPlace)
        /// The interface of that index in the network namespace that it was attached in; 0 if it is gone.
        case interface(UInt32, AttachType)
        /// A place of another kind; the number is the kernel's, `BPF_LINK_TYPE_…`.
        case other(UInt32)

        /// Whether the program is no longer where it was attached: the interface or control group is gone, or somebody
        /// has detached it.
        public var isGone: Bool {
            switch self {
            case .interface(0, _), .cgroup(0, _): true
            default: false
            }
        }
    }

    /// The number by which `bpftool link show id` finds it.
    public var identifier: UInt32
    /// The number of the program.
    public var programIdentifier: UInt32
    /// Where the program runs.
    public var place: Place
}

extension Link {
    /// What the kernel knows of the link (5.8).
    public func information() throws(KernelError) -> LinkInformation {
        let descriptor = descriptor
        return try asking(.getInformation) { () throws(Errno) in try linkInformation(descriptor) }
    }

    /// The numbers of all links of the machine, in ascending order (`BPF_LINK_GET_NEXT_ID`, 5.8).
    ///
    /// - Throws: ``KernelError`` with `EPERM` without CAP_SYS_ADMIN.
    public static func identifiers() throws(KernelError) -> [UInt32] {
        try asking(.nextLink) { () throws(Errno) in
            var numbers: [UInt32] = []
            while let next = try nextLink(after: numbers.last ?? 0) { numbers.append(next) }
            return numbers
        }
    }
}

extension Program {
    /// What the first of a program's line records says.
    public struct FirstLine: Hashable, Sendable {
        /// The file that the program is said to be made from.
        public var fileName: String
        /// The line's text.
        public var text: String
        /// The line's number, counted from 1.
        public var number: Int
    }

    /// The source line of the first instruction, or nil for a program without line records.
    public func firstLine() throws(KernelError) -> FirstLine? {
        let descriptor = descriptor
        return try asking(.getInformation) { () throws(Errno) in
            guard let record = try lineRecord(of: descriptor) else { return nil }
            let types = try readTypeInformation(record.types)
            return FirstLine(
                fileName: string(at: record.fileName, in: types), text: string(at: record.text, in: types),
                number: Int(record.line))
        }
    }
}

/// A string of a BTF blob; its header says where the strings begin. Source: the kernel's Documentation/bpf/btf.
private func string(at offset: UInt32, in types: [UInt8]) -> String {
    guard types.count >= 24 else { return "" }
    func number(_ place: Int) -> Int {
        types.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: place, as: UInt32.self)) }
    }
    let start = number(4) + number(16) + Int(offset)
    return String(decoding: types.dropFirst(start).prefix { $0 != 0 }, as: UTF8.self)
}

extension RunningKernel {
    /// The index of the interface of that name in the caller's network namespace, or nil where there is none.
    public static func interfaceIndex(named name: String) -> UInt32? {
        let index = if_nametoindex(name)
        return index == 0 ? nil : index
    }

    /// The name of the interface of that index in the caller's network namespace, or nil where there is none.
    public static func interfaceName(ofIndex index: UInt32) -> String? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(index, &name) != nil else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The folder of the control group of that number, or nil where it is gone, hidden, or no cgroup2 is mounted.
    public static func controlGroup(ofNumber number: UInt64) -> String? {
        for root in mounts(ofType: "cgroup2") {
            guard let folder = try? FileDescriptor.open(FilePath(root), .readOnly) else { continue }
            defer { try? folder.close() }
            guard let group = try? openControlGroup(number, below: folder) else { continue }
            defer { try? group.close() }
            return nameOfOpenFile(group)
        }
        return nil
    }

    /// Where file systems of that type are mounted, as the caller sees it.
    public static func mounts(ofType type: String) -> [String] {
        guard let file = try? FileDescriptor.open("/proc/self/mounts", .readOnly) else { return [] }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while let count = try? chunk.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count > 2 && words[2] == type ? String(words[1]) : nil
        }
    }

    /// The pins of links in all BPF file systems that the caller sees: paths by the number of the link.
    public static func pinnedLinks() -> [UInt32: [String]] {
        var pins: [UInt32: [String]] = [:]
        for root in Set(mounts(ofType: "bpf")).sorted() { addPins(in: root, to: &pins) }
        return pins
    }

    private static func addPins(in folder: String, to pins: inout [UInt32: [String]]) {
        guard let listing = opendir(folder) else { return }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            let path = "\(folder)/\(name)"
            if entry.pointee.d_type == UInt8(DT_DIR) {
                addPins(in: path, to: &pins)
            } else if let link = try? Link(pinnedAt: FilePath(path)), let number = try? link.information().identifier {
                if pins[number]?.contains(path) != true { pins[number, default: []].append(path) }
            }
        }
    }
}

/// What the descriptor stands for: a path, or the kernel's word for what has none.
func nameOfOpenFile(_ descriptor: FileDescriptor) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/fd/\(descriptor.rawValue)", &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
