#if os(Linux)
    import BPFCompiler
    import ClassicBPF
    import ExtendedBPF
    import TestSupport
    import Testing

    /// The kernel dialect is what the running kernel made of the same filter, field by field.
    ///
    /// Numbers that belong to the running kernel are compared by the name the readback tool has for them; the exact
    /// bytes are compared in PacketFilterTests, where the numbers can be had.
    @Suite struct KernelDialectTests {
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
        func randomProgramsTranslateAsTheKernelConvertsThem() throws {
            var generator = SeededGenerator()
            let maker = RandomProgram()
            let programs = (0..<2_000).map { _ in maker.next(using: &generator) }
            for (program, result) in zip(programs, try readBack(programs)) {
                let expected = try #require(result.instructions, "the kernel refused \(program)")
                let translated = try Translator.translate(program, to: .kernel).entry
                #expect(translated.instructions.map(\.opcode) == expected.map(\.opcode))
                try #require(translated.instructions.count == expected.count)
                for index in expected.indices {
                    var instruction = translated.instructions[index]
                    if let name = translated.references[index]?.name {
                        #expect(result.names[index] == name || isAlias(result.names[index], name))
                        instruction.offset = translated.references[index]!.isField ? expected[index].offset : 0
                        instruction.imm = translated.references[index]!.isField ? 0 : expected[index].imm
                    }
                    #expect(instruction == expected[index], "instruction \(index) of \(program.instructions)")
                }
            }
        }

        /// `vlan_all` is a union of the two other members and starts where `vlan_proto` does.
        private func isAlias(_ found: String?, _ name: String) -> Bool {
            found == "sk_buff.vlan_proto" && name == "sk_buff.vlan_all"
        }
    }

    extension Reference {
        fileprivate var name: String? {
            switch self {
            case .kernelSymbol(let name): name
            case .kernelField(let structure, let member): "\(structure).\(member)"
            default: nil
            }
        }

        fileprivate var isField: Bool {
            if case .kernelField = self { true } else { false }
        }
    }
#endif
