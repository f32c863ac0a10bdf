import ExtendedBPF

// How a capturing program learns of a packet and copies it, by what the hook shows of it.

extension CapturingProgram {
    typealias Field = CapturingLayout.Field

    /// `length` and `captured`. At some tracepoints there may be no packet.
    func measure(orGoTo pass: Assembler.Label, _ assembler: inout Assembler) throws(CompilerError) {
        switch hook.context {
        case .socketBuffer: assembler.append(ContextField.len.load(into: length, from: source))
        case .xdp where hook.host == .xdpFrags:
            assembler.append(.move64(.r1, source))
            assembler.append(.call(helper: HelperFunction.xdpBufferLength.rawValue))
            assembler.append(.move64(length, .r0))
        case .xdp:
            assembler.append(.load(.word, length, source, XDPField.dataEnd))
            assembler.append(.load(.word, .r1, source, XDPField.data))
            assembler.append(.alu64(.subtract, length, .r1))
        case .netfilter:
            assembler.append(.load(.doubleword, .r1, source, Self.netfilterPacket))
            assembler.append(.load(.word, length, .r1, 0), Self.field("len"))
        case .tracing: try measureTraced(orGoTo: pass, &assembler)
        }
        assembler.append(.move64(captured, length))
        assembler.append(.jump64(if: captured, .lessOrEqual, Int32(layout.snapshotLength), 1))
        assembler.append(.move64(captured, Int32(layout.snapshotLength)))
    }

    /// Fills the record's header.
    func describe(_ assembler: inout Assembler) {
        let clock: HelperFunction = Self.clock(on: options.kernel) == .atomic ? .atomicTime : .monotonicTime
        assembler.append(.call(helper: clock.rawValue))
        assembler.append(.store(.doubleword, record, Field.time, .r0))
        assembler.append(.store(.word, record, Field.length, length))
        assembler.append(.store(.word, record, Field.captured, captured))
        switch hook.context {
        case .socketBuffer: describeSocketBuffer(&assembler)
        case .xdp:
            assembler.append(.load(.word, .r1, source, XDPField.ingressIfindex))
            assembler.append(.store(.word, record, Field.interface, .r1))
            assembler.append(.store(.word, record, Field.tagProtocol, 0))
            assembler.append(.store(.doubleword, record, Field.packetType, 0))
        case .netfilter:
            assembler.append(.load(.doubleword, .r1, source, Self.netfilterPacket))
            assembler.append(.load(.doubleword, .r2, source, Self.netfilterState))
            describeNetfilter(&assembler)
        case .tracing: describeTraced(&assembler)
        }
        if layout.hasDeviceName, hook.context != .tracing {
            assembler.append(.store(.word, record, Field.linear, captured))
        }
    }

    private func describeSocketBuffer(_ assembler: inout Assembler) {
        assembler.append(ContextField.packetType.load(into: .r1, from: source))
        assembler.append(.store(.word, record, Field.packetType, .r1))
        assembler.append(.store(.word, record, Field.linkLayer, 0))
        assembler.append(.store(.word, record, Field.tagProtocol, 0))
        if layout.hasDeviceName {
            assembler.append(.move64(.r1, source))
            assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_cast_to_kern_ctx"))
            assembler.append(.load(.doubleword, .r1, .r0, 0), Self.field("dev"))
            describeDevice(&assembler)
            return
        }
        assembler.append(ContextField.ifindex.load(into: .r1, from: source))
        assembler.append(.store(.word, record, Field.interface, .r1))
        assembler.append(ContextField.vlanPresent.load(into: .r1, from: source))
        assembler.append(.jump64(if: .r1, .equal, 0, 4))
        assembler.append(ContextField.vlanProto.load(into: .r1, from: source))
        assembler.append(.store(.halfword, record, Field.tagProtocol, .r1))
        assembler.append(ContextField.vlanTCI.load(into: .r1, from: source))
        assembler.append(.store(.halfword, record, Field.tag, .r1))
    }

    /// The interface is the one the packet came in by, or where that is over the one it leaves by.
    private func describeNetfilter(_ assembler: inout Assembler) {
        assembler.append(.store(.word, record, Field.tagProtocol, 0))
        assembler.append(.store(.word, record, Field.linkLayer, 0))
        assembler.append(.store(.word, record, Field.packetType, 0))
        let (out, found) = (assembler.makeLabel(), assembler.makeLabel())
        assembler.append(.load(.byte, .r3, .r2, 0), Self.stateField("hook"))
        assembler.append(.jump64(if: .r3, .greater, Self.forward, 0), to: out)
        assembler.append(.load(.doubleword, .r1, .r2, 0), Self.stateField("in"))
        assembler.append(.jump(0), to: found)
        assembler.place(out)
        assembler.append(.load(.doubleword, .r1, .r2, 0), Self.stateField("out"))
        assembler.place(found)
        describeDevice(&assembler)
    }

    /// The number and name of the `struct net_device` in `r1`. Reading behind a null pointer gives 0.
    func describeDevice(_ assembler: inout Assembler) {
        assembler.append(.load(.word, .r2, .r1, 0), Self.deviceField("ifindex"))
        assembler.append(.store(.word, record, Field.interface, .r2))
        assembler.append(.alu64(.add, .r1, 0), Self.deviceField("name"))
        for place in [0, 8] as [Int16] {
            assembler.append(.load(.doubleword, .r2, .r1, place))
            assembler.append(.store(.doubleword, record, Field.deviceName + place, .r2))
        }
    }

    /// `r0` = 0 where the bytes are in the record.
    func copy(_ assembler: inout Assembler) {
        switch hook.context {
        case .socketBuffer: copy(by: .socketBufferCopy, &assembler)
        case .xdp: copy(by: .xdpCopy, &assembler)
        case .netfilter:
            assembler.append(.load(.doubleword, .r1, source, Self.netfilterPacket))
            makeDynptr(&assembler)
            assembler.append(.move64(.r1, record))
            assembler.append(.alu64(.add, .r1, Int32(layout.headerSize)))
            assembler.append(.move64(.r2, captured))
            assembler.append(.move64(.r4, 0))
            readDynptr(&assembler)
        case .tracing: copyTraced(&assembler)
        }
    }

    private func copy(by helper: HelperFunction, _ assembler: inout Assembler) {
        assembler.append(.move64(.r1, source))
        assembler.append(.move64(.r2, 0))
        assembler.append(.move64(.r3, record))
        assembler.append(.alu64(.add, .r3, Int32(layout.headerSize)))
        assembler.append(.move64(.r4, captured))
        assembler.append(.call(helper: helper.rawValue))
    }

    /// Makes the stack's `struct bpf_dynptr` one for the `struct sk_buff` in `r1`. Where it fails, so does reading.
    func makeDynptr(_ assembler: inout Assembler) {
        assembler.append(.move64(.r2, 0))
        assembler.append(.move64(.r3, .r10))
        assembler.append(.alu64(.add, .r3, Int32(slot(.dynptr))))
        assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_dynptr_from_skb"))
    }

    /// Copies `r2` bytes from the offset in `r4` on to `r1`.
    func readDynptr(_ assembler: inout Assembler) {
        assembler.append(.move64(.r3, .r10))
        assembler.append(.alu64(.add, .r3, Int32(slot(.dynptr))))
        assembler.append(.move64(.r5, 0))
        assembler.append(.call(helper: HelperFunction.dynptrRead.rawValue))
    }

    static func field(_ member: String) -> Reference { .kernelField(structure: "sk_buff", member: member) }

    private static func deviceField(_ member: String) -> Reference {
        .kernelField(structure: "net_device", member: member)
    }

    private static func stateField(_ member: String) -> Reference {
        .kernelField(structure: "nf_hook_state", member: member)
    }

    /// Where a `struct bpf_nf_ctx` has the pointer to the `struct nf_hook_state`.
    private static let netfilterState: Int16 = 0
    /// Where it has that to the packet's `struct sk_buff`.
    private static let netfilterPacket: Int16 = 8
    /// `NF_INET_FORWARD`, the last hook at which the interface that a packet came in by is known.
    private static let forward: Int32 = 2
}
