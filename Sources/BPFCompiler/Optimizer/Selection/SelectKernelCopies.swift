import ClassicBPF
import ExtendedBPF

// Copies to the stack of what is not in the kernel's linear part; see SelectKernelBuffer.swift.

extension Selector {
    /// Copies `count` bytes of the packet to the stack at `place`; fails where it has no such bytes.
    mutating func emitCopyCall(
        from start: (index: Value?, offset: UInt32), count: UInt32, to place: Int
    ) {
        guard kernelBuffer.buffer != nil else {
            append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
            emitOffset(start, into: MachineRegister(.r2))
            emitStackAddress(place, into: MachineRegister(.r3))
            append(.move32(.r0, count), dst: MachineRegister(.r4))
            appendCall(PacketAccess.CopyHelper.socketBuffer.rawValue, arguments: 4)
            return failIfNotZero()
        }
        guard let shift = kernelBuffer.shift else {
            emitDynptr()
            emitOffset(start, into: MachineRegister(.r4))
            return emitDynptrRead(count, to: place)
        }
        emitCopyCall(from: start, count: count, to: place, behind: shift)
    }

    /// The kernel copies from its `data` on; what lies in front of that is in the linear part.
    mutating func emitCopyCall(
        from start: (index: Value?, offset: UInt32), count: UInt32, to place: Int, behind shift: MachineRegister
    ) {
        // How many of the bytes lie in front.
        let before = function.makeRegister()
        if start.offset == 0 {
            append(.move64(.r0, .r0), dst: before, src: shift)
        } else {
            // The other way round the verifier of Linux 6.18 would remember how far this is from `shift`, and refuse to
            // add a number that it knows so to a pointer where that is far.
            append(.move64(.r0, -Int32(start.offset)), dst: before)
            append(.alu64(.add, .r0, .r0), dst: before, src: shift)
        }
        if let index = start.index {
            append(.alu64(.subtract, .r0, .r0), dst: before, src: operand(index))
        }
        emitDynptr()
        let (straddling, behind, join) = (function.makeBlock(), function.makeBlock(), function.makeBlock())
        self.end(
            with: .branch(
                MachineCondition(comparison: .signedGreater, is64: true, left: before, right: .constant(0)),
                then: straddling, otherwise: behind))
        for block in [straddling, behind, join] { function.blocks[block].isRare = true }
        current = straddling
        emitStraddlingCopy(from: start, count: count, to: place, before)
        self.end(with: .jump(join))
        current = behind
        append(.move64(.r0, 0), dst: MachineRegister(.r4))
        append(.alu64(.subtract, .r0, .r0), dst: MachineRegister(.r4), src: before)
        emitDynptrRead(count, to: place)
        self.end(with: .jump(join))
        current = join
    }

    /// Copies all bytes as if they were in the linear part, and then those over it that are not in front of `data`.
    mutating func emitStraddlingCopy(
        from start: (index: Value?, offset: UInt32), count: UInt32, to place: Int, _ before: MachineRegister
    ) {
        // All in front of `data` would have been in the linear part.
        let failed = failureAfterCall
        jump(
            to: failed,
            if: MachineCondition(
                comparison: .greaterOrEqual, is64: true, left: before, right: .constant(Int32(count))))
        emitStackAddress(place, into: MachineRegister(.r1))
        append(.move32(.r0, count), dst: MachineRegister(.r2))
        appendMember(.doubleword, "data", into: MachineRegister(.r3), from: kernelBuffer.buffer!)
        append(.alu64(.subtract, .r0, .r0), dst: MachineRegister(.r3), src: before)
        appendCall(Self.probeRead, arguments: 3)
        emitStackAddress(place, into: MachineRegister(.r1))
        append(.alu64(.add, .r0, .r0), dst: MachineRegister(.r1), src: before)
        append(.move64(.r0, Int32(count)), dst: MachineRegister(.r2))
        append(.alu64(.subtract, .r0, .r0), dst: MachineRegister(.r2), src: before)
        emitStackAddress(kernelBuffer.dynptrPlace!, into: MachineRegister(.r3))
        append(.move64(.r0, 0), dst: MachineRegister(.r4))
        append(.move64(.r0, 0), dst: MachineRegister(.r5))
        appendCall(Self.dynptrRead, arguments: 5)
        failIfNotZero()
    }

    /// `bpf_probe_read_kernel`
    static let probeRead: Int32 = 113
    /// `bpf_dynptr_read`
    static let dynptrRead: Int32 = 201

    /// Makes the stack's `struct bpf_dynptr` one for the packet.
    mutating func emitDynptr() {
        let place = kernelBuffer.dynptrPlace ?? function.reserveStack(16)
        kernelBuffer.dynptrPlace = place
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: kernelBuffer.buffer)
        append(.move64(.r0, 0), dst: MachineRegister(.r2))
        emitStackAddress(place, into: MachineRegister(.r3))
        // Where it fails, so does reading.
        appendCall(ofKernelFunction: "bpf_dynptr_from_skb", arguments: 3)
    }

    /// Copies `count` bytes, from the offset in `r4` on.
    mutating func emitDynptrRead(_ count: UInt32, to place: Int) {
        emitStackAddress(place, into: MachineRegister(.r1))
        append(.move32(.r0, count), dst: MachineRegister(.r2))
        emitStackAddress(kernelBuffer.dynptrPlace!, into: MachineRegister(.r3))
        append(.move64(.r0, 0), dst: MachineRegister(.r5))
        appendCall(Self.dynptrRead, arguments: 5)
        failIfNotZero()
    }

    mutating func emitStackAddress(_ place: Int, into result: MachineRegister) {
        append(.move64(.r0, .r0), dst: result, src: .frame)
        append(.alu64(.add, .r0, Int32(place)), dst: result)
    }

    mutating func emitOffset(_ start: (index: Value?, offset: UInt32), into result: MachineRegister) {
        guard let index = start.index else { return append(.move32(.r0, start.offset), dst: result) }
        append(.move32(.r0, .r0), dst: result, src: operand(index))
        if start.offset != 0 { append(.alu32(.add, .r0, Int32(bitPattern: start.offset)), dst: result) }
    }

    mutating func failIfNotZero() {
        let failed = failureAfterCall
        jump(
            to: failed,
            if: MachineCondition(comparison: .notEqual, is64: true, left: .result, right: .constant(0)))
    }
}
