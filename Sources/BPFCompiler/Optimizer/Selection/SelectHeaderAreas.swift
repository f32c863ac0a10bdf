import ClassicBPF
import ExtendedBPF

// Loads at any address by helper functions of the kernel's: what the instructions for classic loads do in one, without
// their way of ending the function.
//
// An address below 2³¹ is an offset. Above, the last two mebibytes are the header areas, that of the link-layer header
// and that of the network header, each a mebibyte of offsets from its header on. One helper function knows both headers,
// but reaches no further than the linear part of the packet. So did the kernel's classic filters before Linux 6.16; for
// later ones the header's place is read out of the kernel's own structure then, and the other helper function asked,
// which reaches all that lies behind the packet's first byte.

extension Selector {
    /// The address that a load at any place is from, or its distance from the start of the first area.
    private enum Place {
        case constant(UInt32)
        case register(MachineRegister)
    }

    /// `result` = the big-endian number at `address`, in the header areas too; fails where the packet has none there.
    mutating func emitAreaLoad(
        _ size: Operation.Size, _ address: Graph.Address, into result: MachineRegister
    ) {
        let copy = areaCopy ?? function.reserveStack(8)
        areaCopy = copy
        let copied = function.makeBlock()
        if let index = address.index {
            let sum = function.makeRegister()
            append(.move32(.r0, .r0), dst: sum, src: operand(index))
            if address.offset != 0 { append(.alu32(.add, .r0, Int32(bitPattern: address.offset)), dst: sum) }
            let (area, plain) = (function.makeBlock(), function.makeBlock())
            function.blocks[area].isRare = true
            end(with: .branch(isAbove(Int32.max, sum), then: area, otherwise: plain))
            current = plain
            emitCopy(of: size, from: .register(sum), to: copy, thenGoTo: copied)
            current = area
            append(.alu32(.subtract, .r0, Int32(bitPattern: HeaderArea.linkLayer.rawValue)), dst: sum)
            jump(to: failureExit, if: isAbove(2 * Self.areaSize - 1, sum))
            emitCopy(of: size, inAreas: .register(sum), to: copy, thenGoTo: copied)
        } else if address.offset < 0x8000_0000 {
            emitCopy(of: size, from: .constant(address.offset), to: copy, thenGoTo: copied)
        } else {
            guard address.offset >= HeaderArea.linkLayer.rawValue else {
                let failed = failureExit
                end(with: .jump(failed))
                isAbandoned = true
                return
            }
            let distance = address.offset - HeaderArea.linkLayer.rawValue
            emitCopy(of: size, inAreas: .constant(distance), to: copy, thenGoTo: copied)
        }
        current = copied
        let failed = failureAfterCall
        jump(
            to: failed,
            if: MachineCondition(comparison: .notEqual, is64: true, left: .result, right: .constant(0)))
        append(.load(size.machine, .r0, .r10, Int16(copy)), dst: result, src: .frame)
        if size != .byte { append(.bigEndian(.r0, bits: Int32(size.rawValue) * 8), dst: result) }
        if graph.failure != 0 { setResult(graph.failure) }
    }

    /// What the kernel has for the place of a header that is not there.
    private static var noHeader: Int32 { 0xffff }

    /// The bytes of a header area.
    private static var areaSize: Int32 { 0x10_0000 }

    /// `r0` = 0 where the packet has the bytes at an offset, which are then at `copy` on the stack.
    private mutating func emitCopy(
        of size: Operation.Size, from offset: Place, to copy: Int, thenGoTo next: Int
    ) {
        append(offset, to: .r2)
        emitCopyCall(of: size, to: copy, .socketBufferCopy, arguments: 4)
        end(with: .jump(next))
    }

    /// The same for a distance from the start of the first area.
    private mutating func emitCopy(
        of size: Operation.Size, inAreas distance: Place, to copy: Int, thenGoTo next: Int
    ) {
        append(distance, to: .r2)
        append(.alu32(.and, .r0, Self.areaSize - 1), dst: MachineRegister(.r2))
        // BPF_HDR_START_MAC is 0, BPF_HDR_START_NET is 1, as the areas stand.
        append(distance, to: .r5)
        append(.alu32(.shiftRight, .r0, 20), dst: MachineRegister(.r5))
        emitCopyCall(of: size, to: copy, .relativeCopy, arguments: 5)
        guard options.kernel(for: target.hook) >= .wholeHeaderAreas else { return end(with: .jump(next)) }
        let beyond = function.makeBlock()
        end(
            with: .branch(
                MachineCondition(comparison: .equal, is64: true, left: .result, right: .constant(0)),
                then: next, otherwise: beyond))
        current = beyond
        function.blocks[beyond].isRare = true
        let offset = emitOffset(ofDistance: distance)
        emitCopy(of: size, from: .register(offset), to: copy, thenGoTo: next)
    }

    /// The offset into the packet of what is that far from the start of the first area, by where the kernel has its
    /// headers.
    private mutating func emitOffset(ofDistance distance: Place) -> MachineRegister {
        let (offset, header, part) = (function.makeRegister(), function.makeRegister(), function.makeRegister())
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
        appendCall(ofKernelFunction: "bpf_cast_to_kern_ctx", arguments: 1)
        appendMember(.doubleword, "head", into: offset, from: .result)
        appendMember(.doubleword, "data", into: part, from: .result)
        append(.alu64(.subtract, .r0, .r0), dst: offset, src: part)
        let (network, linkLayer, found) = (function.makeBlock(), function.makeBlock(), function.makeBlock())
        switch distance {
        case .constant(let distance): end(with: .jump(distance < UInt32(Self.areaSize) ? linkLayer : network))
        case .register(let distance):
            end(with: .branch(isAbove(Self.areaSize - 1, distance), then: network, otherwise: linkLayer))
        }
        current = network
        appendMember(.halfword, "network_header", into: header, from: .result)
        end(with: .jump(found))
        current = linkLayer
        appendMember(.halfword, "mac_header", into: header, from: .result)
        let failed = failureAfterCall
        end(
            with: .branch(
                MachineCondition(comparison: .equal, is64: true, left: header, right: .constant(Self.noHeader)),
                then: failed, otherwise: found))
        current = found
        append(.alu64(.add, .r0, .r0), dst: offset, src: header)
        append(distance, to: part)
        append(.alu32(.and, .r0, Self.areaSize - 1), dst: part)
        append(.alu64(.add, .r0, .r0), dst: offset, src: part)
        return offset
    }

    private mutating func emitCopyCall(
        of size: Operation.Size, to copy: Int, _ helper: HelperFunction, arguments: Int
    ) {
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
        emitStackAddress(copy, into: MachineRegister(.r3))
        append(.move32(.r0, size.rawValue), dst: MachineRegister(.r4))
        appendCall(helper.rawValue, arguments: arguments)
    }

    private mutating func append(_ place: Place, to register: Register) { append(place, to: MachineRegister(register)) }

    private mutating func append(_ place: Place, to register: MachineRegister) {
        switch place {
        case .constant(let number): append(.move32(.r0, number), dst: register)
        case .register(let number): append(.move32(.r0, .r0), dst: register, src: number)
        }
    }
}
