import ExtendedBPF
import SystemPackage

/// A map in the kernel. It stays there as long as this value lives or a program that names it does.
public struct Map: ~Copyable {
    /// The descriptor of the map, closed when this value ends.
    public let descriptor: FileDescriptor
    /// What it was made as.
    public let declaration: MapDeclaration
    /// How many bytes the kernel gives and takes for a value.
    let room: Int

    /// Makes a map (`BPF_MAP_CREATE`).
    ///
    /// - Throws: ``KernelError`` with `EINVAL` where sizes or flags do not suit the kind.
    public init(_ declaration: MapDeclaration) throws(KernelError) {
        // All that can fail comes first: a value that is half made would still be ended.
        let room = try declaration.kind.copies * declaration.kind.padded(Int(declaration.valueSize))
        let descriptor = try asking(.createMap) { () throws(Errno) in try createMap(declaration) }
        self.declaration = declaration
        self.room = room
        self.descriptor = descriptor
    }

    deinit { try? descriptor.close() }

    /// The value of `key`, or nil where there is none (`BPF_MAP_LOOKUP_ELEM`).
    ///
    /// Of a map with a value for each processor these are all of them, one behind the other, each padded to a multiple
    /// of 8 bytes, for processor 0 first; processors that may be plugged in later have one too.
    /// - Parameter key: As many bytes as the map's keys have; of an array the index in the machine's byte order.
    /// - Throws: ``KernelError``; a ring buffer has no values.
    public func value(of key: [UInt8]) throws(KernelError) -> [UInt8]? {
        try check(key, Int(declaration.keySize), .lookUpElement)
        let (descriptor, room) = (descriptor, room)
        do throws(KernelError) {
            return try asking(.lookUpElement) { () throws(Errno) in try lookUp(key, in: descriptor, room: room) }
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return nil
        }
    }

    /// Puts `value` under `key`, instead of one that is there (`BPF_MAP_UPDATE_ELEM`).
    ///
    /// - Parameters:
    ///   - value: As many bytes as ``value(of:)`` gives.
    ///   - key: As for ``value(of:)``.
    /// - Throws: ``KernelError`` with `E2BIG` where the map is full.
    public func set(_ value: [UInt8], of key: [UInt8]) throws(KernelError) {
        try check(key, Int(declaration.keySize), .updateElement)
        try check(value, room, .updateElement)
        let descriptor = descriptor
        try asking(.updateElement) { () throws(Errno) in try update(key, to: value, in: descriptor) }
    }

    func check(_ bytes: [UInt8], _ size: Int, _ call: KernelError.Call) throws(KernelError) {
        guard bytes.count == size else { throw KernelError(.wrongSize(bytes.count, expected: size), in: call) }
    }
}

extension MapDeclaration.Kind {
    private var isPerCPU: Bool { self == .perCPUHash || self == .perCPUArray }

    /// How many values a key has.
    fileprivate var copies: Int {
        get throws(KernelError) { isPerCPU ? try RunningKernel.possibleProcessors() : 1 }
    }

    /// The bytes of one of them as the kernel copies it.
    fileprivate func padded(_ size: Int) -> Int { isPerCPU ? (size + 7) & ~7 : size }
}
