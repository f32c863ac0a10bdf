import ClassicBPF
import ExtendedBPF

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A filter and the program it became, as one JSON object. `Grammar/program.schema.json` describes it.
public struct ProgramDocument: Encodable {
    /// The tcpdump expression, if the filter came from one.
    public var expression: String?
    /// libpcap's name of the link type the expression was compiled for.
    public var linkType: String?
    /// The hook, or nil for the kernel's own form.
    public var hook: String?
    /// The view of the packet's VLAN tag that the filter is shown, or nil for the bytes as they are.
    public var vlan: String?
    /// The classic instructions.
    public var classic: [ClassicInstruction]
    /// The eBPF instructions, all functions one behind the other.
    public var ebpf: [ExtendedInstruction]
    /// The tables that instructions read, or nil if there are none.
    public var tables: [Table]?

    /// A table of constants.
    public struct Table: Encodable {
        var name: String
        var elementSize: Int
        var elements: [UInt64]

        enum CodingKeys: String, CodingKey {
            case name, elements
            case elementSize = "element_size"
        }
    }

    /// A classic instruction, field by field, and as `tcpdump -d` shows it.
    public struct ClassicInstruction: Encodable {
        var code: UInt16
        var jt: UInt8
        var jf: UInt8
        var k: UInt32
        var text: String
    }

    /// An eBPF instruction, field by field, and as the kernel shows it.
    public struct ExtendedInstruction: Encodable {
        var slot: Int
        var opcode: UInt8
        var dstReg: UInt8
        var srcReg: UInt8
        var offset: Int16
        var imm: Int32
        var nextImm: Int32?
        var line: Int
        var text: String

        enum CodingKeys: String, CodingKey {
            case slot, opcode, offset, imm, line, text
            case dstReg = "dst_reg"
            case srcReg = "src_reg"
            case nextImm = "next_imm"
        }
    }

    enum CodingKeys: String, CodingKey {
        case expression, hook, vlan, classic, ebpf, tables
        case linkType = "link_type"
    }

    /// Describes `filter` and the program it became.
    public init(
        filter: ClassicBPF.Program, program: ExtendedBPF.Program, expression: String? = nil, linkType: String? = nil,
        hook: String? = nil, vlan: String? = nil
    ) {
        self.expression = expression
        self.linkType = linkType
        self.hook = hook
        self.vlan = vlan
        classic = zip(filter.instructions, ClassicListing.lines(filter)).map { instruction, text in
            ClassicInstruction(
                code: instruction.code, jt: instruction.jt, jf: instruction.jf, k: instruction.k,
                // The listing numbers its lines in front, here the place in the array does.
                text: text.drop { $0 != " " }.trimmed)
        }
        ebpf = Self.describe(program.linked())
        tables =
            program.data.isEmpty
            ? nil
            : program.data.map { Table(name: $0.name, elementSize: $0.elementSize.bytes, elements: $0.elements) }
    }

    private static func describe(_ function: Function) -> [ExtendedInstruction] {
        let slots = function.slots
        var marks = function.lines[...]
        var line = 1
        return function.instructions.enumerated().map { index, instruction in
            if marks.first?.instruction == index { line = marks.removeFirst().line }
            return ExtendedInstruction(
                slot: slots[index].rawValue, opcode: instruction.opcode.rawValue,
                dstReg: instruction.dstReg.rawValue, srcReg: instruction.srcReg.rawValue,
                offset: instruction.offset, imm: instruction.imm,
                nextImm: instruction.isWide ? instruction.nextImm : nil, line: line,
                text: instruction.image(function.references[index]))
        }
    }

    /// The object as JSON text with a line feed behind it; keys are sorted.
    public func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

extension Substring {
    /// Without white space at either end, and with single spaces for runs of it.
    fileprivate var trimmed: String {
        split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }
}
