import ExtendedBPF
import TestSupport
import Testing

/// Labels, distances and their limits, and how functions are put together.
@Suite struct AssemblerTests {
    @Test("labels resolve forward, backward, to themselves and over wide instructions")
    func labels() throws {
        var assembler = Assembler(functionNamed: "f")
        let start = assembler.makeLabel()
        let itself = assembler.makeLabel()
        let end = assembler.makeLabel()
        assembler.place(start)
        assembler.append(.jump(0), to: end)  // slot 0
        assembler.append(.loadWide(.r1, 1))  // slots 1 and 2
        #expect(assembler.slotCount == 3)
        assembler.append(.jump64(if: .r1, .equal, 5, 0), to: start)  // slot 3
        assembler.place(itself)
        assembler.append(.jump(0), to: itself)  // slot 4
        assembler.append(.jump(0), to: end)  // slot 5, to the next
        assembler.place(end)
        assembler.append(.exit)  // slot 6
        let function = try assembler.finish()
        #expect(function.name == "f")
        #expect(function.instructions.map(\.offset) == [5, 0, -4, -1, 0, 0])
        #expect(function.slotCount == 7)
        #expect(function.slots.map(\.rawValue) == [0, 1, 3, 4, 5, 6])
        #expect(function.slots.map(\.byteOffset) == [0, 8, 24, 32, 40, 48])
        // What is no jump keeps its fields.
        #expect(function.instructions[2] == .jump64(if: .r1, .equal, 5, -4))
    }

    @Test(
        "a distance fits from -32768 to 32767",
        arguments: [(0, 32768, 32767), (32767, 0, -32768), (7, 8, 0), (7, 7, -1)] as [(Int, Int, Int16)])
    func distanceFits(source: Int, target: Int, offset: Int16) throws {
        #expect(try jumpOffset(from: Slot(rawValue: source), to: Slot(rawValue: target)) == offset)
    }

    @Test(
        "a distance that does not fit is refused, not wrapped",
        arguments: [
            (0, 32769, 32768, "slot 0: a jump over 32768 slots does not fit, the limits are -32768 and 32767"),
            (32768, 0, -32769, "slot 32768: a jump over -32769 slots does not fit, the limits are -32768 and 32767"),
            (5, 65542, 65536, "slot 5: a jump over 65536 slots does not fit, the limits are -32768 and 32767"),
        ])
    func distanceDoesNotFit(source: Int, target: Int, distance: Int, message: String) {
        let expected = EncodingError(.jumpTooFar(distance: distance), at: Slot(rawValue: source))
        #expect(throws: expected) { try jumpOffset(from: Slot(rawValue: source), to: Slot(rawValue: target)) }
        #expect("\(expected)" == message)
    }

    @Test(
        "the assembler counts a wide instruction as two slots up to the limit, forward and backward",
        arguments: [true, false], [32_766, 32_767, 32_768, 32_769])
    func limit(forward: Bool, between: Int) throws {
        // Half of what lies between is wide.
        var assembler = Assembler(functionNamed: "f")
        let target = assembler.makeLabel()
        if forward { assembler.append(.jump(0), to: target) } else { assembler.place(target) }
        for _ in 0..<between / 4 { assembler.append(.loadWide(.r0, 0)) }
        for _ in 0..<between - between / 4 * 2 { assembler.append(.move64(.r0, 0)) }
        if forward { assembler.place(target) } else { assembler.append(.jump(0), to: target) }
        assembler.append(.exit)
        let distance = forward ? between : -between - 1
        let slot = Slot(rawValue: forward ? 0 : between)
        do throws(EncodingError) {
            let function = try assembler.finish()
            #expect((-32_768...32_767).contains(distance))
            #expect(function.instructions[forward ? 0 : function.instructions.count - 2].offset == Int16(distance))
        } catch {
            #expect(!(-32_768...32_767).contains(distance))
            #expect(error == EncodingError(.jumpTooFar(distance: distance), at: slot))
        }
    }

    @Test("gotol goes further, forward and backward, by imm")
    func long() throws {
        var assembler = Assembler(functionNamed: "f")
        let start = assembler.makeLabel()
        let end = assembler.makeLabel()
        assembler.place(start)
        assembler.append(.jumpLong(0), to: end)
        for _ in 0..<40_000 { assembler.append(.move64(.r0, 0)) }
        assembler.place(end)
        assembler.append(.jumpLong(0), to: start)
        let function = try assembler.finish()
        #expect(function.instructions.first == .jumpLong(40_000))
        #expect(function.instructions.last == .jumpLong(-40_002))
    }

    @Test("line marks stand at the instruction that follows them, once, and none without one")
    func lines() throws {
        var assembler = Assembler(functionNamed: "f")
        assembler.mark(line: 1)
        assembler.mark(line: 2)
        assembler.append(.move64(.r0, 0))
        assembler.append(.loadWide(.r1, 0))
        assembler.mark(line: 4)
        assembler.append(.exit)
        assembler.mark(line: 5)
        #expect(try assembler.finish().lines == [LineMark(instruction: 0, line: 2), LineMark(instruction: 2, line: 4)])
    }

    @Test("linking resolves calls forward, backward and to itself, in slots, and carries the rest along")
    func linked() throws {
        let main = Function(
            name: "main",
            instructions: [
                .loadWide(.r1, 0), .call(localAt: 0), .call(localAt: 0), .call(helper: 7), .exit,
            ],
            references: [0: .map("m"), 1: .function("second"), 2: .function("first")],
            lines: [LineMark(instruction: 1, line: 10)])
        let first = Function(
            name: "first", instructions: [.call(localAt: 0), .call(localAt: 0), .exit],
            references: [0: .function("main"), 1: .function("first")], lines: [LineMark(instruction: 0, line: 20)])
        let second = Function(
            name: "second", instructions: [.move64(.r0, 0), Instruction(.call, srcReg: .r2), .exit],
            references: [1: .kernelFunction("k")])
        let program = Program(functions: [main, first, second])
        #expect(program.entry == main)
        let linked = program.linked()
        #expect(linked.name == "main")
        // main fills slots 0 to 5, first 6 to 8, second 9 to 11.
        #expect(linked.slotCount == 12)
        #expect(linked.instructions[1] == .call(localAt: 9 - 2 - 1))
        #expect(linked.instructions[2] == .call(localAt: 6 - 3 - 1))
        #expect(linked.instructions[3] == .call(helper: 7))
        #expect(linked.instructions[5] == .call(localAt: 0 - 6 - 1))
        #expect(linked.instructions[6] == .call(localAt: 6 - 7 - 1))
        #expect(linked.references == [0: .map("m"), 9: .kernelFunction("k")])
        #expect(linked.lines == [LineMark(instruction: 1, line: 10), LineMark(instruction: 5, line: 20)])
        #expect(linked.instructions.allSatisfy { (try? $0.validate()) != nil })
        // A function alone is linked already.
        #expect(Program(functions: [second]).linked() == second)
    }

    @Test("the assembler keeps what fields stand for, by instruction")
    func references() throws {
        var assembler = Assembler(functionNamed: "f")
        assembler.append(.loadWide(.r1, 0), .map("m"))
        assembler.append(.call(helper: 1))
        assembler.append(.load(.word, .r0, .r6, 0), .kernelField(structure: "sk_buff", member: "len"))
        assembler.append(.exit)
        let function = try assembler.finish()
        #expect(
            function.references == [0: .map("m"), 2: .kernelField(structure: "sk_buff", member: "len")])
    }
}
