import ExtendedBPF

// The kernel functions that are modelled, and how members of the kernel's structures are named.
// Source: the kernel's Documentation/bpf/kfuncs; their effect on pointers was tried on Linux 6.18.

extension ExtendedState {
    mutating func callKernelFunction(_ name: String) throws(Trap.Reason) {
        let result: UInt64
        switch name {
        case "bpf_cast_to_kern_ctx":
            // With another context the function gives another structure.
            guard context.kind == .socketBuffer else { throw .unavailable("kernel function \(name)", context.kind) }
            guard try read(.r1) == AddressSpace.context else { throw .notTheContext(.r1) }
            if kernelMemory == nil { kernelMemory = KernelMemory(packet, byteOrder) }
            result = AddressSpace.structure(.socketBuffer)
        case "bpf_rdonly_cast":
            let type = UInt32(truncatingIfNeeded: try read(.r2))
            let address = try read(.r1) & ~AddressSpace.unknown
            if type == 0 {
                result = address | AddressSpace.untrusted
            } else if let structure = KernelStructure.allCases.first(where: { $0.typeID == type }) {
                // What is there is taken for the structure, whatever it is.
                result =
                    address & ~AddressSpace.untrusted == AddressSpace.structure(structure)
                    ? address & ~AddressSpace.untrusted : address | AddressSpace.untrusted
            } else {
                throw .unknownType(id: type)
            }
        case "bpf_dynptr_from_skb":
            result = try makeDynptr()
        default:
            throw .unresolvedReference(.kernelFunction(name))
        }
        destroyArguments()
        try write(.r0, result)
    }

    /// What stands in a `struct bpf_dynptr` for the packet; the kernel's own is nobody's business.
    private static let dynptrBytes = Array("packet's dynptr.".utf8)

    /// `bpf_dynptr_from_skb(skb, flags, dynptr)`: 16 bytes of the stack become a handle of the packet's bytes.
    private mutating func makeDynptr() throws(Trap.Reason) -> UInt64 {
        // Where arguments have no types, no pointer is one that the kernel's functions trust.
        guard context.kind != .xdp, context.kind != .untypedTracing else {
            throw .unavailable("kernel function bpf_dynptr_from_skb", context.kind)
        }
        let buffer = context.kind.hasKernelStructures ? AddressSpace.structure(.socketBuffer) : AddressSpace.context
        guard try read(.r1) == buffer else { throw .notTheStructure(.r1, structure: "sk_buff") }
        let destination = try locate(try read(.r3), count: Self.dynptrBytes.count)
        guard case .stack = destination.memory else { throw .readOnlyMemory(destination.memory.region) }
        if try read(.r2) != 0 { return UInt64(bitPattern: -22) }
        try set(destination, to: Self.dynptrBytes)
        return 0
    }

    /// Makes sure that the register points to what ``makeDynptr()`` has made.
    func checkDynptr(in register: Register) throws(Trap.Reason) {
        let address = try read(register)
        let location = try locate(address, count: Self.dynptrBytes.count)
        guard case .stack = location.memory, try bytes(at: location) == Self.dynptrBytes else {
            throw .notTheStructure(register, structure: "bpf_dynptr")
        }
    }

    /// `dst += ` the distance of the member that `reference` names.
    mutating func addDistance(of reference: Reference, to register: Register) throws(Trap.Reason) {
        let (_, distance) = try memberPlace(reference)
        try write(register, try read(register) &+ UInt64(distance))
    }

    /// The address of the member that `reference` names, in the structure `register` points to.
    ///
    /// A null pointer leads to no structure: nil. The kernel reads 0 there.
    func address(of reference: Reference, from register: Register) throws(Trap.Reason) -> UInt64? {
        let (structure, distance) = try memberPlace(reference)
        let base = try read(register)
        if base == 0 { return nil }
        let isRight = base & ~AddressSpace.untrusted == AddressSpace.structure(structure)
        // What was cast to untrusted memory may be anything.
        guard isRight || base & AddressSpace.untrusted != 0 else {
            throw .notTheStructure(register, structure: structure.rawValue)
        }
        return base &+ UInt64(distance)
    }

    private func memberPlace(_ reference: Reference) throws(Trap.Reason) -> (KernelStructure, Int) {
        guard case .kernelField(let name, let member) = reference, let structure = KernelStructure(rawValue: name),
            let offset = structure.offset(of: member)
        else { throw .unresolvedReference(reference) }
        return (structure, offset)
    }
}
