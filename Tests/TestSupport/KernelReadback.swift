import ClassicBPF
import ExtendedBPF
import Foundation

/// What the running kernel has made of one classic filter.
public struct KernelReadbackResult: Hashable, Sendable {
    /// 0 if the filter was attached, else the `errno` of the refusal.
    public var attachError: Int32

    /// The converted instructions, or nil if the filter was refused.
    ///
    /// They keep what the kernel's converter leaves in unused fields and so need not satisfy RFC 9669.
    public var instructions: [ExtendedBPF.Instruction]?

    /// By index of the instruction, the kernel function or structure field (`sk_buff.len`) that a number of this
    /// kernel stands for.
    public var names: [Int: String]
}

/// Why the readback tool gave no answer.
public struct KernelReadbackError: Error, CustomStringConvertible {
    /// What happened, with the tool's own words.
    public var description: String
}

/// Lets the running kernel convert `programs` and reads back what it made of each.
///
/// Needs root on Linux and what `Tests/KernelReadback/README.md` lists. The kernel's limit on option memory is lifted
/// for it, so that long programs are judged too.
/// - Throws: ``KernelReadbackError`` if the tool fails or does not answer for every program.
public func readBack(_ programs: [ClassicBPF.Program]) throws -> [KernelReadbackResult] {
    // One at a time: the tool builds itself into a cache when it first runs.
    readbackLock.lock()
    defer { readbackLock.unlock() }
    let batch = 2_000
    return try stride(from: 0, to: programs.count, by: batch).flatMap { start in
        try readBackBatch(programs[start..<min(start + batch, programs.count)])
    }
}

private let readbackLock = NSLock()

private func readBackBatch(_ programs: ArraySlice<ClassicBPF.Program>) throws -> [KernelReadbackResult] {
    let scratch = try TemporaryFolder()
    let paths = try programs.indices.map { index in
        try scratch.file("\(index)", containing: Array(decimalListing(programs[index]).utf8))
        return scratch.path("\(index)")
    }
    let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "KernelReadback/readback").path(percentEncoded: false)
    let result = try run(tool, ["--json"] + paths)
    let rows = result.text.split(separator: "\n")
    guard result.status == 0, rows.count == programs.count else {
        throw KernelReadbackError(
            description:
                "readback ended with \(result.status) and \(rows.count) rows for \(programs.count) programs: \(result.errors)"
        )
    }
    return try rows.map { try readbackResult(Data($0.utf8)) }
}

/// The form of `tcpdump -ddd`.
private func decimalListing(_ program: ClassicBPF.Program) -> String {
    "\(program.count)\n" + program.instructions.map { "\($0.code) \($0.jt) \($0.jf) \($0.k)\n" }.joined()
}

private func readbackResult(_ row: Data) throws -> KernelReadbackResult {
    guard let object = try JSONSerialization.jsonObject(with: row) as? [String: Any], object["error"] == nil,
        let attach = object["attach"] as? Int
    else { throw KernelReadbackError(description: "unexpected row \(String(decoding: row, as: UTF8.self))") }
    guard attach == 0 else {
        return KernelReadbackResult(attachError: Int32(-attach), instructions: nil, names: [:])
    }
    guard let slots = object["ebpf"] as? [[Int]], let names = object["names"] as? [String: String] else {
        throw KernelReadbackError(description: "no instructions in \(String(decoding: row, as: UTF8.self))")
    }
    let named = names.compactMap { key, name in Int(key).map { ($0, name) } }
    return KernelReadbackResult(
        attachError: 0, instructions: try slots.map(instruction), names: Dictionary(uniqueKeysWithValues: named))
}

/// An instruction of the five numbers code, dst, src, off, imm. The converter makes no wide ones.
private func instruction(_ fields: [Int]) throws -> ExtendedBPF.Instruction {
    guard fields.count == 5, let code = UInt8(exactly: fields[0]), code != Opcode.loadWide.rawValue,
        let dst = UInt8(exactly: fields[1]).flatMap(Register.init), let offset = Int16(exactly: fields[3]),
        let src = UInt8(exactly: fields[2]).flatMap(Register.init), let imm = Int32(exactly: fields[4])
    else { throw KernelReadbackError(description: "\(fields) is no instruction of the converter's") }
    return ExtendedBPF.Instruction(Opcode(rawValue: code), dstReg: dst, srcReg: src, offset: offset, imm: imm)
}
