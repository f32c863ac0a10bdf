import ClassicBPF
import ExtendedBPF

// Extensions of a loadable program, from the context or a helper function. The kernel's converter reads the same
// members from struct sk_buff; see KernelExtensions.swift.

extension Translation {
    /// `register =` the packet's length.
    mutating func emitLength(into register: Register) {
        guard dialect == .kernel else {
            assembler.append(ContextField.len.load(into: register, from: context))
            return
        }
        emitFieldLoad(.word, register, context, "sk_buff", "len")
    }

    /// `A =` the extension, on a hook whose context is `struct __sk_buff`.
    ///
    /// - Throws: ``CompilerError`` for the four that need a search through the packet or a look at its device.
    mutating func emitExtension(
        _ ext: Extension, on hook: Hook, at index: Int
    ) throws(CompilerError) {
        guard hook.extensions.contains(ext) else { throw CompilerError(.unavailableExtension(ext, hook), at: index) }
        switch ext {
        case .proto: emitBigEndianField(.protocol)
        case .vlanTPID: emitBigEndianField(.vlanProto)
        case .type: emitField(.packetType)
        case .mark: emitField(.mark)
        case .queue: emitField(.queueMapping)
        case .rxhash: emitField(.hash)
        case .vlanTCI: emitField(.vlanTCI)
        case .vlanAvail: emitField(.vlanPresent)
        case .ifidx: emitInterfaceIndex()
        case .cpu: assembler.append(.call(helper: HelperFunction.processorID.rawValue))
        case .rand: assembler.append(.call(helper: HelperFunction.randomNumber.rawValue))
        case .xorX: assembler.append(.alu32(.xor, a, x))
        case .hatype, .nla, .nlan, .poff: preconditionFailure("no __sk_buff has them")
        }
    }

    private mutating func emitField(_ field: ContextField) {
        assembler.append(field.load(into: a, from: context))
    }

    /// The member is a big-endian u16 in the lower half of a u32.
    private mutating func emitBigEndianField(_ field: ContextField) {
        emitField(field)
        assembler.append(.bigEndian(a, bits: 16))
    }

    /// A packet without an interface, which reads as index 0 here, ends the filter with A as it stands.
    private mutating func emitInterfaceIndex() {
        let found = assembler.makeLabel()
        assembler.append(ContextField.ifindex.load(into: temporary, from: context))
        assembler.append(.jump64(if: temporary, .notEqual, 0, 0), to: found)
        emitReturn(.a)
        assembler.place(found)
        assembler.append(.move32(a, temporary))
    }
}
