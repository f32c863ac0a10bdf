import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import Testing

/// Every reason to stop, once, with its words; the places count instructions, not slots.
struct TrapTests {
    private func trap(_ instructions: [ExtendedBPF.Instruction], _ references: [Int: Reference] = [:]) -> Trap? {
        let function = Function(name: "f", instructions: instructions, references: references)
        return #expect(throws: Trap.self) {
            try ExtendedMachine(maximumSteps: 100).run(
                ExtendedBPF.Program(functions: [function]), on: Packet([1, 2, 3], linearLength: 2))
        }
    }

    /// A program that stops, and what it says.
    struct Stop: Sendable {
        var code: [ExtendedBPF.Instruction]
        var message: String

        init(_ message: String, _ code: ExtendedBPF.Instruction...) {
            self.message = message
            self.code = code
        }
    }

    static let stops = [
        Stop("f, instruction 0: the program is still running after 100 instructions, the limit", .jump(-1)),
        Stop("f, instruction 0: opcode 0xff is no eBPF instruction", .raw(0xff)),
        Stop(
            "f, instruction 1: opcode 0xdb is not modelled here, only a kernel can run it",
            .move64(.r2, 0), .raw(0xdb, .r10, .r2)),
        Stop(
            "f, instruction 0: a wide constant of kind 1 has no value here, only plain numbers (kind 0) do",
            .raw(0x18, .r1, .r1)),
        Stop(
            "f, instruction 0: helper function 1 is not modelled here, 5, 7, 8, 26, 68, 113, 181, 188 and 189 are",
            .call(helper: 1)),
        Stop(
            "f, instruction 2: r2 is not the address of a function of the program, it must be",
            .move64(.r1, 1), .move64(.r2, 1), .call(helper: 181)),
        Stop("f, instruction 0: a call while 8 functions are active, at most 8 may be", .call(localAt: -1)),
        Stop(
            "f, instruction 1: execution goes on at slot 3, where no instruction starts; the function has 3 slots",
            .loadWide(.r0, 0), .move64(.r0, 0)),
        Stop(
            "f, instruction 0: execution goes on at slot 2, where no instruction starts; the function has 4 slots",
            .jump(1), .loadWide(.r0, 0), .exit),
        Stop(
            "f, instruction 0: r2 is read, but not written since the function's start or the last call",
            .move64(.r0, .r2)),
        Stop("f, instruction 0: r0 is read, but not written since the function's start or the last call", .exit),
        Stop("f, instruction 0: r10 is written, the frame pointer is read only", .move64(.r10, 0)),
        Stop(
            "f, instruction 1: 1 byte at address 0xdead00000000, where there is no memory",
            .loadWide(.r1, 0xdead_0000_0000), .load(.byte, .r0, .r1, 0)),
        Stop(
            "f, instruction 0: 4 bytes at offset 510 of the stack, which has 512 bytes",
            .load(.word, .r0, .r10, -2)),
        Stop(
            "f, instruction 0: 4 bytes at offset -4 of the stack, which has 512 bytes",
            .store(.word, .r10, -516, 0)),
        Stop(
            "f, instruction 1: 1 byte at offset 2 of the packet, which has 2 bytes",
            .load(.word, .r2, .r1, 76), .load(.byte, .r0, .r2, 2)),
        Stop(
            "f, instruction 1: the packet is written, it is read only",
            .load(.word, .r2, .r1, 76), .store(.byte, .r2, 0, 9)),
        Stop(
            "f, instruction 1: the stack is read at r10-4, where nothing was written",
            .store(.word, .r10, -8, 0), .load(.doubleword, .r0, .r10, -8)),
        Stop(
            "f, instruction 0: 4 bytes at offset 2 of the context, where it has no field for this access",
            .load(.word, .r0, .r1, 2)),
        Stop(
            "f, instruction 0: 4 bytes at offset 0 of the context, where it has no field for this access",
            .store(.word, .r1, 0, 1)),
        Stop(
            "f, instruction 1: r6 does not point to the context, it must",
            .move64(.r6, 0), .loadPacket(.byte, at: 0)),
        Stop(
            "f, instruction 3: a helper function is asked for 0 bytes, it takes 1 to 2147483647",
            .move64(.r2, 0), .move64(.r3, .r10), .move64(.r4, 0), .call(helper: 26)),
    ]

    @Test(arguments: stops)
    func messages(_ stop: Stop) {
        #expect(trap(stop.code)?.description == stop.message)
    }

    @Test(
        arguments: [
            (.call(localAt: 0), .function("g"), "f, instruction 0: function g is called but not part of the program"),
            (
                .call(helper: 0), .kernelFunction("k"),
                "f, instruction 0: kernel function k is not modelled here, only a kernel has it"
            ),
            (
                .loadWide(.r1, 0), .map("m"),
                "f, instruction 0: map m is not modelled here, only a kernel has it"
            ),
            (
                Instruction(.loadWide, dstReg: .r1, srcReg: .r2), .data("t", offset: 4),
                "f, instruction 0: byte 4 of table t is not modelled here, only a kernel has it"
            ),
            (
                .move64(.r0, 0), .kernelType("sock"),
                "f, instruction 0: kernel type sock is not modelled here, only a kernel has it"
            ),
            (
                .alu64(.add, .r0, 0), .kernelField(structure: "sk_buff", member: "cb"),
                "f, instruction 0: kernel field sk_buff.cb is not modelled here, only a kernel has it"
            ),
            (
                .call(helper: 0), .kernelSymbol("s"),
                "f, instruction 0: kernel symbol s is not modelled here, only a kernel has it"
            ),
            (
                .load(.word, .r0, .r1, 0), .kernelField(structure: "sk_buff", member: "cb"),
                "f, instruction 0: kernel field sk_buff.cb is not modelled here, only a kernel has it"
            ),
            (
                .load(.word, .r0, .r1, 0), .kernelField(structure: "sk_buff", member: "len"),
                "f, instruction 0: r1 does not point to a struct sk_buff, it must"
            ),
            (
                .alu64(.subtract, .r1, 0), .kernelField(structure: "sk_buff", member: "len"),
                "f, instruction 0: kernel field sk_buff.len is not modelled here, only a kernel has it"
            ),
        ] as [(ExtendedBPF.Instruction, Reference, String)])
    func references(_ instruction: ExtendedBPF.Instruction, _ reference: Reference, _ message: String) {
        #expect(trap([instruction], [0: reference])?.description == message)
    }

    /// What programs with one kind of context cannot use; the kernel's verifier refuses it too, or gives `xdp_buff`.
    @Test(
        arguments: [
            (
                .call(helper: 188), .socketBuffer,
                "helper function 188 cannot be used here by a program whose context is struct __sk_buff"
            ),
            (
                .call(helper: 189), .socketBuffer,
                "helper function 189 cannot be used here by a program whose context is struct __sk_buff"
            ),
            (
                .call(helper: 26), .xdp,
                "helper function 26 cannot be used here by a program whose context is struct xdp_md"
            ),
            (
                .call(helper: 68), .xdp,
                "helper function 68 cannot be used here by a program whose context is struct xdp_md"
            ),
            (
                .loadPacket(.byte, at: 0), .xdp,
                "opcode 0x30 cannot be used here by a program whose context is struct xdp_md"
            ),
            (
                castToKernelContext, .xdp,
                "kernel function bpf_cast_to_kern_ctx cannot be used here by a program whose context is struct xdp_md"
            ),
        ] as [(ExtendedBPF.Instruction, ContextKind, String)])
    func contexts(_ instruction: ExtendedBPF.Instruction, _ context: ContextKind, _ message: String) {
        let references: [Int: Reference] =
            instruction.imm == 0 && instruction.opcode == .call
            ? [0: .kernelFunction("bpf_cast_to_kern_ctx")] : [:]
        let function = Function(name: "f", instructions: [instruction], references: references)
        let trap = #expect(throws: Trap.self) {
            try ExtendedMachine().run(ExtendedBPF.Program(functions: [function]), on: Packet([]), context: context)
        }
        #expect(trap?.description == "f, instruction 0: " + message)
    }

    /// A call of a kernel function, by reference.
    static let castToKernelContext = ExtendedBPF.Instruction(.call, srcReg: .r2)

    /// What can go wrong with the kernel's own structures, behind a cast of the context in r0.
    @Test(
        arguments: [
            (
                [.load(.doubleword, .r0, .r0, 1)],
                "8 bytes at offset 1 of a struct sk_buff, where no member named here can be read so"
            ),
            ([.store(.word, .r0, 8, 1)], "the kernel structure is written, it is read only"),
            (
                [.load(.byte, .r0, .r0, 4000)],
                "1 byte at offset 4000 of the kernel structure, which has 136 bytes"
            ),
            (
                [.move64(.r1, .r0), .move64(.r2, 77), .raw(0x85, .r0, .r2)],
                "a cast to type 77, only one to plain memory (0) is modelled here"
            ),
            (
                [.move64(.r1, .r0), .move64(.r2, 0), .raw(0x85, .r0, .r2), .store(.byte, .r0, 0, 1)],
                "the untrusted memory is written, it is read only"
            ),
        ] as [([ExtendedBPF.Instruction], String)])
    func kernelStructures(_ code: [ExtendedBPF.Instruction], _ message: String) {
        var references: [Int: Reference] = [0: .kernelFunction("bpf_cast_to_kern_ctx")]
        if let index = code.firstIndex(of: Self.castToKernelContext) {
            references[index + 1] = .kernelFunction("bpf_rdonly_cast")
        }
        #expect(
            trap([Self.castToKernelContext] + code, references)?.description
                == "f, instruction \(code.count): \(message)")
    }

    @Test func callsDestroyTheirArguments() {
        for call in [[.call(helper: 7)], [.move64(.r6, .r1), .loadPacket(.byte, at: 0)]] as [[ExtendedBPF.Instruction]]
        {
            for register in [Register.r1, .r2, .r3, .r4, .r5] {
                let arguments = [Register.r2, .r3, .r4, .r5].map { ExtendedBPF.Instruction.move64($0, 1) }
                let code = arguments + call + [.move64(.r0, register), .exit]
                #expect(trap(code) == Trap(.unreadableRegister(register), in: "f", at: code.count - 2))
            }
        }
    }

    @Test func functionsDestroyTheirArguments() {
        for register in [Register.r1, .r2, .r3, .r4, .r5] {
            let arguments = [Register.r2, .r3, .r4, .r5].map { ExtendedBPF.Instruction.move64($0, 1) }
            let code = arguments + [.call(localAt: 2), .move64(.r0, register), .exit, .move64(.r0, 0), .exit]
            #expect(trap(code) == Trap(.unreadableRegister(register), in: "f", at: 5))
        }
    }

    @Test func aFunctionSeesNothingOfItsCallerButTheArguments() {
        for register in [Register.r0, .r6, .r7, .r8, .r9] {
            let main = Function(
                name: "f", instructions: [.move64(.r0, 0), .move64(register, 1), .call(localAt: 0), .exit],
                references: [2: .function("g")])
            let callee = Function(name: "g", instructions: [.move64(.r1, register), .exit])
            #expect(throws: Trap(.unreadableRegister(register), in: "g", at: 0)) {
                try ExtendedMachine().run(ExtendedBPF.Program(functions: [main, callee]), on: Packet([]))
            }
        }
    }

    @Test func classicTraps() throws {
        let endless = try ClassicBPF.Program(
            [.init(.load(.length)), .init(.jump(UInt32(bitPattern: -2))), .init(.result(.a))], satisfying: .libpcap)
        #expect(throws: Trap(.tooManySteps(limit: 1000), at: 0)) {
            try ClassicMachine(maximumSteps: 1000).run(endless, on: Packet([]))
        }
    }
}
