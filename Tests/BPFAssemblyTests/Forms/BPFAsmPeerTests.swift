import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

/// bpfc is netsniff-ng's assembler for the language of the kernel's bpf_asm.
@Suite(.enabled(if: Requirement.tool("bpfc").allowsRunning, "needs bpfc of netsniff-ng"))
struct BPFAsmPeerTests {
    @Test func randomSourcesAssembleToTheSame() throws {
        var generator = SeededGenerator()
        for _ in 0..<250 {
            let source = generator.bpfAsmSource()
            let theirs = try assembledByBpfc(source)
            let ours = try ClassicForm.bpfAsm.read(source).instructions
            #expect(try ClassicForm.tcpdumpDD.write(ours) == theirs, "\(source)")
        }
    }

    /// What is written here, but for the three extensions that bpfc does not know.
    @Test func bpfcReadsWhatIsWritten() throws {
        var generator = SeededGenerator()
        let known = Set(Extension.allCases).subtracting([.vlanAvail, .vlanTPID, .rand])
        let maker = RandomProgram(allowing: known, leftovers: false)
        for _ in 0..<100 {
            let program = maker.next(using: &generator).instructions
            let source = String(decoding: try ClassicForm.bpfAsm.write(program), as: UTF8.self)
            #expect(try ClassicForm.tcpdumpDD.read(assembledByBpfc(source)).instructions == program, "\(source)")
        }
    }

    /// bpfc's line for iptables ends with a comma.
    @Test func bpfcsLineIsRead() throws {
        let source = "ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0\n"
        let line = try assembledByBpfc(source, as: "xt_bpf")
        #expect(line.last == UInt8(ascii: ","))
        #expect(try ClassicForm.xtBPF.read(line).instructions == ClassicForm.bpfAsm.read(source).instructions)
    }

    private func assembledByBpfc(_ source: String, as form: String = "C") throws -> [UInt8] {
        let folder = try TemporaryFolder()
        try folder.file("source", containing: Array(source.utf8))
        // -b: also what its own check of programs would refuse.
        let result = try run("bpfc", ["-b", "-f", form, "-i", folder.path("source")])
        #expect(result.status == 0, "\(source): \(result.errors)")
        return result.output
    }
}

extension SeededGenerator {
    /// A source in which each instruction, way of writing it, number and comment may come.
    mutating func bpfAsmSource() -> String {
        let count = Int.random(in: 1...40, using: &self)
        var text = chance(20) ? "/* A source\n * of \(count) instructions */\n" : ""
        for index in 0..<count {
            if chance(10) { text += pick(["; a comment\n", "\n# another\n", "\n", " \t\n", "/* one */ "]) }
            text += "\(label(index)):\(pick([" ", "\t", "\n", "", "\n\n "]))"
            text += bpfAsmInstruction(at: index, of: count)
            text += pick(["\n", "\n", "\n", " ; said\n", "\t/* said */\n", " "])
        }
        return text + "\(label(count)): ret #0\n"
    }

    private func label(_ index: Int) -> String {
        index % 3 == 0 ? "lab_\(index)" : index % 3 == 1 ? "L\(index)" : "_x\(index)Y"
    }

    private mutating func target(_ index: Int, _ count: Int) -> String {
        label(Int.random(in: index + 1...count, using: &self))
    }

    private mutating func number() -> String {
        let number = interestingNumber()
        return switch Int.random(in: 0..<6, using: &self) {
        case 0: "0x" + String(number, radix: 16, uppercase: chance(50))
        case 1 where number < 1 << 31: "0b" + String(number, radix: 2)
        case 2 where number < 1 << 31: "0" + String(number, radix: 8)
        case 3: String(Int32(bitPattern: number))
        case 4 where number > 0: "+\(number)"
        default: "\(number)"
        }
    }

    private mutating func unsignedNumber() -> String { "\(interestingNumber())" }

    private mutating func bpfAsmInstruction(at index: Int, of count: Int) -> String {
        let packet = pick([
            "[\(number())]", "[x + \(unsignedNumber())]", "[%x + \(unsignedNumber())]", "[ \(number()) ]",
        ])
        let x = pick(["x", "%x", "X"])
        let operand = pick(["#\(number())", x, "#\(number())"])
        let names = [
            "proto", "type", "poff", "ifidx", "nla", "nlan", "mark", "queue", "hatype", "rxhash", "cpu", "vlan_tci",
            "vlanp",
            "pto", "ifx", "que", "hat", "rxh", "vlant",
        ]
        let named = pick(["", "#"]) + pick(names)
        let memory = "M[\(Int.random(in: 0...15, using: &self))]"
        let header = pick(["4*([\(number())]&0xf)", "4 * ( [ \(number()) ] & 15 )"])
        let (first, second) = (target(index, count), target(index, count))
        let instruction = pick([
            "ld \(packet)", "ldh \(packet)", "ldb \(packet)", "ld \(named)", "ldh \(named)", "ldb \(named)",
            "ld \(memory)", "ld #\(number())", "ld len", "ld #len", "ldi \(number())", "ldi #\(number())",
            "ldx \(memory)", "ldx #\(number())", "ldx len", "ldx #pktlen", "ldxi \(number())", "ldx \(header)",
            "ldxb \(header)", "st \(memory)", "stx \(memory)", "ja \(first)", "jmp \(first)",
            "jeq \(operand), \(first)", "jeq \(operand),\(first),\(second)", "jgt \(operand), \(first), \(second)",
            "jge \(operand), \(first) , \(second)", "jset \(operand), \(first)", "jset \(operand), \(first), \(second)",
            "jne \(operand), \(first)", "jneq \(operand), \(first)", "jlt \(operand), \(first)",
            "jle \(operand), \(first)", "jgt \(operand), \(first)", "jge \(operand), \(first)",
            "add \(operand)", "sub \(operand)", "mul \(operand)", "div \(operand)", "mod \(operand)", "and \(operand)",
            "or \(operand)", "xor \(operand)", "lsh \(operand)", "rsh \(operand)", "neg", "tax", "txa", "ret a",
            "ret %a",
            "ret x", "ret #\(number())",
        ])
        return chance(10)
            ? instruction.split(separator: " ", maxSplits: 1).enumerated().map {
                $0.offset == 0 ? $0.element.uppercased() : String($0.element)
            }.joined(separator: " ") : instruction
    }
}
