import PacketFilter
import TestSupport
import Testing

/// Where a probe finds the arguments of a function, beside what libbpf's headers say for each processor.
@Suite(.enabled(if: Requirement.tool("clang").allowsRunning, "needs clang"))
struct ProbeArgumentTests {
    /// The registers as the kernel keeps them for probes, in the order of `<asm/ptrace.h>` of each processor; the macros
    /// of libbpf know which of them holds which argument.
    private static let registers: [Architecture: (macro: String, count: Int, declaration: String)] = [
        .x86_64: (
            "x86", 6,
            """
            struct pt_regs {
                unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
                unsigned long rip, cs, eflags, rsp, ss;
            };
            """
        ),
        .arm64: ("arm64", 8, "struct user_pt_regs { unsigned long long regs[31], sp, pc, pstate; };"),
        .riscv64: (
            "riscv", 8,
            """
            struct user_regs_struct {
                unsigned long pc, ra, sp, gp, tp, t0, t1, t2, s0, s1, a0, a1, a2, a3, a4, a5, a6, a7;
            };
            """
        ),
    ]

    /// Each function of the C program returns one argument by libbpf's macro; the programs load it from the same place.
    @Test(arguments: Architecture.allCases) func argumentsAreWhereLibbpfFindsThem(architecture: Architecture) throws {
        let (macro, count, declaration) = try #require(Self.registers[architecture])
        // The macros of libbpf 1.1 go to five arguments; the last ones are a step further each.
        let counted = min(count, 5)
        let functions = (1...counted).map {
            "long argument\($0)(struct pt_regs *ctx) { return PT_REGS_PARM\($0)(ctx); }\n"
        }
        let folder = try TemporaryFolder()
        try folder.file(
            "arguments.c",
            containing: Array(
                """
                #define __TARGET_ARCH_\(macro)
                \(declaration)
                struct pt_regs;
                #include <linux/bpf.h>
                #include <bpf/bpf_helpers.h>
                #include <bpf/bpf_tracing.h>
                \(functions.joined())
                """.utf8))
        let machine = try run("uname", ["-m"]).text.filter { !$0.isWhitespace }
        let compiled = try run(
            llvm("clang"),
            [
                "-O2", "-target", "bpf", "-w", "-I/usr/include/\(machine)-linux-gnu", "-c", folder.path("arguments.c"),
                "-o", folder.path("arguments.o"),
            ])
        try #require(compiled.status == 0, "\(compiled.errors)")
        let listing = try run(llvm("llvm-objdump"), ["-d", folder.path("arguments.o")]).text
        let expected = listing.matches(of: /r0 = \*\(u64 \*\)\(r1 \+ (0x[0-9a-f]+|\d+)\)/).map { match in
            match.1.hasPrefix("0x") ? Int(match.1.dropFirst(2), radix: 16)! : Int(match.1)!
        }
        try #require(expected.count == counted, "\(listing)")
        let found = try (0..<count).map { argument in
            let program = try PacketFilter("ip").compile(
                for: .kprobe("anything"),
                options: CompilerOptions(socketBufferArgument: argument, architecture: architecture)
            ).program
            // The entry's first load of 64 bits is that of the argument.
            return Int(try #require(program.entry.instructions.first { $0.opcode.rawValue == 0x79 }).offset)
        }
        #expect(Array(found.prefix(counted)) == expected)
        #expect(Set(found).count == count)
    }

    @Test(arguments: [(Architecture.x86_64, 6), (.arm64, 8), (.riscv64, 8)])
    func argumentsOnTheStackAreOutOfReach(architecture: Architecture, count: Int) throws {
        let error = #expect(throws: CompilerError.self) {
            _ = try PacketFilter("ip").compile(
                for: .kprobe("anything"),
                options: CompilerOptions(socketBufferArgument: count, architecture: architecture))
        }
        #expect(
            error.map { "\($0)" }
                == "argument \(count + 1) of kprobe:anything is not where a program there finds arguments")
    }
}
