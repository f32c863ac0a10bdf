import ExtendedBPF

/// What a loader looks up in the kernel's types for the section's instructions, by place in bytes (CO-RE).
///
/// Source: the kernel's documentation of the BPF Type Format, ".BTF.ext section".
func kernelReferences(of section: ELFReader.Section, in file: ELFReader) throws(ELFError) -> [Int: Reference] {
    guard let types = file.sections.first(where: { $0.name == ".BTF" }),
        let records = file.sections.first(where: { $0.name == ".BTF.ext" })
    else { return [:] }
    do throws(BTFError) {
        let types = try BTFReader(Array(file.content(of: types)))
        return try references(of: section.name, Array(file.content(of: records)), types)
    } catch {
        throw ELFError(.types(error.reason))
    }
}

private func references(of section: String, _ bytes: [UInt8], _ types: BTFReader) throws(BTFError) -> [Int: Reference] {
    let words = Words(bytes: bytes, order: types.byteOrder)
    let headerSize = try words.number(at: 4)
    // The header of files without any is shorter.
    guard headerSize >= 32 else { return [:] }
    var place = headerSize + (try words.number(at: 24))
    let end = place + (try words.number(at: 28))
    if place == end { return [:] }
    let size = try words.number(at: place)
    guard size >= KernelRecord.size else { throw BTFError(.shortHeader(bytes: size, least: KernelRecord.size)) }
    guard size <= bytes.count else { throw BTFError(.truncated(needed: size, available: bytes.count), at: place) }
    place += 4
    var found: [Int: Reference] = [:]
    while place < end {
        let isMeant = try types.string(at: UInt32(words.number(at: place))) == section
        let count = try words.number(at: place + 4)
        place += 8
        for record in 0..<count {
            let start = place + record * size
            // Nothing is asked of the file for records that are not there.
            let instruction = try words.number(at: start)
            guard isMeant else { break }
            found[instruction] = try reference(at: start, words, types)
        }
        place += count * size
    }
    return found
}

/// What the record asks for: the place of a member, or the number of a structure; nil for other questions.
private func reference(at start: Int, _ words: Words, _ types: BTFReader) throws(BTFError) -> Reference? {
    let type = UInt32(try words.number(at: start + 4))
    let name = try types.name(ofType: type)
    switch KernelRecord.Kind(rawValue: UInt32(try words.number(at: start + 12))) {
    case .targetTypeID: return .kernelType(name)
    case .fieldByteOffset:
        let access = try types.string(at: UInt32(words.number(at: start + 8)))
        return .kernelField(structure: name, member: try types.memberPath(access, inType: type))
    case nil: return nil
    }
}

/// The numbers of a section, checked to be inside it.
struct Words {
    let bytes: [UInt8]
    let order: ByteOrder

    func number(at offset: Int) throws(BTFError) -> Int {
        guard 0...max(0, bytes.count - 4) ~= offset, bytes.count >= 4 else {
            throw BTFError(.truncated(needed: 4, available: max(0, bytes.count - offset)), at: offset)
        }
        let field = bytes[offset..<offset + 4]
        return (order == .little ? field.reversed() : Array(field)).reduce(0) { $0 << 8 | Int($1) }
    }
}
