import ClassicBPF
import ExtendedBPF
import TestSupport
import Testing

@testable import BPFCompiler

/// What a loadable program looks like, instruction by instruction, where the verifier asks for something else than the
/// kernel's own form; REFERENCE: RFC 9669 and the verifier's rules.
@Suite struct LoadableTranslationTests {
    private typealias Classic = ClassicBPF.Instruction
    private typealias Extended = ExtendedBPF.Instruction

    private func translate(_ operations: [Operation], for target: Target = .socket) throws -> [Extended] {
        let program = try ClassicBPF.Program(operations.map { Classic($0) })
        return try Translator.translate(program, to: .loadable(target)).linked().instructions
    }

    private let prologue: [Extended] = [.move32(.r0, 0), .move32(.r7, 0), .move64(.r6, .r1)]

    @Test func registersAreWrittenBeforeTheyAreRead() throws {
        #expect(try translate([.result(.constant(7))]) == prologue + [.move32(.r0, 7), .exit])
    }

    @Test func packetLoadsAreTheExtendedMachinesOwn() throws {
        let body = try translate([
            .load(.absolute(.half, 12)), .load(.indirect(.byte, 14)), .loadIndex(.headerLength(14)), .result(.a),
        ]).dropFirst(prologue.count)
        #expect(
            Array(body) == [
                .loadPacket(.halfword, at: 12),
                .loadPacket(.byte, at: .r7, plus: 14),
                .move64(.r7, .r0), .loadPacket(.byte, at: 14), .alu32(.and, .r0, 15), .alu32(.shiftLeft, .r0, 2),
                .move64(.r2, .r7), .move64(.r7, .r0), .move64(.r0, .r2),
                .exit,
            ])
    }

    @Test func leftoversAreNotCarriedOver() throws {
        let program = try ClassicBPF.Program([
            Classic(code: 0x0c, jt: 1, jf: 2, k: 77), Classic(code: 0x84, k: 9),
            Classic(code: 0x1d, jt: 0, jf: 0, k: 5),
            Classic(code: 0x16, k: 3),
        ])
        let body = try Translator.translate(program, to: .loadable(.socket)).entry.instructions.dropFirst(3)
        #expect(
            Array(body) == [
                .alu32(.add, .r0, .r7), .negate32(.r0), .jump64(if: .r0, .equal, .r7, 0), .exit,
            ])
    }

    @Test func deadCodeIsLeftOut() throws {
        let body = try translate([
            .jump(2), .load(.absolute(.word, 0)), .result(.a), .result(.constant(1)),
        ]).dropFirst(prologue.count)
        #expect(Array(body) == [.jump(0), .move32(.r0, 1), .exit])
    }

    /// By extension, the place of the member of `struct __sk_buff`; the places themselves are checked below.
    @Test func extensionsComeFromTheContext() throws {
        let offsets: [(Extension, Int16)] = [
            (.type, 4), (.mark, 8), (.queue, 12), (.vlanAvail, 20), (.vlanTCI, 24), (.rxhash, 68),
        ]
        for (ext, offset) in offsets {
            let body = try translate([.load(.extension(ext)), .result(.a)]).dropFirst(prologue.count)
            #expect(Array(body) == [.load(.word, .r0, .r6, offset), .exit], "\(ext)")
        }
        for (ext, offset) in [(Extension.proto, Int16(16)), (.vlanTPID, 28)] {
            let body = try translate([.load(.extension(ext)), .result(.a)]).dropFirst(prologue.count)
            #expect(Array(body) == [.load(.word, .r0, .r6, offset), .bigEndian(.r0, bits: 16), .exit], "\(ext)")
        }
    }

    #if os(Linux)
        /// The C compiler says where `<linux/bpf.h>` has the members.
        @Test(.enabled(if: Requirement.tool("cc").allowsRunning, "needs a C compiler"))
        func contextFieldsAreWhereTheHeaderHasThem() throws {
            let fields: [(String, ContextField)] = [
                ("len", .len), ("pkt_type", .packetType), ("mark", .mark), ("queue_mapping", .queueMapping),
                ("protocol", .protocol), ("vlan_present", .vlanPresent), ("vlan_tci", .vlanTCI),
                ("vlan_proto", .vlanProto), ("ifindex", .ifindex), ("hash", .hash),
            ]
            let checks = fields.map { name, field in
                """
                _Static_assert(offsetof(struct __sk_buff, \(name)) == \(field.rawValue), "\(name)");
                _Static_assert(sizeof ((struct __sk_buff *)0)->\(name) == 4, "size of \(name)");
                """
            }
            let helpers = [("get_prandom_u32", HelperFunction.randomNumber), ("get_smp_processor_id", .processorID)]
            let numbers = helpers.map { "_Static_assert(BPF_FUNC_\($0) == \($1.rawValue), \"\($0)\");" }
            let source = ["#include <stddef.h>", "#include <linux/bpf.h>"] + checks + numbers
            let result = try run(
                "cc", ["-fsyntax-only", "-x", "c", "-"], input: Array((source.joined(separator: "\n") + "\n").utf8))
            #expect(result.status == 0, "\(result.errors)")
        }
    #endif

    @Test func verdictsStandForTheNumbers() throws {
        let target = Target.tc(match: .shot)
        let body = try translate(
            [.branchIfZero, .result(.constant(0)), .result(.constant(5)), .result(.a)], for: target
        )
        .dropFirst(prologue.count)
        #expect(
            Array(body) == [
                .jump64(if: .r0, .notEqual, 0, 2),
                .move32(.r0, 0), .exit,
                .move32(.r0, 2), .exit,
            ])
        let number = try translate([.load(.length), .result(.a)], for: target).dropFirst(prologue.count)
        #expect(
            Array(number) == [
                .load(.word, .r0, .r6, 0),
                .jump64(if: .r0, .notEqual, 0, 2), .move32(.r0, 0), .exit, .move32(.r0, 2), .exit,
            ])
    }

    /// LD_ABS ends a function with 0, which is no verdict for "no match" here.
    @Test func aVerdictOtherThanZeroForNoMatchIsMappedByTheEntry() throws {
        let filter = try ClassicBPF.Program([Classic(.load(.absolute(.byte, 0))), Classic(.result(.a))])
        let target = Target.tc(match: .ok, noMatch: .shot)
        let program = try Translator.translate(filter, to: .loadable(target), named: "drop")
        #expect(program.functions.map(\.name) == ["drop", "drop_number"])
        #expect(
            program.linked().instructions == [
                .call(localAt: 5), .jump64(if: .r0, .notEqual, 0, 2), .move32(.r0, 2), .exit, .move32(.r0, 0), .exit,
                .move32(.r0, 0), .move32(.r7, 0), .move64(.r6, .r1), .loadPacket(.byte, at: 0), .exit,
            ])
    }

    @Test func lineMarksNameTheClassicInstructions() throws {
        let filter = try ClassicBPF.Program([
            Classic(.load(.length)), Classic(.jump(1)), Classic(.result(.a)), Classic(.result(.constant(1))),
        ])
        let program = try Translator.translate(filter, to: .loadable(.socket))
        #expect(
            program.entry.lines == [
                LineMark(instruction: 0, line: 1), LineMark(instruction: 3, line: 2), LineMark(instruction: 4, line: 3),
                LineMark(instruction: 5, line: 5),
            ])
    }
}

extension Operation {
    /// Skips the next instruction unless A is 0.
    fileprivate static let branchIfZero = Operation.branch(.equal, .constant(0), jt: 0, jf: 1)
}
