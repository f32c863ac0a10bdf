import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the running kernel tells about itself.
public enum RunningKernel {
    /// For each of `names`, how far the kernel's function of that name is from `__bpf_call_base`, in bytes.
    ///
    /// This is what stands in the `imm` of a call to a function inside the kernel, such as `bpf_skb_load_helper_8`,
    /// in the kernel's own conversion of a classic filter. Of several functions of one name the first in the list
    /// counts. Source: `/proc/kallsyms`.
    ///
    /// - Throws: ``KernelError`` where a name is unknown, the addresses are hidden, or a function is out of reach.
    /// - Complexity: O(*n* *m*) in the number of symbols, about 120,000, and of names.
    public static func callDistances(of names: [String]) throws(KernelError) -> [String: Int32] {
        let base = "__bpf_call_base"
        let addresses = try asking(.readSymbols) { () throws(Errno) in try symbolAddresses([base] + names) }
        guard let origin = addresses[base] else { throw KernelError(.unknownSymbol(base), in: .readSymbols) }
        guard origin != 0 else { throw KernelError(.hiddenAddresses, in: .readSymbols) }
        var distances: [String: Int32] = [:]
        for name in names {
            guard let address = addresses[name] else { throw KernelError(.unknownSymbol(name), in: .readSymbols) }
            let distance = Int64(bitPattern: address &- origin)
            guard let reachable = Int32(exactly: distance) else {
                throw KernelError(.symbolTooFar(name, distance: distance), in: .readSymbols)
            }
            distances[name] = reachable
        }
        return distances
    }

    /// The version of the running kernel as `LINUX_VERSION_CODE` has it: 0x061200 for 6.18.0.
    ///
    /// The third number stops at 255, as in the kernel's header. Source: uname(2).
    public static var versionCode: UInt32 {
        var names = utsname()
        uname(&names)
        let release = withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return versionCode(ofRelease: release)
    }

    /// Whether maps and programs count as locked memory of the process (`RLIMIT_MEMLOCK`): before 5.11, from which on
    /// they count as memory of its control group.
    public static var countsLockedMemory: Bool { versionCode < 0x05_0b00 }

    /// The numbers before the first character that is neither digit nor dot, a byte each, the first the highest.
    static func versionCode(ofRelease release: String) -> UInt32 {
        let numbers = release.prefix { $0.isNumber || $0 == "." }.split(separator: ".").prefix(3).map {
            UInt32($0) ?? 0
        }
        return (numbers + [0, 0, 0]).prefix(3).reduce(0) { $0 << 8 | min($1, 255) }
    }

    /// How many processors there may be, the ones not plugged in yet included: one more than the highest number.
    ///
    /// Source: `/sys/devices/system/cpu/possible`.
    public static func possibleProcessors() throws(KernelError) -> Int {
        var bytes: [UInt8] = []
        try asking(.readProcessors) { () throws(Errno) in
            try readFile("/sys/devices/system/cpu/possible") {
                bytes.append(contentsOf: $0); return true
            }
        }
        return processorCount(ofList: String(decoding: bytes, as: UTF8.self))
    }

    /// The number behind the last one of a list such as `0-3,8`.
    static func processorCount(ofList list: String) -> Int {
        (list.split { !$0.isNumber }.last.flatMap { Int($0) } ?? 0) + 1
    }

    /// The types of the running kernel, a whole BTF blob. Source: `/sys/kernel/btf/vmlinux`.
    ///
    /// - Throws: ``KernelError`` with `ENOENT` where the kernel was built without.
    /// - Complexity: O(*n*), about 5 MB.
    public static func typeInformation() throws(KernelError) -> [UInt8] {
        var bytes: [UInt8] = []
        try asking(.readTypeInformation) { () throws(Errno) in
            try readFile("/sys/kernel/btf/vmlinux") {
                bytes.append(contentsOf: $0); return true
            }
        }
        return bytes
    }
}

/// The address of the first symbol of each name in `/proc/kallsyms`; names that are not there are left out.
private func symbolAddresses(_ names: [String]) throws(Errno) -> [String: UInt64] {
    let wanted = names.map { (name: $0, bytes: Array($0.utf8)) }
    var found: [String: UInt64] = [:]
    var rest: [UInt8] = []
    let all = Set(names).count
    try readFile("/proc/kallsyms") { chunk in
        var chunk = chunk
        // The line that the last chunk ended in goes on in this one.
        if !rest.isEmpty, let end = chunk.firstIndex(of: newline) {
            rest.append(contentsOf: chunk[...end])
            rest.withUnsafeBytes { line in _ = eachLine(line) { match($0, wanted, &found) } }
            rest.removeAll()
            chunk = UnsafeRawBufferPointer(rebasing: chunk[(end + 1)...])
        }
        rest.append(contentsOf: eachLine(chunk) { match($0, wanted, &found) })
        return found.count < all
    }
    return found
}

private let newline = UInt8(ascii: "\n")

/// Calls `body` with each whole line and returns what is behind the last one.
private func eachLine(
    _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
) -> UnsafeRawBufferPointer {
    var bytes = bytes
    while let start = bytes.baseAddress, let end = memchr(start, Int32(newline), bytes.count) {
        let count = UnsafeRawPointer(end) - start
        body(UnsafeRawBufferPointer(start: start, count: count))
        bytes = UnsafeRawBufferPointer(rebasing: bytes[(count + 1)...])
    }
    return bytes
}

/// Notes the address of `line`, `ADDRESS TYPE NAME[\t[MODULE]]`, if its name is wanted and new.
private func match(
    _ line: UnsafeRawBufferPointer, _ wanted: [(name: String, bytes: [UInt8])], _ found: inout [String: UInt64]
) {
    guard let start = line.baseAddress, let space = memchr(start, 0x20, line.count) else { return }
    let digits = UnsafeRawPointer(space) - start
    let nameStart = digits + 3
    for (name, bytes) in wanted {
        let end = nameStart + bytes.count
        guard line.count == end || (line.count > end && line[end] == UInt8(ascii: "\t")),
            memcmp(start + nameStart, bytes, bytes.count) == 0, found[name] == nil
        else { continue }
        let text = String(decoding: line[..<digits], as: UTF8.self)
        if let address = UInt64(text, radix: 16) { found[name] = address }
    }
}

/// Calls `body` with one part of the file after the other until it returns false.
private func readFile(_ path: FilePath, _ body: (UnsafeRawBufferPointer) -> Bool) throws(Errno) {
    do {
        let file = try FileDescriptor.open(path, .readOnly)
        try file.closeAfter {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 8)
            defer { buffer.deallocate() }
            while true {
                let count = try file.read(into: buffer)
                if count == 0 || !body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { break }
            }
        }
    } catch let error as Errno {
        throw error
    } catch {
        // FileDescriptor throws nothing else.
        throw .ioError
    }
}
