import BPFObject
import ExtendedBPF
import Foundation

/// Whether the running kernel casts an address to `void` (`bpf_rdonly_cast(…, 0)`, Linux 6.17).
let castsToVoid: Bool = {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
    return !numbers.lexicographicallyPrecedes([6, 17])
}()

/// The running kernel's types.
func kernelTypes() throws -> BTFReader {
    try BTFReader([UInt8](Data(contentsOf: URL(fileURLWithPath: "/sys/kernel/btf/vmlinux"))))
}

let kernelFunctionCall = Instruction(.call, srcReg: .r2, imm: 0)

/// The source of programs that have no better one.
let oneLine = SourceText(fileName: "line", lines: ["1"])

/// A socket filter that returns the packet's byte 13 plus its length, read through the kernel's own `sk_buff`.
func inlineLoadsObject(_ order: ByteOrder = .host) throws -> Object {
    var code = Assembler(functionNamed: "inline_loads")
    code.append(kernelFunctionCall, .kernelFunction("bpf_cast_to_kern_ctx"))
    code.append(.move64(.r6, .r0))
    code.append(.load(.word, .r7, .r6, 0), .kernelField(structure: "sk_buff", member: "len"))
    code.append(.load(.doubleword, .r1, .r6, 0), .kernelField(structure: "sk_buff", member: "data"))
    code.append(.move64(.r2, 0))
    code.append(kernelFunctionCall, .kernelFunction("bpf_rdonly_cast"))
    code.append(.load(.byte, .r0, .r0, 13))
    code.append(.alu32(.add, .r0, .r7))
    code.append(.exit)
    return Object(
        program: Program(functions: [try code.finish()]), section: "socket", source: oneLine,
        contextType: "__sk_buff", byteOrder: order)
}

/// A classifier that returns what a table of 16-bit numbers has for the packet's byte 13, which is below 4, and what a
/// second one has, read by a function of its own; and counts its runs in a map.
func tablesObject(_ order: ByteOrder = .host) throws -> Object {
    var entry = Assembler(functionNamed: "tables")
    let done = entry.makeLabel()
    entry.append(.move64(.r6, .r1))
    entry.append(.loadPacket(.byte, at: 13))
    entry.append(.alu64(.and, .r0, 3))
    entry.append(.alu64(.shiftLeft, .r0, 1))
    entry.append(Instruction(.loadWide, dstReg: .r7, srcReg: .r2), .data("first", offset: 2))
    entry.append(.alu64(.add, .r7, .r0))
    entry.append(.load(.halfword, .r7, .r7, 0))
    entry.append(.call(localAt: 0), .function("tables_second"))
    entry.append(.alu64(.add, .r7, .r0))
    entry.append(.store(.word, .r10, -4, 0 as Int32))
    entry.append(.move64(.r2, .r10))
    entry.append(.alu64(.add, .r2, -4))
    entry.append(Instruction(.loadWide, dstReg: .r1, srcReg: .r1), .map("runs"))
    entry.append(.call(helper: 1))
    entry.append(.jump64(if: .r0, .equal, 0, 0), to: done)
    entry.append(.load(.doubleword, .r1, .r0, 0))
    entry.append(.alu64(.add, .r1, 1))
    entry.append(.store(.doubleword, .r0, 0, .r1))
    entry.place(done)
    entry.append(.move64(.r0, .r7))
    entry.append(.exit)
    var second = Assembler(functionNamed: "tables_second")
    second.append(Instruction(.loadWide, dstReg: .r1, srcReg: .r2), .data("second", offset: 4))
    second.append(.load(.word, .r0, .r1, 0))
    second.append(.exit)
    return Object(
        program: Program(
            functions: [try entry.finish(), try second.finish()],
            data: [
                DataTable(name: "first", elementSize: .halfword, elements: [9999, 100, 200, 300, 400]),
                DataTable(name: "second", elementSize: .word, elements: [9999, 1000]),
            ],
            maps: [MapDeclaration(name: "runs", kind: .array, keySize: 4, valueSize: 8, maxEntries: 1)]),
        section: "classifier", source: oneLine, contextType: "__sk_buff", byteOrder: order)
}

/// All that objects can refer to, in the first function and in another one; for reading, not for loading.
func referringObject(_ order: ByteOrder = .host) throws -> Object {
    var object = try tablesObject(order)
    let more = try inlineLoadsObject().program.entry
    let second = object.program.functions[1]
    // Behind what is there, so that places in `.text` are not those in the function.
    object.program.functions.append(
        Function(name: "inline_loads", instructions: more.instructions, references: more.references))
    object.program.functions[1].instructions = [.alu64(.add, .r1, 0), .move64(.r2, 0)] + second.instructions
    object.program.functions[1].references = [
        0: .kernelField(structure: "sock", member: "__sk_common.skc_family"), 1: .kernelType("sk_buff"),
        2: .data("second", offset: 4),
    ]
    object.kernelVersion = 0x060100
    return object
}
