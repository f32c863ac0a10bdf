extension Instruction {
    /// The number of bytes of one instruction, `sizeof(struct sock_filter)`.
    public static let size = 8

    /// The order of the bytes of `code` and `k`.
    public enum ByteOrder: Hashable, Sendable {
        /// Least significant byte first.
        case little
        /// Most significant byte first, as in savefiles.
        case big

        /// The byte order of the machine this runs on, as in `struct sock_filter` in memory.
        public static var host: ByteOrder { UInt16(1).littleEndian == 1 ? .little : .big }
    }

    /// The eight bytes of the instruction: code, jt, jf, k.
    public func bytes(_ order: ByteOrder) -> [UInt8] {
        let code = order == .big ? code.bigEndian : code.littleEndian
        let k = order == .big ? k.bigEndian : k.littleEndian
        return withUnsafeBytes(of: code) { Array($0) } + [jt, jf] + withUnsafeBytes(of: k) { Array($0) }
    }

    /// Reads an instruction from its eight bytes.
    ///
    /// - Precondition: `bytes` has ``size`` elements.
    public init(bytes: some Collection<UInt8>, _ order: ByteOrder) {
        precondition(bytes.count == Self.size, "a classic instruction has 8 bytes")
        let b = Array(bytes).map(UInt32.init)
        let code = order == .big ? b[0] << 8 | b[1] : b[1] << 8 | b[0]
        let k = order == .big ? b[4...] : ArraySlice(b[4...].reversed())
        self.init(
            code: UInt16(code), jt: UInt8(b[2]), jf: UInt8(b[3]), k: k.reduce(0) { $0 << 8 | $1 })
    }
}
