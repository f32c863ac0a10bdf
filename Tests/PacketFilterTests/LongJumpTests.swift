#if os(Linux)
    import BPFCompiler
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import PacketFilter
    import TestSupport
    import Testing

    /// Jumps over more than 32,767 instructions get where they are to, in the running kernel and in the interpreter.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct LongJumpTests {
        /// Of 60 stretches the first one that the packet's byte names jumps to an end of its own behind all others.
        private static let stretches = 60

        /// Stretches of 1,200 instructions that depend on one another, so that none goes away; behind them an end for
        /// each, in the opposite order, which takes something from the sum and goes on to the one return of A.
        private static func filter() throws -> ClassicBPF.Program {
            var operations: [ClassicBPF.Operation] = [.loadIndex(.length)]
            var jumps: [Int] = []
            for stretch in 0..<stretches {
                operations += [
                    .load(.absolute(.byte, 0)), .branch(.equal, .constant(UInt32(stretch)), jt: 0, jf: 2),
                    .transferXToA,
                ]
                jumps.append(operations.count)
                operations += [.jump(0), .transferXToA]
                for number in 0..<600 {
                    operations.append(.arithmetic(.multiply, .constant(UInt32(2 * number + 3))))
                    operations.append(.arithmetic(.xor, .constant(UInt32(stretch + 7))))
                }
                operations.append(.transferAToX)
            }
            operations += [.transferXToA, .result(.a)]
            for stretch in (0..<stretches).reversed() {
                operations[jumps[stretch]] = .jump(UInt32(operations.count - jumps[stretch] - 1))
                operations.append(.arithmetic(.add, .constant(UInt32(1000 + stretch))))
                operations += [.arithmetic(.or, .constant(1)), .result(.a)]
            }
            return try ClassicBPF.Program(operations.map { ClassicInstruction($0) }, satisfying: .libpcap)
        }

        @Test(arguments: InstructionSet.allCases.map(\.rawValue)) func longJumpsArrive(cpu: String) throws {
            let isa = try #require(InstructionSet(rawValue: cpu))
            let classic = try Self.filter()
            let target = Target(hook: .socket, result: .number)
            let compiled = try PacketFilter(classic).compile(for: target, options: CompilerOptions(isa: isa))
            #expect(compiled.program.linked().instructions.count > 70_000)
            #expect(
                compiled.program.linked().instructions.contains { $0.opcode == .jumpLong } == isa.hasLongJump)
            let loaded = try compiled.load()
            for byte in 0...UInt8(Self.stretches) {
                let packet: [UInt8] = [byte] + Array(repeating: 5, count: 19)
                let expected = try ClassicMachine().run(classic, on: Packet(packet))
                #expect(try ExtendedMachine().run(compiled.program, on: Packet(packet)) == expected)
                // A test run takes away an Ethernet header, here of no known protocol.
                let frame = [UInt8](repeating: 0, count: 12) + [0x88, 0xb5] + packet
                #expect(try loaded.run(on: frame).returnValue == expected, "\(isa), byte \(byte)")
            }
        }
    }
#endif
