#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ExtendedBPF
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// Programs that read packets through the kernel's own `struct sk_buff`: the interpreter against the running
    /// kernel, which gets its own numbers for members and functions.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.kernel(6, 18).allowsRunning, "needs Linux 6.18, for casts to plain memory"))
    struct KernelFunctionTests {
        private let frames = Frames.all.map(\.bytes).filter(isTakenByTestRuns)

        private func load(_ program: ExtendedProgram, as type: ProgramType) throws -> LoadedProgram {
            try LoadedProgram(loading: LoadRequest(KernelLayout.loadable(program), type: type))
        }

        /// Runs `program` on every frame as a classifier and on a socket, and returns what came out.
        @discardableResult
        private func expectAgreement(
            _ program: ExtendedProgram, context: SKBContext = SKBContext(), _ comment: String = ""
        ) throws -> Set<UInt32> {
            var results: Set<UInt32> = []
            // A namespace of its own has one interface, the loopback one, which test runs take for the packet's.
            try withNetworkNamespace {
                for type in [ProgramType.schedCls, .socketFilter] {
                    let loaded = try load(program, as: type)
                    for frame in frames {
                        let packet = testRunPacket(frame, as: type, context)
                        let result = try loaded.run(on: frame, context: type == .schedCls ? context : nil).returnValue
                        // What lies behind the packet must not matter.
                        for stray: UInt8 in [0, 0xa5] {
                            let machine = ExtendedMachine(byteOrder: .host, strayByte: stray)
                            #expect(try machine.run(program, on: packet) == result, "\(comment) \(type) \(frame)")
                        }
                        results.insert(result)
                    }
                }
            }
            return results
        }

        @Test(arguments: [
            "len", "data_len", "protocol", "vlan_all", "vlan_tci", "vlan_proto", "queue_mapping", "hash", "mark",
            "priority", "skb_iif", "tc_index",
        ])
        func membersOfTheSocketBuffer(_ member: String) throws {
            let size: Size =
                ["protocol", "vlan_tci", "vlan_proto", "queue_mapping", "tc_index"].contains(member) ? .halfword : .word
            let context = SKBContext(mark: 0x0102_0304, priority: 77, ingressInterface: 1)
            // By the load's own offset, and through a pointer to the member.
            let direct = socketBufferProgram { $0.load(size, .r0, .r6, "sk_buff", member) }
            let byPointer = socketBufferProgram {
                $0.append(.move64(.r1, .r6))
                $0.append(.alu64(.add, .r1, 0), .kernelField(structure: "sk_buff", member: member))
                $0.append(.load(size, .r0, .r1, 0))
            }
            #expect(try expectAgreement(direct, context: context) == expectAgreement(byPointer, context: context))
        }

        /// A number becomes a pointer to a structure; what is there is taken for it.
        @Test func castsToAStructure() throws {
            let program = socketBufferProgram {
                $0.append(.move64(.r1, .r6))
                $0.append(.move64(.r2, 0), .kernelType("sk_buff"))
                $0.append(.call, .kernelFunction("bpf_rdonly_cast"))
                $0.load(.doubleword, .r1, .r0, "sk_buff", "dev")
                $0.load(.word, .r7, .r0, "sk_buff", "len")
                $0.append(.move64(.r2, 0), .kernelType("net_device"))
                $0.append(.call, .kernelFunction("bpf_rdonly_cast"))
                $0.load(.word, .r0, .r0, "net_device", "ifindex")
                $0.append(.alu64(.add, .r0, .r7))
            }
            #expect(try expectAgreement(program).count > 3)
        }

        @Test func packetTypeAndDevice() throws {
            let type = socketBufferProgram {
                $0.load(.byte, .r0, .r6, "sk_buff", "__pkt_type_offset")
                $0.append(.alu64(.and, .r0, 7))
            }
            #expect(try expectAgreement(type) == [2, 3])
            for (member, size) in [("ifindex", Size.word), ("type", .halfword)] {
                let device = socketBufferProgram {
                    $0.load(.doubleword, .r1, .r6, "sk_buff", "dev")
                    $0.load(size, .r0, .r1, "net_device", member)
                }
                #expect(try expectAgreement(device) == [member == "type" ? 772 : 1])
            }
        }

        /// Headers and ends count from the head; only their distance from the data is the same everywhere.
        @Test(arguments: ["mac_header", "network_header", "tail"])
        func placesInThePacket(_ member: String) throws {
            let program = socketBufferProgram {
                $0.load(.doubleword, .r1, .r6, "sk_buff", "head")
                $0.load(.doubleword, .r2, .r6, "sk_buff", "data")
                $0.append(.alu64(.subtract, .r2, .r1))
                $0.load(member == "tail" ? .word : .halfword, .r0, .r6, "sk_buff", member)
                $0.append(.alu64(.subtract, .r0, .r2))
            }
            try expectAgreement(program)
        }

        /// `tcp port 80` over IPv4, written by hand, is what the classic filter is.
        @Test(arguments: [true, false])
        func aFilterByHand(casting: Bool) throws {
            let results = try expectAgreement(tcpPort80(casting: casting))
            #expect(results == [0, 1])
            let classic = try PacketFilter("ip and tcp port 80")
            for frame in frames {
                let packet = testRunPacket(frame, as: .schedCls)
                let ours = try ExtendedMachine(byteOrder: .host).run(tcpPort80(casting: casting), on: packet)
                #expect((ours == 1) == (try classic.run(on: packet) != 0))
            }
        }

        /// Bytes at every kind of place, also in front of the data, behind checks of the linear part.
        @Test func loadsOfEverySizeAndPlace() throws {
            for size in Size.allCases {
                for offset: Int16 in [-4, 0, 1, 13, 20, 37, 52] {
                    let program = socketBufferProgram {
                        $0.linearPart(data: .r7, length: .r8)
                        $0.append(.move64(.r0, 3))
                        $0.append(.jump64(if: .r8, .less, Int32(offset) + Int32(size.bytes), 1))
                        // A socket has the Ethernet header in front of its data, a classifier whatever was there.
                        $0.append(offset < 0 ? .move64(.r0, 4) : .load(size, .r0, .r7, offset))
                        $0.foldResult()
                    }
                    try expectAgreement(program)
                    guard offset >= 0 else { continue }
                    let copying = socketBufferProgram {
                        $0.linearPart(data: .r7, length: .r8)
                        $0.append(.store(.doubleword, .r10, -8, -1))
                        $0.append(.move64(.r0, 3))
                        $0.append(.jump64(if: .r8, .less, Int32(offset) + Int32(size.bytes), 9))
                        $0.append(.move64(.r1, .r10))
                        $0.append(.alu64(.add, .r1, -8))
                        $0.append(.move64(.r2, Int32(size.bytes)))
                        $0.append(.move64(.r3, .r7))
                        $0.append(.alu64(.add, .r3, Int32(offset)))
                        $0.append(.call(helper: 113))
                        $0.append(.load(.doubleword, .r1, .r10, -8))
                        $0.append(.alu64(.add, .r0, .r1))
                        $0.append(.jump(0))
                        $0.foldResult()
                    }
                    try expectAgreement(copying)
                }
            }
        }

        @Test func headersInFrontOfASocketsData() throws {
            let program = socketBufferProgram {
                $0.linearPart(data: .r7, length: .r8)
                $0.append(.load(.halfword, .r0, .r7, -2))
            }
            try withNetworkNamespace {
                let loaded = try load(program, as: .socketFilter)
                for frame in frames {
                    let packet = testRunPacket(frame, as: .socketFilter)
                    #expect(
                        try loaded.run(on: frame).returnValue
                            == ExtendedMachine(byteOrder: .host).run(program, on: packet))
                }
            }
        }

        @Test func castsOfAnythingReadWithoutATrap() throws {
            // A null pointer, a number, the stack, the packet's own structure.
            let casts: [(inout Assembler) -> Void] = [
                { $0.append(.move64(.r1, 0)) },
                { $0.load(.word, .r1, .r6, "sk_buff", "len") },
                {
                    $0.append(.store(.doubleword, .r10, -8, 0x1234_5678))
                    $0.append(.move64(.r1, .r10))
                    $0.append(.alu64(.add, .r1, -16))
                },
                {
                    $0.append(.move64(.r1, .r6))
                    $0.append(.alu64(.add, .r1, 0), .kernelField(structure: "sk_buff", member: "len"))
                    $0.append(.alu64(.add, .r1, -8))
                },
            ]
            for (number, cast) in casts.enumerated() {
                let program = socketBufferProgram {
                    cast(&$0)
                    $0.append(.move64(.r2, 0))
                    $0.append(.call, .kernelFunction("bpf_rdonly_cast"))
                    $0.append(.load(.word, .r0, .r0, 8))
                }
                try withNetworkNamespace {
                    let frame = Frames.named("tcp to 443").bytes
                    let ours = try ExtendedMachine(byteOrder: .host).run(
                        program, on: testRunPacket(frame, as: .schedCls))
                    #expect(try load(program, as: .schedCls).run(on: frame).returnValue == ours)
                    #expect(ours == [0, 0, 0x1234_5678, UInt32(frame.count)][number])
                }
            }
        }

        /// What `probe_read_kernel` says of addresses that lead nowhere, and that it leaves zeros there.
        @Test(arguments: [(0, 8), (0, 0), (4096, 8), (4096, 0)])
        func probingNothing(_ address: Int32, _ count: Int32) throws {
            for part in 0...1 {
                let program = socketBufferProgram {
                    $0.append(.store(.doubleword, .r10, -8, -1))
                    $0.append(.move64(.r1, .r10))
                    $0.append(.alu64(.add, .r1, -8))
                    $0.append(.move64(.r2, count))
                    $0.append(.move64(.r3, address))
                    $0.append(.call(helper: 113))
                    if part == 1 { $0.append(.load(.doubleword, .r0, .r10, -8)) }
                    $0.foldResult()
                }
                try expectAgreement(program)
            }
        }

        /// One load with a pointer from the packet or the stack, and the stack at a place that the packet gives.
        @Test func mixedPointersAndVariableStack() throws {
            let mixed = socketBufferProgram {
                $0.linearPart(data: .r7, length: .r8)
                $0.append(.store(.doubleword, .r10, -8, 0x0102_0304))
                $0.append(.jump64(if: .r8, .greater, 60, 2))
                $0.append(.move64(.r7, .r10))
                $0.append(.alu64(.add, .r7, -8))
                $0.append(.load(.word, .r0, .r7, 0))
            }
            #expect(try expectAgreement(mixed).contains(0x0102_0304))
            let variable = socketBufferProgram {
                $0.append(.loadWide(.r1, 0x0807_0605_0403_0201))
                $0.append(.store(.doubleword, .r10, -8, .r1))
                $0.load(.word, .r1, .r6, "sk_buff", "len")
                $0.append(.alu64(.and, .r1, 7))
                $0.append(.alu64(.add, .r1, .r10))
                $0.append(.load(.byte, .r0, .r1, -8))
            }
            #expect(try expectAgreement(variable).count > 4)
        }

        @Test(arguments: [40, 200, 3000])
        func randomProgramsReturnTheSame(reach: Int) throws {
            var generator = SeededGenerator()
            var results: Set<UInt32> = []
            try withNetworkNamespace {
                for number in 0..<200 {
                    let program = try RandomReader(.socketBuffer, reach: reach, seed: generator.next()).program()
                    let type: ProgramType = number.isMultiple(of: 2) ? .schedCls : .socketFilter
                    let loaded = try load(program, as: type)
                    for _ in 0..<8 {
                        // No IP, so that the bytes can be any; a test run wants the Ethernet header only.
                        let frame =
                            generator.bytes(12) + [0x88, 0xb5]
                            + generator.bytes(.random(in: 0...reach + 20, using: &generator))
                        let result = try loaded.run(on: frame).returnValue
                        let machine = ExtendedMachine(byteOrder: .host, strayByte: 0xa5)
                        #expect(try machine.run(program, on: testRunPacket(frame, as: type)) == result, "\(number)")
                        results.insert(result)
                    }
                }
            }
            #expect(results.count > 800)
        }

        @Test func whatThisKernelLacksIsAnError() {
            let function = socketBufferProgram { $0.append(.call, .kernelFunction("bpf_no_such_function")) }
            let member = socketBufferProgram { $0.load(.word, .r0, .r6, "sk_buff", "no_such_member") }
            #expect(throws: (any Error).self) { try KernelLayout.loadable(function) }
            #expect(throws: (any Error).self) { try KernelLayout.loadable(member) }
        }
    }
#endif
