#if os(Linux)
    import BPFKernel
    import ExtendedBPF

    // Programs that tests load, written by hand.

    /// A program of one function.
    func program(_ instructions: [Instruction], named name: String = "main") -> ExtendedBPF.Program {
        ExtendedBPF.Program(functions: [Function(name: name, instructions: instructions)])
    }

    /// `return value`.
    func returning(_ value: UInt32) -> ExtendedBPF.Program {
        program([.move32(.r0, value), .exit])
    }

    /// Returns the packet's bytes at `offset` as a big-endian number, 0 where the packet ends before.
    func loading(_ size: Size, at offset: UInt32) -> ExtendedBPF.Program {
        program([.move64(.r6, .r1), .loadPacket(size, at: offset), .exit])
    }

    /// Keeps `bytes` bytes of frames whose bytes 12 and 13 say IPv4, nothing of others.
    func ipv4Only(keeping bytes: UInt32) -> ExtendedBPF.Program {
        program([
            .move64(.r6, .r1), .loadPacket(.halfword, at: 12), .jump64(if: .r0, .notEqual, 0x0800, 2),
            .move32(.r0, bytes), .exit, .move32(.r0, 0), .exit,
        ])
    }

    /// A program whose verification takes `count` instructions and so a long log, and is refused if `refused`.
    func long(_ count: Int, refused: Bool) -> ExtendedBPF.Program {
        program(
            [.move64(.r0, 0)] + (0..<count).map { _ in .alu64(.add, .r0, 1) }
                + (refused ? [.move64(.r0, .r5)] : []) + [.exit])
    }

    /// A loaded program.
    func load(
        _ program: ExtendedBPF.Program, as type: ProgramType = .socketFilter,
        _ change: (inout LoadRequest) -> Void = { _ in }
    ) throws(KernelError) -> BPFKernel.Program {
        var request = LoadRequest(program, type: type)
        change(&request)
        return try BPFKernel.Program(loading: request)
    }

    /// What the kernel answers to a program it is expected to refuse; nil if it accepts it.
    func refusal(
        _ program: ExtendedBPF.Program, as type: ProgramType = .socketFilter,
        _ change: (inout LoadRequest) -> Void = { _ in }
    ) -> KernelError? {
        do throws(KernelError) {
            _ = try load(program, as: type, change)
            return nil
        } catch {
            return error
        }
    }
#endif
