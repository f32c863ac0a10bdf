import ClassicBPF
import ExtendedBPF

// What the context and helper functions tell of a packet besides its bytes.

extension Selector {
    /// The packet's length in bytes.
    mutating func emitLength(into result: MachineRegister) {
        switch target.hook.context {
        case .socketBuffer: append(.load(.word, .r0, .r0, ContextField.len.rawValue), dst: result, src: context)
        case .xdp: emitPacketLength(into: result)
        case .netfilter, .tracing: emitKernelBufferLength(into: result)
        }
    }

    /// An extension.
    ///
    /// - Throws: ``CompilerError`` where the hook has no such value.
    mutating func emitMetadata(_ ext: Extension, into result: MachineRegister) throws(CompilerError) {
        switch ext {
        case .cpu: return emitCall(.processorID, into: result)
        case .rand: return emitCall(.randomNumber, into: result)
        case .hatype where target.hook.context == .socketBuffer: return try emitHardwareType(into: result)
        default: break
        }
        guard target.hook.extensions.contains(ext) else {
            throw CompilerError(.unavailableExtension(ext, target.hook), at: origin)
        }
        switch (target.hook.context, ext) {
        case (.socketBuffer, .proto): emitBigEndianField(.protocol, into: result)
        case (.socketBuffer, .vlanTPID): emitBigEndianField(.vlanProto, into: result)
        case (.socketBuffer, .type): emitField(.packetType, into: result)
        case (.socketBuffer, .mark): emitField(.mark, into: result)
        case (.socketBuffer, .queue): emitField(.queueMapping, into: result)
        case (.socketBuffer, .rxhash): emitField(.hash, into: result)
        case (.socketBuffer, .vlanTCI): emitField(.vlanTCI, into: result)
        case (.socketBuffer, .vlanAvail): emitField(.vlanPresent, into: result)
        case (.socketBuffer, .ifidx): emitField(.ifindex, into: result)
        case (.netfilter, _), (.tracing, _):
            let kernel = options.kernel(for: target.hook)
            guard ext != .vlanAvail || kernel >= .tagMember else {
                throw CompilerError(
                    .needsKernel(feature: "the extension \(ext.name)", .tagMember, target: kernel), at: origin)
            }
            emitKernelMetadata(ext, into: result)
        case (.xdp, .ifidx): append(.load(.word, .r0, .r0, XDPField.ingressIfindex), dst: result, src: context)
        default: throw CompilerError(.unavailableExtension(ext, target.hook), at: origin)
        }
    }

    private mutating func emitField(_ field: ContextField, into result: MachineRegister) {
        append(.load(.word, .r0, .r0, field.rawValue), dst: result, src: context)
    }

    /// The member is a big-endian u16 in the lower half of a u32.
    private mutating func emitBigEndianField(_ field: ContextField, into result: MachineRegister) {
        emitField(field, into: result)
        append(.bigEndian(.r0, bits: 16), dst: result)
    }

    private mutating func emitCall(_ helper: HelperFunction, into result: MachineRegister) {
        append(.call(helper: helper.rawValue))
        append(.move32(.r0, .r0), dst: result, src: .result)
        if keepsResult { setResult(graph.failure) }
    }
}

/// The members of `struct xdp_md` that programs read, as distances in bytes from its start.
///
/// Source: `<linux/bpf.h>`; every member is a u32.
enum XDPField {
    static let data: Int16 = 0
    static let dataEnd: Int16 = 4
    static let ingressIfindex: Int16 = 12
}
