import ClassicBPF

/// `struct sock_filter[]` as it lies in memory, in the byte order of the host.
enum SockFilterForm {
    static func read(_ bytes: [UInt8]) throws(AssemblyErrors) -> ClassicSource {
        guard !bytes.isEmpty, bytes.count % Instruction.size == 0 else {
            let reason = AssemblyError.Reason.wrongSize(
                "the file", found: bytes.count, expected: "8 for each of at least one instruction")
            throw AssemblyErrors(AssemblyError(reason, line: 0, column: bytes.count + 1))
        }
        let instructions = [Instruction](unsafeUninitializedCapacity: bytes.count / Instruction.size) { buffer, count in
            for index in buffer.indices {
                buffer.initializeElement(at: index, to: Instruction(in: bytes, at: index * Instruction.size, .host))
            }
            count = buffer.count
        }
        return ClassicSource(instructions: instructions, lines: [])
    }

    static func write(_ instructions: [Instruction]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Instruction.size * instructions.count)
        for instruction in instructions { bytes.append(instruction, .host) }
        return bytes
    }
}

extension Instruction {
    /// The instruction in the 8 bytes of `bytes` from `start`.
    init(in bytes: [UInt8], at start: Int, _ order: ByteOrder) {
        func byte(_ index: Int) -> UInt32 { UInt32(bytes[start + index]) }
        let (code, k) =
            switch order {
            case .little: (byte(1) << 8 | byte(0), byte(7) << 24 | byte(6) << 16 | byte(5) << 8 | byte(4))
            case .big: (byte(0) << 8 | byte(1), byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7))
            }
        self.init(code: UInt16(code), jt: bytes[start + 2], jf: bytes[start + 3], k: k)
    }
}

extension [UInt8] {
    /// Appends the 8 bytes of `instruction`, without an array of its own for them.
    mutating func append(_ instruction: Instruction, _ order: Instruction.ByteOrder) {
        append(instruction.code, order)
        append(instruction.jt)
        append(instruction.jf)
        append(instruction.k, order)
    }

    mutating func append(_ number: some FixedWidthInteger, _ order: Instruction.ByteOrder) {
        let ordered = order == .big ? number.bigEndian : number.littleEndian
        Swift.withUnsafeBytes(of: ordered) { append(contentsOf: $0) }
    }
}
