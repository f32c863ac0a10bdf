#if os(Linux)
    import ClassicBPF
    import TestSupport
    import Testing

    /// What takes classic programs, against those who do on this machine: seccomp, iptables and tc of the running kernel.
    ///
    /// Sockets are asked in `KernelRulesTests` and libpcap in `LibpcapRulesTests`. What earlier kernels and FreeBSD take
    /// nobody here can be asked.
    @Suite struct DialectTests {
        private static let end = Instruction(.result(.constant(0x7fff_0000)))

        /// Programs of one instruction and a `ret`, of every code with operands at the edges, and some that are long.
        private static let programs: [[Instruction]] = {
            var programs = (0...0xff).flatMap { code in
                [0, 1, 4, 15, 31, 32, 60, 62, 64, 0xffff_f000, 0xffff_f03c].map { k in
                    [Instruction(.store(1)), Instruction(code: code, k: k), end]
                }
            }
            for count in [64, 65, 4096, 4097] { programs.append([Instruction](repeating: end, count: count)) }
            return programs
        }()

        @Test(.enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"))
        func seccompAgrees() throws {
            // Each program is installed in a process of its own, which it may kill at once.
            let script = """
                import ctypes, os, resource, sys
                libc = ctypes.CDLL(None, use_errno=True)
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                class Program(ctypes.Structure):
                    _fields_ = [("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]
                libc.prctl(38, 1, 0, 0, 0)
                for line in sys.stdin:
                    code = bytes.fromhex(line)
                    program = Program(len(code) // 8, code)
                    child = os.fork()
                    if child == 0:
                        failed = libc.prctl(22, 2, ctypes.byref(program), 0, 0)
                        os._exit(ctypes.get_errno() if failed else 0)
                    status = os.waitpid(child, 0)[1]
                    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 22: print("no")
                    elif os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0: print("yes")
                    else: print(status)
                """
            let lines = Self.programs.map { $0.map(\.hexadecimal).joined() + "\n" }.joined()
            let result = try run("python3", ["-c", script], input: Array(lines.utf8))
            let answers = result.text.split(separator: "\n")
            try #require(answers.count == Self.programs.count, "\(result.errors)")
            var accepted = 0
            for (program, answer) in zip(Self.programs, answers) {
                let verdict = ClassicDialect.seccomp.verdict(on: program)
                #expect((verdict.refusal == nil ? "yes" : "no") == answer, "\(program.prefix(3)): \(verdict)")
                accepted += answer == "yes" ? 1 : 0
            }
            #expect(accepted > 100 && accepted < answers.count - 100)
        }

        @Test(
            .enabled(if: Requirement.root.allowsRunning, "needs root"), arguments: [ClassicDialect.xtBPF, .tc])
        func rulesAgree(_ dialect: ClassicDialect) throws {
            let programs = [
                [Self.end], [Instruction](repeating: Self.end, count: 64),
                [Instruction](repeating: Self.end, count: 65), [Instruction(code: 0x16)],
                [Instruction(.load(.extension(.vlanTPID))), Self.end], [Instruction(code: 0x64, k: 31), Self.end],
                [Instruction(code: 0x64, k: 32), Self.end], [Instruction(code: 0x94, k: 3), Self.end],
                [Instruction(code: 0x60, k: 3), Self.end], [Instruction(code: 0x20, k: 0xffff_f040), Self.end],
                [Instruction(code: 0x05, k: 0xffff_ffff), Self.end],
            ]
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                try #require(try run("tc", ["qdisc", "add", "dev", veth.first, "clsact"]).status == 0)
                for program in programs {
                    let fields = program.map { "\($0.code) \($0.jt) \($0.jf) \($0.k)" }
                    let line = ([String(program.count)] + fields).joined(separator: ",")
                    let command =
                        dialect == .tc
                        ? ["tc", "filter", "add", "dev", veth.first, "ingress", "bpf", "bytecode", line]
                        : ["iptables", "-A", "INPUT", "-m", "bpf", "--bytecode", line, "-j", "DROP"]
                    let result = try run(command[0], Array(command.dropFirst()))
                    let verdict = dialect.verdict(on: program)
                    #expect((verdict.refusal == nil) == (result.status == 0), "\(line.prefix(40)): \(result.errors)")
                }
            }
        }

        /// What is used last is what a program needs; a release that all of a dialect has is no need.
        @Test func theLatestNeedIsTold() throws {
            let program = [
                Instruction(.load(.extension(.mark))), Instruction(.arithmetic(.xor, .index)),
                Instruction(.load(.extension(.rand))), Instruction(.load(.extension(.poff))), Self.end,
            ]
            let verdict = ClassicDialect.tc.verdict(on: program)
            #expect(verdict.release == LinuxRelease(3, 16))
            #expect(verdict.need == DialectVerdict.Need(name: "the extension rand", instruction: 2))
            let older = ClassicDialect.tc.verdict(on: Array(program.prefix(2) + [Self.end]))
            #expect(older.release == LinuxRelease(3, 13) && older.need == nil)
            #expect(ClassicDialect.socket.verdict(on: [program[0], Self.end]).release?.description == "2.6.33")
        }

        @Test func whatFreeBSDLacksIsTold() {
            let cases: [([Instruction], String?)] = [
                ([Instruction(code: 0x64, k: 40), Instruction(code: 0x60), Self.end], nil),
                ([Instruction(.arithmetic(.modulo, .index)), Self.end], "instruction 0: freebsd does not have mod"),
                ([Instruction(.arithmetic(.xor, .index)), Self.end], "instruction 0: freebsd does not have xor"),
                (
                    [Self.end, Instruction(.jump(.max - 1)), Self.end],
                    "instruction 1: jump back to instruction 0, only forward is allowed"
                ),
                (
                    [Instruction](repeating: Self.end, count: 513),
                    "the program has 513 instructions, at most 512 are allowed"
                ),
            ]
            for (program, message) in cases {
                #expect(ClassicDialect.freeBSD.verdict(on: program).refusal?.description == message)
            }
        }
    }

    extension Instruction {
        /// The bytes of `struct sock_filter` on a little-endian machine, two digits each.
        fileprivate var hexadecimal: String {
            let bytes =
                [UInt8(truncatingIfNeeded: code), UInt8(code >> 8), jt, jf]
                + (0..<4).map { UInt8(truncatingIfNeeded: k >> (8 * $0)) }
            return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
#endif
