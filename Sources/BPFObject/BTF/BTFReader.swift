import ExtendedBPF

/// Answers questions about the types in a `.BTF` section or in `/sys/kernel/btf/vmlinux`.
///
/// The bytes can be in either byte order and need not be trusted: what does not fit together is an error. Nothing of
/// them is copied; making a reader costs one pass and eight bytes for each type.
/// Source: the kernel's documentation of the BPF Type Format, "BTF Type and String Encoding".
public struct BTFReader: Sendable {
    /// The order of the bytes.
    public let byteOrder: ByteOrder

    let bytes: [UInt8]
    let strings: Range<Int>
    /// Where each type starts in `bytes`; the first is number 1.
    private(set) var typeOffsets: [Int] = []

    /// The bytes that every type has.
    static let headSize = 12

    /// Reads the header of `bytes` and finds where the types start.
    ///
    /// - Throws: ``BTFError`` at the first field that does not fit.
    /// - Complexity: O(number of types).
    public init(_ bytes: [UInt8]) throws(BTFError) {
        let header = try Header(bytes)
        self.bytes = bytes
        byteOrder = header.order
        strings = header.strings
        guard bytes[strings].first == 0, bytes[strings].last == 0 else {
            throw BTFError(.unterminatedStrings, at: strings.lowerBound)
        }
        // A type has 30 bytes on average in kernels; a guess saves growing step by step.
        typeOffsets.reserveCapacity(header.types.count / 30)
        var offset = header.types.lowerBound
        while offset < header.types.upperBound {
            let left = header.types.upperBound - offset
            guard left >= Self.headSize else {
                throw BTFError(.truncated(needed: Self.headSize, available: left), at: offset)
            }
            let size = try head(at: offset).size
            guard left >= size else { throw BTFError(.truncated(needed: size, available: left), at: offset) }
            typeOffsets.append(offset)
            offset += size
        }
    }

    /// The number of types.
    public var typeCount: Int { typeOffsets.count }

    /// The number of the first type of that kind and name.
    ///
    /// For a kernel function (kfunc) this is what a call of it holds in `imm`.
    /// - Throws: ``BTFError`` if there is none.
    /// - Complexity: O(number of types).
    public func typeID(of kind: BTFKind, named name: String) throws(BTFError) -> BTFTypeID {
        let wanted = Array(name.utf8)
        for (index, offset) in typeOffsets.enumerated() {
            if try matches(at: offset, kind, wanted) { return BTFTypeID(rawValue: UInt32(index + 1)) }
        }
        throw BTFError(.noSuchType(kind, name: name))
    }

    /// The distance in bytes of `member` from the start of `structure`, a `struct` or `union`.
    ///
    /// Members of unnamed structures and unions inside it count as its own, as in C.
    /// - Throws: ``BTFError`` if there is no such member, or if it is a bit field.
    /// - Complexity: O(number of types).
    public func byteOffset(of member: String, in structure: String) throws(BTFError) -> Int {
        let wanted = Array(structure.utf8)
        var known = false
        for offset in typeOffsets {
            let kind = try head(at: offset).kind
            guard kind == .structure || kind == .union, try matches(at: offset, kind, wanted) else { continue }
            known = true
            // A kernel can hold two structures of one name; the first with the member is meant.
            guard let found = try find(Array(member.utf8), inStructureAt: offset) else { continue }
            if found.isBitField { throw BTFError(.bitField(member, structure: structure)) }
            return found.bitOffset / 8
        }
        throw BTFError(known ? .noSuchMember(member, structure: structure) : .noSuchType(.structure, name: structure))
    }
}

extension BTFReader {
    /// The sections' places, checked to be inside the bytes.
    private struct Header {
        var order: ByteOrder
        var types, strings: Range<Int>

        init(_ bytes: [UInt8]) throws(BTFError) {
            guard bytes.count >= BTFBuilder.headerSize else {
                throw BTFError(.truncated(needed: BTFBuilder.headerSize, available: bytes.count), at: 0)
            }
            switch UInt16(bytes[0]) | UInt16(bytes[1]) << 8 {
            case BTFBuilder.magic: order = .little
            case BTFBuilder.magic.byteSwapped: order = .big
            case let magic: throw BTFError(.notBTF(magic: magic), at: 0)
            }
            guard bytes[2] == BTFBuilder.version else { throw BTFError(.unknownVersion(bytes[2]), at: 2) }
            let word = { [order] in Int(readWord(bytes, at: $0, order)) }
            let size = word(4)
            guard size >= BTFBuilder.headerSize else {
                throw BTFError(.shortHeader(bytes: size, least: BTFBuilder.headerSize), at: 4)
            }
            types = size + word(8)..<size + word(8) + word(12)
            strings = size + word(16)..<size + word(16) + word(20)
            for (field, section) in [(8, types), (16, strings)] where section.upperBound > bytes.count {
                let available = max(0, bytes.count - section.lowerBound)
                throw BTFError(.truncated(needed: section.count, available: available), at: field)
            }
        }
    }

    /// The twelve bytes that every type starts with.
    struct Head {
        var name: UInt32
        var kind: BTFKind
        var count: Int
        /// In structures: whether members give the size of a bit field.
        var kindFlag: Bool
        var sizeOrType: UInt32

        /// All the type's bytes.
        var size: Int { BTFReader.headSize + kind.trailingBytes(count: count) }
    }

    /// - Precondition: At least 12 bytes are there.
    func head(at offset: Int) throws(BTFError) -> Head {
        let info = word(at: offset + 4)
        let rawKind = UInt8(info >> 24 & 0x1f)
        guard let kind = BTFKind(rawValue: rawKind) else { throw BTFError(.unknownKind(rawKind), at: offset + 4) }
        return Head(
            name: word(at: offset), kind: kind, count: Int(info & 0xffff), kindFlag: info >> 31 == 1,
            sizeOrType: word(at: offset + 8))
    }

    func word(at offset: Int) -> UInt32 { readWord(bytes, at: offset, byteOrder) }

    private func matches(at offset: Int, _ kind: BTFKind, _ name: [UInt8]) throws(BTFError) -> Bool {
        guard UInt8(word(at: offset + 4) >> 24 & 0x1f) == kind.rawValue else { return false }
        return try string(at: word(at: offset), equals: name, referredToAt: offset)
    }

    /// Whether the name at `position` in the strings is `name`. An empty name is no name.
    private func string(at position: UInt32, equals name: [UInt8], referredToAt offset: Int) throws(BTFError) -> Bool {
        guard position < strings.count else {
            throw BTFError(.stringOutOfRange(offset: Int(position), size: strings.count), at: offset)
        }
        let start = strings.lowerBound + Int(position)
        guard !name.isEmpty, name.count < strings.upperBound - start, bytes[start + name.count] == 0 else {
            return false
        }
        for (index, byte) in name.enumerated() where byte == 0 || bytes[start + index] != byte { return false }
        return true
    }

    private struct Found {
        var bitOffset: Int
        var isBitField: Bool
    }

    /// Looks through the members of a structure and, level by level, of the unnamed ones in it.
    private func find(_ name: [UInt8], inStructureAt start: Int) throws(BTFError) -> Found? {
        var waiting = [(offset: start, bits: 0)]
        // In C no unnamed structure can hold another one twice; here it could even hold itself.
        var seen: Set<Int> = [start]
        while let (offset, bits) = waiting.popLast() {
            let structure = try head(at: offset)
            for index in 0..<structure.count {
                let member = offset + Self.headSize + 12 * index
                let place = word(at: member + 8)
                // Under the flag a bit field has its size in the upper 8 bits, other members have 0 there.
                let bitOffset = bits + Int(place)
                if try string(at: word(at: member), equals: name, referredToAt: member) {
                    let isBitField = structure.kindFlag && place >> 24 != 0 || bitOffset % 8 != 0
                    return Found(bitOffset: bitOffset, isBitField: isBitField)
                }
                guard word(at: member) == 0, let inner = try structureOffset(of: word(at: member + 4), at: member),
                    seen.insert(inner).inserted
                else { continue }
                waiting.append((inner, bitOffset))
            }
        }
        return nil
    }

    /// Where the structure starts that type `id` is or stands for, or nil if it is none.
    private func structureOffset(of id: UInt32, at place: Int) throws(BTFError) -> Int? {
        var id = id
        for _ in 0...typeCount {
            if id == 0 { return nil }
            guard id <= typeCount else { throw BTFError(.typeOutOfRange(id: id, count: typeCount), at: place) }
            let offset = typeOffsets[Int(id) - 1]
            let type = try head(at: offset)
            if type.kind == .structure || type.kind == .union { return offset }
            guard type.kind.isTransparent else { return nil }
            id = type.sizeOrType
        }
        throw BTFError(.circularType(id: id), at: place)
    }
}

private func readWord(_ bytes: [UInt8], at offset: Int, _ order: ByteOrder) -> UInt32 {
    let word = bytes[offset..<offset + 4].withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    return order == .little ? UInt32(littleEndian: word) : UInt32(bigEndian: word)
}
