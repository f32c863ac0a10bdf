import ClassicBPF
import ExtendedBPF

// What the kernel knows of a packet beside its bytes, from its own structures.

extension Selector {
    /// An extension, from the members of the kernel's structures.
    mutating func emitKernelMetadata(_ ext: Extension, into result: MachineRegister) {
        let buffer = kernelBuffer.buffer!
        switch ext {
        case .proto: emitBigEndianMember("protocol", into: result)
        case .vlanTPID: emitBigEndianMember("vlan_proto", into: result)
        case .mark: appendMember(.word, "mark", into: result, from: buffer)
        case .queue: appendMember(.halfword, "queue_mapping", into: result, from: buffer)
        case .rxhash: appendMember(.word, "hash", into: result, from: buffer)
        case .vlanTCI: appendMember(.halfword, "vlan_tci", into: result, from: buffer)
        case .vlanAvail:
            appendMember(.word, "vlan_all", into: result, from: buffer)
            // 1 for what is not 0: the negative of such a number, or the number, has the highest bit set.
            let negative = function.makeRegister()
            append(.move32(.r0, .r0), dst: negative, src: result)
            append(.negate32(.r0), dst: negative)
            append(.alu32(.or, .r0, .r0), dst: result, src: negative)
            append(.alu32(.shiftRight, .r0, 31), dst: result)
        case .type:
            appendMember(.byte, "__pkt_type_offset", into: result, from: buffer)
            // The first three bits of the byte, which are the highest on a big-endian machine: 5 keeps its bits there.
            let distance = function.makeRegister()
            append(.move32(.r0, 5), dst: distance)
            append(.bigEndian(.r0, bits: 16), dst: distance)
            append(.alu32(.and, .r0, 5), dst: distance)
            append(.alu32(.shiftRight, .r0, .r0), dst: result, src: distance)
            append(.alu32(.and, .r0, 7), dst: result)
        case .ifidx: emitDeviceMember(.word, "ifindex", into: result, of: buffer)
        case .hatype: emitDeviceMember(.halfword, "type", into: result, of: buffer)
        default: preconditionFailure("the hook does not have \(ext)")
        }
    }

    mutating func emitBigEndianMember(_ member: String, into result: MachineRegister) {
        appendMember(.halfword, member, into: result, from: kernelBuffer.buffer!)
        append(.bigEndian(.r0, bits: 16), dst: result)
    }

    mutating func emitDeviceMember(
        _ size: Size, _ member: String, into result: MachineRegister, of buffer: MachineRegister
    ) {
        let device = function.makeRegister()
        appendMember(.doubleword, "dev", into: device, from: buffer)
        // Reading behind a null pointer gives 0, of which the verifier does not want to hear before it is a member's.
        appendMember(size, member, into: result, from: device, of: "net_device")
    }

    /// The hardware type of the packet's device where the context is a `struct __sk_buff`, which has no member for it.
    ///
    /// - Throws: ``CompilerError`` where the kernel's own structure is out of reach.
    mutating func emitHardwareType(into result: MachineRegister) throws(CompilerError) {
        let kernel = options.kernel(for: target.hook)
        guard kernel >= .kernelContext else {
            throw CompilerError(
                .needsKernel(feature: "the extension hatype", .kernelContext, target: kernel), at: origin)
        }
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
        appendCall(ofKernelFunction: "bpf_cast_to_kern_ctx", arguments: 1)
        emitDeviceMember(.halfword, "type", into: result, of: .result)
        setResult(graph.failure)
    }
}
