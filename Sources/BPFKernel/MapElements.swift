internal import CLinuxBPF
import ExtendedBPF
import SystemPackage

extension Map {
    /// Removes `key` and its value (`BPF_MAP_DELETE_ELEM`).
    ///
    /// - Returns: Whether it was there.
    /// - Throws: ``KernelError`` with `EINVAL` for an array, which has all of its keys always.
    @discardableResult
    public func removeValue(of key: [UInt8]) throws(KernelError) -> Bool {
        try check(key, Int(declaration.keySize), .deleteElement)
        let descriptor = descriptor
        do throws(KernelError) {
            try asking(.deleteElement) { () throws(Errno) in
                _ = try answer(linux_bpf_map_delete(descriptor.rawValue, key))
            }
            return true
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return false
        }
    }

    /// All keys (`BPF_MAP_GET_NEXT_KEY`), those that are added or removed meanwhile or not. One that is removed while it
    /// is the last one looked at begins the list anew, so that keys may come twice.
    public func keys() throws(KernelError) -> [[UInt8]] {
        let (descriptor, size) = (descriptor, Int(declaration.keySize))
        return try asking(.nextKey) { () throws(Errno) in
            var keys: [[UInt8]] = []
            var next = [UInt8](repeating: 0, count: size)
            while true {
                let result =
                    if let last = keys.last {
                        linux_bpf_map_next_key(descriptor.rawValue, last, &next)
                    } else {
                        linux_bpf_map_next_key(descriptor.rawValue, nil, &next)
                    }
                if result == -Errno.noSuchFileOrDirectory.rawValue { return keys }
                _ = try answer(result)
                keys.append(next)
            }
        }
    }

    /// All keys and their values, many by one call (`BPF_MAP_LOOKUP_BATCH`, 5.6).
    ///
    /// - Parameter size: How many by one call; of a hash it has to be at least as many as share a place in its table, to
    ///   which the kernel says `ENOSPC`; then it is doubled.
    /// - Throws: ``KernelError`` with `ENOTSUP` for kinds of maps, and kernels, that cannot.
    public func elements(batch size: Int = 256) throws(KernelError) -> [(key: [UInt8], value: [UInt8])] {
        let (descriptor, keySize, room) = (descriptor, Int(declaration.keySize), room)
        return try asking(.lookUpBatch) { () throws(Errno) in
            var elements: [(key: [UInt8], value: [UInt8])] = []
            var size = max(size, 1)
            var position: [UInt8]?
            while true {
                var next = [UInt8](repeating: 0, count: max(keySize, 4))
                var keys = [UInt8](repeating: 0, count: keySize * size)
                var values = [UInt8](repeating: 0, count: room * size)
                var count = UInt32(size)
                let result =
                    if let position {
                        linux_bpf_map_lookup_batch(descriptor.rawValue, position, &next, &keys, &values, &count)
                    } else {
                        linux_bpf_map_lookup_batch(descriptor.rawValue, nil, &next, &keys, &values, &count)
                    }
                if result == -Errno.noSpace.rawValue, size < 1 << 20 {
                    size *= 2
                    continue
                }
                for index in 0..<Int(count) {
                    let (key, value) = (index * keySize, index * room)
                    elements.append((Array(keys[key..<(key + keySize)]), Array(values[value..<(value + room)])))
                }
                if result == -Errno.noSuchFileOrDirectory.rawValue { return elements }
                _ = try answer(result)
                position = next
            }
        }
    }

    /// Puts values under their keys by one call (`BPF_MAP_UPDATE_BATCH`, 5.6).
    ///
    /// - Throws: ``KernelError`` with `E2BIG` where the map is full; what comes before is there then.
    public func set(_ elements: [(key: [UInt8], value: [UInt8])]) throws(KernelError) {
        if elements.isEmpty { return }
        for element in elements {
            try check(element.key, Int(declaration.keySize), .updateBatch)
            try check(element.value, room, .updateBatch)
        }
        let descriptor = descriptor
        try asking(.updateBatch) { () throws(Errno) in
            var count = UInt32(elements.count)
            _ = try answer(
                linux_bpf_map_update_batch(
                    descriptor.rawValue, elements.flatMap(\.key), elements.flatMap(\.value), &count))
        }
    }

    /// Keeps processes from changing the map from now on (`BPF_MAP_FREEZE`, 5.2). Of a map that programs cannot change
    /// either, the verifier knows what is in it.
    ///
    /// - Throws: ``KernelError`` with `EBUSY` where it is frozen or some process has it writable in its memory.
    public func freeze() throws(KernelError) {
        let descriptor = descriptor
        try asking(.freezeMap) { () throws(Errno) in _ = try answer(linux_bpf_map_freeze(descriptor.rawValue)) }
    }
}

/// The values of an array in this process's memory, where programs change them and see them changed without a call (5.5).
///
/// They are there as long as this value lives, whether the map is or not.
public struct SharedValues: ~Copyable {
    private let start: UnsafeMutableRawPointer
    private let size: Int
    /// How far one value is from the next, a multiple of 8.
    public let stride: Int
    /// How many there are.
    public let count: Int

    /// Shares the values of an array that was made with ``MapDeclaration/Flags/shareable``.
    ///
    /// - Parameter isWritable: Whether this process may change them; not once the map is frozen.
    /// - Throws: ``KernelError`` with `ENOTSUP` for other maps, `EPERM` for a frozen one.
    public init(of map: borrowing Map, isWritable: Bool = false) throws(KernelError) {
        let stride = (Int(map.declaration.valueSize) + 7) & ~7
        let count = Int(map.declaration.maxEntries)
        let descriptor = map.descriptor
        var start: UnsafeMutableRawPointer?
        try asking(.shareMap) { () throws(Errno) in
            _ = try answer(
                linux_bpf_map_share(descriptor.rawValue, stride * count, isWritable ? 1 : 0, &start))
        }
        self.stride = stride
        self.count = count
        self.start = start!
        size = stride * count
    }

    deinit { linux_bpf_map_unshare(start, size) }

    /// Calls `body` with the bytes of all values, each padded to ``stride``. They may change meanwhile.
    public func withBytes<Value>(_ body: (UnsafeMutableRawBufferPointer) throws -> Value) rethrows -> Value {
        try body(UnsafeMutableRawBufferPointer(start: start, count: size))
    }
}
