import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

/// No input traps, and none takes more time or memory than its length is worth.
@Suite struct FormBadInputTests {
    private static let samples: [(form: ClassicForm, bytes: [UInt8])] = ClassicForm.allCases.map {
        ($0, try! $0.write(FormSamples.all))
    }

    @Test func cutAnywhereItIsReadOrRefused() throws {
        for (form, bytes) in Self.samples {
            let sample = bytes.suffix(2_000)
            for count in 0...sample.count { check(form, Array(sample.prefix(count))) }
            let start = bytes.prefix(1_000)
            for count in 0...start.count { check(form, Array(start.prefix(count))) }
        }
    }

    @Test func spoiledAnywhereItIsReadOrRefused() throws {
        var generator = SeededGenerator()
        let bytesOfInterest: [UInt8] = Array("(){}[]#,;:+-*/&x0\n\r\t\\ ".utf8) + [0, 0x80, 0xff, 0xc3]
        for (form, bytes) in Self.samples {
            for _ in 0..<2_000 {
                let start = Int.random(in: 0..<max(1, bytes.count - 300), using: &generator)
                var part = Array(bytes[start..<min(bytes.count, start + 300)])
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let index = Int.random(in: part.indices, using: &generator)
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: part[index] = generator.pick(bytesOfInterest)
                    case 1: part.insert(generator.pick(bytesOfInterest), at: index)
                    default: part.remove(at: index)
                    }
                }
                check(form, part)
            }
        }
    }

    /// Every form reads every other's text, too.
    @Test func otherFormsAreReadOrRefused() {
        // Any bytes are instructions.
        for form in ClassicForm.allCases where form != .sockFilter {
            for (other, bytes) in Self.samples where other != form {
                // bpf_asm's -c and tcpdump's -dd are forms of C.
                let isFormOfC = [.cArray, .tcpdumpDD].contains(form) && [.cArray, .tcpdumpDD].contains(other)
                #expect(((try? form.read(bytes)) != nil) == isFormOfC, "\(other) as \(form)")
            }
        }
    }

    /// Texts may come from other systems.
    @Test func byteOrderMarksTabsAndCarriageReturnsAreRead() throws {
        for (form, bytes) in Self.samples where form.isText {
            let text = String(decoding: bytes, as: UTF8.self)
            for variant in [
                "\u{feff}" + text, text.replacing("\n", with: "\r\n"), text.replacing("\n", with: " \t\n\t"),
                text.replacing(" ", with: "\t"), String(text.dropLast()), text + "\n\n \n",
            ] {
                let read = try? form.read(variant)
                #expect(read?.instructions == FormSamples.all, "\(form): \(form.complaint(about: variant))")
            }
        }
    }

    /// Behind a mark, columns are counted from it.
    @Test func columnsDoNotCountTheByteOrderMark() {
        #expect(ClassicForm.bpfAsm.complaint(about: "\u{feff}foo").hasPrefix("1:1: "))
        #expect(ClassicForm.bpfAsm.complaint(about: "\u{feff}jmp foo").hasPrefix("1:5: "))
        #expect(ClassicForm.tcpdumpDDD.complaint(about: "\u{feff}x").hasPrefix("1:1: "))
    }

    @Test(arguments: [
        "(", "{", "[", "-", "~", "/*", "ld [", "4*([", "{ (", "{ -", "{ ~", "a:", ",", "{{", "0", "#", ";", "\r",
    ])
    func longRunsAreReadOrRefused(piece: String) {
        let text = Array(String(repeating: piece, count: 100_000).utf8)
        for form in ClassicForm.allCases {
            check(form, text)
            _ = try? ClassicForm.guess(text)
        }
    }

    @Test func bracketsOfAnyDepthAreRead() throws {
        let deep = String(repeating: "(", count: 100_000) + "6" + String(repeating: ")", count: 100_000)
        #expect(try ClassicForm.cArray.read("{ \(deep) }").instructions == [Instruction(code: 6)])
        #expect(
            try ClassicForm.cArray.read("{ 6, .k = \(String(repeating: "-", count: 100_000))1 }").instructions[0].k == 1
        )
    }

    @Test func bracketsBeyondTheLimitAreRefused() {
        let message = ClassicForm.cArray.complaint(about: "{ " + String(repeating: "(", count: 1_000_001))
        #expect(message == "1:1000004: there are more than 1000000 brackets within each other")
    }

    @Test func oneLongLineIsReadInTime() throws {
        let start = ContinuousClock.now
        let line = [UInt8](repeating: UInt8(ascii: "z"), count: 10_000_001)
        for form in ClassicForm.allCases {
            let error = #expect(throws: AssemblyErrors.self) { try form.read(line) }
            // What is quoted of it is short.
            #expect((error?.description.utf8.count ?? 0) < 200)
        }
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func countsThatLieAreFoundAtOnce() {
        #expect(
            ClassicForm.tcpdumpDDD.complaint(about: "4294967295\n6 0 0 0\n")
                == "1:1: the first line says 4294967295 instructions, 1 follow")
        #expect(
            ClassicForm.xtBPF.complaint(about: "4294967295,6 0 0 0")
                == "1:1: the first line says 4294967295 instructions, 1 follow")
    }

    private func check(_ form: ClassicForm, _ bytes: [UInt8]) {
        do throws(AssemblyErrors) {
            let source = try form.read(bytes)
            #expect(!source.instructions.isEmpty || form == .tcpdumpDDD || form == .xtBPF)
            #expect(source.lines.count == (form.isText ? source.instructions.count : 0))
        } catch {
            #expect(error.errors.allSatisfy { ($0.line >= 1) == form.isText && $0.column >= 1 })
            #expect(
                zip(error.errors, error.errors.dropFirst()).allSatisfy { ($0.line, $0.column) <= ($1.line, $1.column) })
        }
    }
}
