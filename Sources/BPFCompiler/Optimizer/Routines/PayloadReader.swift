import ExtendedBPF

// How the search for the payload finds where to begin, and reads headers: by hook.

extension PayloadSearch {
    /// Finds the first header, its protocol, and the lengths of the packet and its linear part.
    mutating func emitStart() {
        if hook.context == .xdp { return emitFrameStart() }
        if let bufferPlace {
            append(.load(.doubleword, .r1, context, bufferPlace))
            // At some tracepoints there may be no packet, for all the verifier knows of the argument.
            if hook.context == .tracing {
                append(.jump64(if: .r1, .notEqual, 0, 2), .move64(.r0, 0), .exit)
            }
        } else {
            assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_cast_to_kern_ctx"))
            append(.move64(.r1, .r0))
        }
        load(.word, .r2, "len")
        append(.store(.doubleword, .r10, length, .r2))
        emitUnknowns()
        if hook.context == .tracing { return emitShiftedStart() }
        load(.word, .r2, "len")
        load(.word, .r3, "data_len")
        append(.alu64(.subtract, .r2, .r3), .store(.doubleword, .r10, linearLength, .r2))
        // The header's place is counted from the buffer's start, the offset from the packet's.
        load(.halfword, offset, "network_header")
        load(.doubleword, .r2, "head")
        load(.doubleword, .r3, "data")
        append(.alu64(.subtract, .r2, .r3), .alu64(.add, offset, .r2))
        emitProtocol()
    }

    /// The same where the packet begins with one of its headers for us, wherever it does for the kernel. The network
    /// header may yet have to be found there; it is where the link layer has it.
    private mutating func emitShiftedStart() {
        let isSet = assembler.makeLabel()
        load(.halfword, .r4, "mac_header")
        if linkLayer == .rawIP {
            // As where programs read the packet.
            let isUnset = assembler.makeLabel()
            load(.halfword, .r5, "network_header")
            jump(to: isUnset, if: .jump64(if: .r4, .equal, 0xffff, 0))
            jump(to: isSet, if: .jump64(if: .r4, .greater, .r5, 0))
            assembler.place(isUnset)
            append(.move64(.r4, .r5))
        }
        assembler.place(isSet)
        load(.doubleword, .r2, "data")
        load(.doubleword, .r3, "head")
        append(.alu64(.subtract, .r2, .r3), .alu64(.subtract, .r2, .r4), .store(.doubleword, .r10, shift, .r2))
        load(.word, .r3, "len")
        append(.alu64(.add, .r2, .r3), .store(.doubleword, .r10, length, .r2))
        load(.word, .r3, "data_len")
        append(
            .alu64(.subtract, .r2, .r3), .store(.doubleword, .r10, linearLength, .r2))
        // A number of which the verifier knows nothing at all: with bounds it would be another behind every header.
        append(
            .load(.doubleword, offset, .r10, shift), .load(.doubleword, .r2, .r10, shift),
            .alu64(.subtract, offset, .r2), .alu64(.add, offset, linkLayer == .ethernet ? 14 : 0))
        emitProtocol()
    }

    private mutating func emitProtocol() {
        let untagged = assembler.makeLabel()
        load(.halfword, proto, "protocol")
        append(.bigEndian(proto, bits: 16), .load(.doubleword, .r2, .r10, noProtocol))
        load(.word, .r3, "vlan_all")
        jump(to: untagged, if: .jump64(if: .r3, .equal, 0, 0))
        append(.move64(.r2, proto))
        load(.halfword, proto, "vlan_proto")
        append(.bigEndian(proto, bits: 16))
        assembler.place(untagged)
        append(.store(.doubleword, .r10, taggedProtocol, .r2))
    }

    /// `dst = ` a member of the kernel's structure in `r1`.
    private mutating func load(_ size: Size, _ dst: Register, _ member: String) {
        assembler.append(.load(size, dst, .r1, 0), .kernelField(structure: "sk_buff", member: member))
    }

    /// The frame as the kernel will take it: behind the Ethernet header is what that says, and of that there is enough
    /// in the linear part.
    private mutating func emitFrameStart() {
        if hook.host == .xdpFrags {
            append(.move64(.r1, context), .call(helper: HelperFunction.xdpBufferLength.rawValue))
        } else {
            append(
                .load(.word, .r0, context, XDPField.dataEnd), .load(.word, .r1, context, XDPField.data),
                .alu64(.subtract, .r0, .r1))
        }
        append(
            .store(.doubleword, .r10, length, .r0), .store(.doubleword, .r10, linearLength, .r0))
        emitUnknowns()
        append(.store(.doubleword, .r10, taggedProtocol, .r3), .load(.doubleword, offset, .r10, transport))
        emitPresence(14)
        emitHalf(proto, 12)
        append(.alu64(.add, offset, 14))
    }
}

/// Reads two bytes of a packet as a big-endian number: `(context, offset)`, the offset of 64 bits and negative in front
/// of the packet; a negative number where they are not there.
struct PayloadReader {
    // Where what has to outlive calls is kept.
    private let offset = Register.r6
    private let context = Register.r7
    private let bytes: Int16 = -8
    private let dynptr: Int32 = -24

    private let hook: Hook
    /// Where in the context the pointer to the kernel's structure of the packet is, if it is there.
    private let bufferPlace: Int16?
    private var assembler: Assembler
    private let result: Assembler.Label
    private let nothing: Assembler.Label

    static func function(named name: String, for hook: Hook, _ bufferPlace: Int16?) -> Function {
        var reader = PayloadReader(named: name, hook, bufferPlace)
        reader.assembler.mark(line: 1)
        reader.append(.move64(reader.offset, .r2), .move64(reader.context, .r1))
        // On XDP there is nothing in front.
        if hook.context == .xdp { reader.emitCopy() } else { reader.emitCopies() }
        reader.assembler.place(reader.result)
        reader.append(.load(.halfword, .r0, .r10, reader.bytes), .bigEndian(.r0, bits: 16), .exit)
        // That number of the function's is as good as −1, and the verifier does not know it.
        reader.assembler.place(reader.nothing)
        reader.append(.exit)
        // Jumps are short.
        return try! reader.assembler.finish()
    }

    private init(named name: String, _ hook: Hook, _ bufferPlace: Int16?) {
        self.hook = hook
        self.bufferPlace = bufferPlace
        var assembler = Assembler(functionNamed: name)
        (result, nothing) = (assembler.makeLabel(), assembler.makeLabel())
        self.assembler = assembler
    }

    private mutating func emitCopies() {
        let (inFront, isNear, whole) = (assembler.makeLabel(), assembler.makeLabel(), assembler.makeLabel())
        append(.jump64(if: offset, .signedGreater, -1, 1))
        assembler.append(.jump(0), to: inFront)
        emitCopy()
        assembler.append(.jump(0), to: result)
        // What is in front of the packet is in the same buffer. The verifier wants to know that it is not far.
        assembler.place(inFront)
        append(.move64(.r0, offset))
        assembler.append(.jump64(if: offset, .signedGreater, -0x10_0000, 0), to: isNear)
        assembler.append(.jump(0), to: nothing)
        assembler.place(isNear)
        emitDataAddress()
        append(.alu64(.add, .r3, offset), .move64(.r1, .r10), .alu64(.add, .r1, Int32(bytes)), .move64(.r2, 2))
        assembler.append(.jump64(if: offset, .notEqual, -1, 0), to: whole)
        append(.move64(.r2, 1), .call(helper: Self.probeRead), .move64(offset, 0))
        emitCopy(to: 1, count: 1)
        assembler.append(.jump(0), to: result)
        assembler.place(whole)
        append(.call(helper: Self.probeRead))
        assembler.append(.jump(0), to: result)
    }

    /// `r3 = ` the address of the packet's first byte.
    private mutating func emitDataAddress() {
        if bufferPlace != nil {
            emitBuffer()
        } else {
            append(.move64(.r1, context))
            assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_cast_to_kern_ctx"))
            append(.move64(.r1, .r0))
        }
        assembler.append(.load(.doubleword, .r3, .r1, 0), .kernelField(structure: "sk_buff", member: "data"))
    }

    /// `r1 = ` the kernel's structure of the packet, or reads nothing where there is none, for all the verifier knows.
    private mutating func emitBuffer() {
        append(.load(.doubleword, .r1, context, bufferPlace!))
        guard hook.context == .tracing else { return }
        append(.move64(.r0, -1))
        assembler.append(.jump64(if: .r1, .equal, 0, 0), to: nothing)
    }

    /// Copies bytes from the offset on, which is not negative, to a place among ``bytes``.
    private mutating func emitCopy(to place: Int32 = 0, count: Int32 = 2) {
        if bufferPlace != nil {
            emitBuffer()
            append(.move64(.r2, 0), .move64(.r3, .r10), .alu64(.add, .r3, dynptr))
            // Where it fails, so does reading.
            assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_dynptr_from_skb"))
            append(
                .move64(.r1, .r10), .alu64(.add, .r1, Int32(bytes) + place), .move64(.r2, count), .move64(.r3, .r10),
                .alu64(.add, .r3, dynptr), .move64(.r4, offset), .move64(.r5, 0), .call(helper: Self.dynptrRead))
        } else {
            let helper = hook.context == .xdp ? PacketAccess.CopyHelper.xdp : .socketBuffer
            append(
                .move64(.r1, context), .move64(.r2, offset), .move64(.r3, .r10),
                .alu64(.add, .r3, Int32(bytes) + place), .move64(.r4, count), .call(helper: helper.rawValue))
        }
        assembler.append(.jump64(if: .r0, .notEqual, 0, 0), to: nothing)
    }

    /// `bpf_probe_read_kernel`
    private static let probeRead: Int32 = 113
    /// `bpf_dynptr_read`
    private static let dynptrRead: Int32 = 201

    private mutating func append(_ instructions: Instruction...) {
        for instruction in instructions { assembler.append(instruction) }
    }
}
