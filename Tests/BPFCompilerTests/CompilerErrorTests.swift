import BPFCompiler
import ClassicBPF
import Testing

/// Every message of the compiler, word for word.
@Suite struct CompilerErrorTests {
    private func message(
        _ instructions: [Instruction], rules: RuleSet = .kernel, to dialect: Dialect = .loadable(.socket),
        named name: String = "filter"
    ) -> String? {
        do {
            _ = try Translator.translate(Program(instructions, satisfying: rules), to: dialect, named: name)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [Dialect.kernel, .loadable(.socket)])
    func aLoopIsRefused(dialect: Dialect) {
        let loop = [Instruction(.load(.length)), Instruction(.jump(.max - 1)), Instruction(.result(.a))]
        #expect(
            message(loop, rules: .libpcap, to: dialect)
                == "instruction 1: jump back to instruction 0, only forward is allowed (Linux refuses such a filter)")
    }

    @Test(arguments: zip([Extension.hatype, .nla, .nlan, .poff], ["hatype", "nla", "nlan", "poff"]))
    func anExtensionThatTheHookCannotSupplyIsNamed(ext: Extension, name: String) {
        let program = [Instruction(.load(.length)), Instruction(.load(.extension(ext))), Instruction(.result(.a))]
        #expect(
            message(program)
                == "instruction 1: the extension \(name) is not available to a program on the socket hook")
        #expect(
            message(program, to: .loadable(.tc(match: .shot)))
                == "instruction 1: the extension \(name) is not available to a program on the tc hook")
        #expect(message(program, to: .kernel) == nil)
    }

    /// In unreachable code nothing has to be supplied.
    @Test func anExtensionInDeadCodeIsNoError() {
        #expect(
            message([Instruction(.jump(1)), Instruction(.load(.extension(.poff))), Instruction(.result(.a))]) == nil)
    }

    /// A load from beyond offset 32,767 is 16 instructions in the kernel's form, and one as LD_ABS.
    @Test func aJumpThatBecomesTooLongIsRefused() {
        let load = Instruction(.load(.absolute(.word, 40000)))
        let loads =
            [Instruction(.branch(.equal, .constant(0), jt: 1, jf: 0)), Instruction(.jump(4000))]
            + [Instruction](repeating: load, count: 4000) + [Instruction(.result(.a))]
        #expect(message(loads) == nil)
        #expect(
            message(loads, to: .kernel)
                == "instruction 1: its jump becomes one over 64000 eBPF instructions, at most 32767 are possible at -O0"
        )
    }

    @Test(arguments: ["", "1st", "a-b", "a b", "ä", "a\0"])
    func aNameMustBeAnIdentifier(name: String) {
        #expect(
            message([Instruction(.result(.a))], named: name)
                == "'\(name)' is no name for a program, it must be a C identifier")
    }

    @Test(arguments: ["a", "_", "drop_icmp_udp", "A1"])
    func anIdentifierIsAName(name: String) {
        #expect(message([Instruction(.result(.a))], named: name) == nil)
    }
}
