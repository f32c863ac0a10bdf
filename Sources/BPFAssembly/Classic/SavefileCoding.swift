import ClassicBPF

extension Savefile {
    static let signature: [UInt8] = [0xa1, 0xb2, 0xc3, 0xcb] + Array("cBPF".utf8)
    private static let headerSize = 20
    private static let majorVersion: UInt8 = 1

    /// Reads a file. The instructions are not validated.
    ///
    /// - Throws: ``AssemblyErrors`` with line 0 and, as the column, the byte counted from 1.
    /// - Complexity: O(*n*) in the number of bytes.
    public init(_ bytes: [UInt8]) throws(AssemblyErrors) {
        do throws(AssemblyError) {
            try self.init(readingAllOf: bytes)
        } catch {
            throw AssemblyErrors(error)
        }
    }

    private init(readingAllOf bytes: [UInt8]) throws(AssemblyError) {
        var reader = ByteReader(bytes: bytes)
        for byte in Self.signature {
            let found = try reader.number(UInt8.self, of: "the signature")
            guard found == byte else {
                throw reader.error(
                    .wrongValue(
                        "the byte", found: "0x\(String(found, radix: 16))", expected: "0x\(String(byte, radix: 16))"),
                    before: 1)
            }
        }
        let major = try reader.number(UInt8.self, of: "the header")
        guard major == Self.majorVersion else {
            throw reader.error(.wrongValue("the major version", found: "\(major)", expected: "1"), before: 1)
        }
        self.init(instructions: [])
        minorVersion = try reader.number(UInt8.self, of: "the header")
        flags = Flags(rawValue: try reader.number(UInt16.self, of: "the header"))
        snapshotLength = try reader.number(UInt32.self, of: "the header")
        linkType = try reader.number(UInt16.self, of: "the header")
        let count = try reader.number(UInt16.self, of: "the header")
        guard count > 0 else {
            throw reader.error(.wrongValue("the number of instructions", found: "0", expected: "at least 1"), before: 2)
        }
        let start = try reader.skip(Int(count) * Instruction.size, of: "the \(count) instructions")
        instructions = (0..<Int(count)).map { Instruction(in: bytes, at: start + $0 * Instruction.size, .big) }
        try readAttributes(from: &reader)
    }

    private mutating func readAttributes(from reader: inout ByteReader) throws(AssemblyError) {
        var seen: Set<UInt16> = []
        isTerminated = false
        while !reader.isAtEnd {
            guard !isTerminated else {
                throw reader.error(.unexpected(found: "more bytes", expected: ["the end of the file"]))
            }
            let type = try reader.number(UInt16.self, of: "an attribute")
            let length = try reader.number(UInt16.self, of: "an attribute")
            let start = try reader.skip(Int(length), of: "the attribute of type \(type)")
            guard seen.insert(type).inserted else {
                throw reader.error(.duplicate("attribute of type \(type)"), before: Int(length) + 4)
            }
            let attribute = Attribute(type: type, value: Array(reader.bytes[start..<start + Int(length)]))
            if let reason = attribute.defect { throw reader.error(reason, before: Int(length) + 4) }
            if type == 0 { isTerminated = true } else { attributes.append(attribute) }
        }
    }

    /// The bytes of the file.
    ///
    /// - Throws: ``WritingError`` where there are no instructions or more than 65,535, or an attribute is too long.
    public func bytes() throws(WritingError) -> [UInt8] {
        let counts = 1...Int(UInt16.max)
        guard counts.contains(instructions.count) else {
            throw WritingError(.wrongCount(instructions.count, allowed: counts))
        }
        var bytes = Self.signature
        bytes.reserveCapacity(Self.headerSize + Instruction.size * instructions.count)
        bytes += [Self.majorVersion, minorVersion]
        bytes.append(flags.rawValue, .big)
        bytes.append(snapshotLength, .big)
        bytes.append(linkType, .big)
        bytes.append(UInt16(instructions.count), .big)
        for instruction in instructions { bytes.append(instruction, .big) }
        for attribute in attributes + (isTerminated ? [Attribute(type: 0, value: [])] : []) {
            guard let length = UInt16(exactly: attribute.value.count) else {
                throw WritingError(.valueTooLong(count: attribute.value.count, limit: Int(UInt16.max)))
            }
            bytes.append(attribute.type, .big)
            bytes.append(length, .big)
            bytes += attribute.value
        }
        return bytes
    }
}

extension Savefile.Attribute {
    /// Why the value cannot be one of the type.
    fileprivate var defect: AssemblyError.Reason? {
        guard type != 0 else { return size(0, "the mark of the end") }
        switch Savefile.KnownAttribute(rawValue: type) {
        case nil: return nil
        case .linkTypeName: return ascii("the name of the link type")
        case .filter: return ascii("the filter")
        case .isOptimizationRequested:
            if let reason = size(1, "the wish to optimise") { return reason }
            return value[0] <= 1 ? nil : .wrongValue("the wish to optimise", found: "\(value[0])", expected: "0 or 1")
        case .netmask: return size(4, "the netmask")
        case .comment:
            let isText = String(validating: value, as: UTF8.self) != nil
            return isText ? nil : .wrongValue("the comment", found: "not UTF-8", expected: "UTF-8")
        case .timestamp: return size(8, "the timestamp")
        }
    }

    private func size(_ size: Int, _ name: String) -> AssemblyError.Reason? {
        value.count == size ? nil : .wrongSize(name, found: value.count, expected: "\(size)")
    }

    private func ascii(_ name: String) -> AssemblyError.Reason? {
        value.allSatisfy { $0 < 0x80 } ? nil : .wrongValue(name, found: "not ASCII", expected: "ASCII")
    }
}

/// Reads big-endian numbers from bytes that may end too early.
private struct ByteReader {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number<Number: FixedWidthInteger>(
        _: Number.Type, of what: String
    ) throws(AssemblyError) -> Number {
        let start = try skip(Number.bitWidth / 8, of: what)
        return bytes[start..<position].reduce(0) { $0 << 8 | Number($1) }
    }

    /// Moves behind `count` bytes and returns where they begin.
    mutating func skip(_ count: Int, of what: String) throws(AssemblyError) -> Int {
        guard bytes.count - position >= count else {
            let missing = count - (bytes.count - position)
            throw AssemblyError(.truncated(what, missing: missing), line: 0, column: bytes.count + 1)
        }
        position += count
        return position - count
    }

    /// An error at what begins `distance` bytes back.
    func error(_ reason: AssemblyError.Reason, before distance: Int = 0) -> AssemblyError {
        AssemblyError(reason, line: 0, column: position - distance + 1)
    }
}
