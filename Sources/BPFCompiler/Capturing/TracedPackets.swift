import ExtendedBPF

// Packets at tracepoints and functions, which the kernel may be at any header of.
//
// What is in the linear part is copied from there, also what the kernel has done with already. What is not is copied by
// the kernel's own function for its own pointers, where the verifier trusts the argument to be one; elsewhere a packet
// is captured as far as its linear part goes. The verifier takes the worst of a copy of unknown length to an unknown
// place, so the second part of a packet has a place of its own in the record.

extension CapturingProgram {
    /// `source` = the packet's `struct sk_buff`, `length` its length from where it begins on; and its place.
    func measureTraced(orGoTo pass: Assembler.Label, _ assembler: inout Assembler) throws(CompilerError) {
        guard let argument = options.socketBufferArgument ?? hook.usualSocketBufferArgument else {
            throw CompilerError(.unknownSocketBufferArgument(hook))
        }
        guard let place = hook.place(ofArgument: argument, on: options.architecture) else {
            throw CompilerError(.unreachableArgument(argument, hook))
        }
        assembler.append(.store(.doubleword, .r10, slot(.linkLayer), .r0))
        if let dropReasonArgument {
            guard let place = hook.place(ofArgument: dropReasonArgument, on: options.architecture) else {
                throw CompilerError(.unreachableArgument(dropReasonArgument, hook))
            }
            assembler.append(.load(.doubleword, .r1, source, place))
            assembler.append(.store(.doubleword, .r10, slot(.dropReason), .r1))
        }
        assembler.append(.load(.doubleword, source, source, place))
        assembler.append(.jump64(if: source, .equal, 0, 0), to: pass)
        if !hook.hasTypedArguments {
            assembler.append(.move64(.r1, source))
            assembler.append(.move64(.r2, 0), .kernelType("sk_buff"))
            assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_rdonly_cast"))
            assembler.append(.move64(source, .r0))
        }
        findStart(&assembler)
        findParts(&assembler)
    }

    /// `r1` = how far from `head` the packet begins, as the filter saw it.
    private func findStart(_ assembler: inout Assembler) {
        let (network, found) = (assembler.makeLabel(), assembler.makeLabel())
        assembler.append(.load(.halfword, .r1, source, 0), Self.field("mac_header"))
        assembler.append(.load(.doubleword, .r2, .r10, slot(.linkLayer)))
        assembler.append(.jump64(if: .r2, .notEqual, Int32(FilterPart.rawIPMatch), 0), to: found)
        assembler.append(.load(.halfword, .r2, source, 0), Self.field("network_header"))
        assembler.append(.jump64(if: .r1, .equal, 0xffff, 0), to: network)
        // Where the network header is yet to be found, the place in its stead is in front of this one.
        assembler.append(.jump64(if: .r1, .greater, .r2, 0), to: found)
        assembler.place(network)
        assembler.append(.move64(.r1, .r2))
        assembler.place(found)
    }

    /// The address of the packet's first byte, how far in front of `data` that is, `length`, and how many of the bytes
    /// are in one piece.
    private func findParts(_ assembler: inout Assembler) {
        assembler.append(.load(.doubleword, .r2, source, 0), Self.field("head"))
        assembler.append(.load(.doubleword, .r3, source, 0), Self.field("data"))
        assembler.append(.alu64(.subtract, .r3, .r2))
        assembler.append(.alu64(.subtract, .r3, .r1))
        assembler.append(.store(.doubleword, .r10, slot(.shift), .r3))
        assembler.append(.alu64(.add, .r2, .r1))
        assembler.append(.store(.doubleword, .r10, slot(.start), .r2))
        assembler.append(.load(.word, length, source, 0), Self.field("len"))
        assembler.append(.alu64(.add, length, .r3))
        assembler.append(.load(.word, .r1, source, 0), Self.field("data_len"))
        assembler.append(.move64(.r2, length))
        assembler.append(.alu64(.subtract, .r2, .r1))
        // A packet that begins behind its linear part has nothing in it.
        for register in [length, .r2] {
            assembler.append(.jump64(if: register, .signedGreater, 0, 1))
            assembler.append(.move64(register, 0))
        }
        assembler.append(.store(.doubleword, .r10, slot(.linear), .r2))
    }

    /// Goes on where all bytes are in one piece; else goes to `reserve` with room for each part as if it were all.
    func chooseRoomOfParts(thenGoTo reserve: Assembler.Label, _ assembler: inout Assembler) {
        let isLinear = assembler.makeLabel()
        assembler.append(.load(.doubleword, .r1, .r10, slot(.linear)))
        assembler.append(.jump64(if: .r1, .greaterOrEqual, captured, 0), to: isLinear)
        for (index, room) in layout.roomSizes.map(\.roundedUp).enumerated() {
            assembler.append(.move64(.r2, Int32(layout.headerSize + room)))
            assembler.append(.store(.doubleword, .r10, slot(.rest), .r2))
            assembler.append(.move64(.r2, Int32(layout.headerSize + 2 * room)))
            if index < layout.roomSizes.count - 1 {
                assembler.append(.jump64(if: captured, .lessOrEqual, Int32(room), 0), to: reserve)
            } else {
                assembler.append(.jump(0), to: reserve)
            }
        }
        assembler.place(isLinear)
        assembler.append(.move64(.r1, 0))
        assembler.append(.store(.doubleword, .r10, slot(.rest), .r1))
    }

    /// Fills what the header has of packets at tracepoints.
    func describeTraced(_ assembler: inout Assembler) {
        assembler.append(.load(.doubleword, .r1, .r10, slot(.linkLayer)))
        assembler.append(.store(.word, record, Field.linkLayer, .r1))
        assembler.append(.store(.word, record, Field.packetType, 0))
        assembler.append(.load(.doubleword, .r1, .r10, slot(.linear)))
        assembler.append(.store(.word, record, Field.linear, .r1))
        if let options = options.kernel, options >= .tagMember {
            // The two bytes that announce the tag, and the tag.
            assembler.append(.load(.word, .r1, source, 0), Self.field("vlan_all"))
            assembler.append(.store(.word, record, Field.tagProtocol, .r1))
        } else {
            assembler.append(.store(.word, record, Field.tagProtocol, 0))
        }
        if dropReasonArgument != nil {
            assembler.append(.load(.doubleword, .r1, .r10, slot(.dropReason)))
            assembler.append(.store(.word, record, Field.dropReason, .r1))
        }
        assembler.append(.load(.doubleword, .r1, source, 0), Self.field("dev"))
        describeDevice(&assembler)
    }

    /// `r0` = 0 where the bytes are in the record.
    func copyTraced(_ assembler: inout Assembler) {
        let (rest, end) = (assembler.makeLabel(), assembler.makeLabel())
        assembler.append(.load(.doubleword, .r2, .r10, slot(.linear)))
        if !layout.hasParts {
            // What there is.
            assembler.append(.jump64(if: .r2, .greaterOrEqual, captured, 2))
            assembler.append(.store(.word, record, Field.captured, .r2))
            assembler.append(.move64(captured, .r2))
        } else {
            assembler.append(.jump64(if: .r2, .less, captured, 0), to: rest)
        }
        assembler.append(.move64(.r2, captured))
        probeStart(&assembler)
        assembler.append(.jump(0), to: end)
        assembler.place(rest)
        if layout.hasParts {
            probeStart(&assembler)
            assembler.append(.jump64(if: .r0, .notEqual, 0, 0), to: end)
            assembler.append(.move64(.r1, source))
            makeDynptr(&assembler)
            copyRest(orGoTo: end, &assembler)
        }
        assembler.place(end)
    }

    /// Copies the packet's first `r2` bytes to the record.
    private func probeStart(_ assembler: inout Assembler) {
        assembler.append(.move64(.r1, record))
        assembler.append(.alu64(.add, .r1, Int32(layout.headerSize)))
        assembler.append(.load(.doubleword, .r3, .r10, slot(.start)))
        assembler.append(.call(helper: Selector.probeRead))
    }

    /// Copies what is not in the linear part to the record, where it has room for a second part.
    private func copyRest(orGoTo end: Assembler.Label, _ assembler: inout Assembler) {
        assembler.append(.move64(.r0, 1))
        assembler.append(.load(.doubleword, .r5, .r10, slot(.rest)))
        assembler.append(.jump64(if: .r5, .equal, 0, 0), to: end)
        assembler.append(.load(.doubleword, .r4, .r10, slot(.linear)))
        assembler.append(.move64(.r2, captured))
        assembler.append(.alu64(.subtract, .r2, .r4))
        // The verifier does not know that this is less.
        assembler.append(.jump64(if: .r2, .greater, captured, 0), to: end)
        assembler.append(.load(.doubleword, .r1, .r10, slot(.shift)))
        assembler.append(.alu64(.subtract, .r4, .r1))
        assembler.append(.move64(.r1, record))
        assembler.append(.alu64(.add, .r1, .r5))
        readDynptr(&assembler)
    }
}
