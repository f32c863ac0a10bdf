import ExtendedBPF

/// Bytes that grow at their end, numbers in a chosen byte order.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []
    let order: ByteOrder

    init(_ order: ByteOrder) {
        self.order = order
    }

    /// Appends the bytes of `value`.
    mutating func append(_ value: some FixedWidthInteger & UnsignedInteger) {
        withUnsafeBytes(of: order == .little ? value.littleEndian : value.bigEndian) { bytes += $0 }
    }

    /// Appends `more` as it stands.
    mutating func append(contentsOf more: [UInt8]) {
        bytes += more
    }

    /// Appends zeros until the length is a multiple of `alignment`.
    mutating func align(to alignment: Int) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }
}
