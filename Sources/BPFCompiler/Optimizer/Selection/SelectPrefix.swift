import ClassicBPF
import ExtendedBPF

// Packets read through one copy of their first bytes.
//
// One call at the start brings to the stack what the filter will usually ask for, of a short packet all there is. What
// lies at a fixed place in the copy fails where the packet is too short. So does what lies behind an index, but where
// that leads out of the copy, the program begins anew in the other way.

/// Where a copy of the packet's first bytes is.
struct PrefixPlace {
    /// The place of its first byte relative to the frame pointer.
    var place = 0
    /// The packet's length in bytes.
    var length: MachineRegister?
}

extension Selector {
    /// Copies the packet's first bytes to the stack, `count` of them if there are as many.
    mutating func emitPrefixPrologue(_ count: UInt32) {
        prefix.place = -distance(ofPrefix: Int(count))
        _ = function.reserveStack(-prefix.place)
        let copied = function.makeRegister()
        let (whole, short, copy) = (function.makeBlock(), function.makeBlock(), function.makeBlock())
        emitLength(into: copied)
        end(
            with: .branch(isAbove(Int32(count) - 1, copied), then: whole, otherwise: short))
        current = whole
        append(.move32(.r0, count), dst: copied)
        end(with: .jump(copy))
        current = short
        emitShortPrefix(of: count, copied)
        end(with: .jump(copy))
        current = copy
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
        append(.move32(.r0, 0), dst: MachineRegister(.r2))
        emitStackAddress(prefix.place, into: MachineRegister(.r3))
        append(.move64(.r0, .r0), dst: MachineRegister(.r4), src: copied)
        appendCall(PacketAccess.CopyHelper.socketBuffer.rawValue, arguments: 4)
        // Not even all bytes of a packet need be readable: those that a device keeps to itself are not.
        let miss = missExit
        jump(
            to: miss,
            if: MachineCondition(comparison: .notEqual, is64: true, left: .result, right: .constant(0)))
        // Loaded anew, so that for the verifier short packets and others are the same from here on.
        let length = function.makeRegister()
        prefix.length = length
        emitLength(into: length)
        if graph.failure != 0 { setResult(graph.failure) }
        cursors[.packetStart] = Cursors.Cursor(register: .frame, position: -prefix.place, end: 0)
    }

    /// Prepares for the copy of a packet that is not as long: a copy of a length that the verifier does not know goes to
    /// stack that has been written, and is of one byte at least. A packet without any goes the other way: not every
    /// filter asks for a byte of every packet.
    private mutating func emitShortPrefix(of count: UInt32, _ length: MachineRegister) {
        function.blocks[current].isRare = true
        let miss = missExit
        let some = function.makeBlock()
        end(with: .branch(isAbove(0, length), then: some, otherwise: miss))
        current = some
        function.blocks[some].isRare = true
        let first = prefix.place & ~7
        for place in stride(from: first, to: prefix.place + Int(count), by: 8) {
            append(.store(.doubleword, .r0, Int16(place), 0), dst: .frame)
        }
    }

    /// How far below the frame pointer a copy of `count` bytes begins, so that as many loads as can be are aligned.
    private func distance(ofPrefix count: Int) -> Int {
        // Where it makes no difference, the network header behind that of Ethernet is.
        let phase = [2, 0, 1, 3].min { parts(withPhase: $0) < parts(withPhase: $1) }!
        return count + (phase - count) & 3
    }

    /// How many loads it takes if the copy begins `phase` bytes below a multiple of 4.
    private func parts(withPhase phase: Int) -> Int {
        var count = 0
        for block in graph.blocks {
            for value in block.instructions {
                switch graph.instruction(value) {
                case .load(let size, let address), .rawLoad(let size, let address):
                    count += Int(size.rawValue / min(size.rawValue, alignment(of: address, -phase)))
                default: break
                }
            }
        }
        return count
    }

    /// The largest power of two up to 4 of which the verifier knows that the place of `address` on the stack is a
    /// multiple; 4 where it does not ask.
    func alignment(of address: Graph.Address) -> UInt32 {
        guard case .prefix = access else { return 4 }
        return alignment(of: address, prefix.place)
    }

    private func alignment(of address: Graph.Address, _ place: Int) -> UInt32 {
        let fixed = UInt32(truncatingIfNeeded: Int(address.offset) + place)
        return 1 << min(2, fixed.trailingZeroBitCount, address.index.map { verifiedZeros($0, depth: 8) } ?? 2)
    }

    /// How many of the lowest bits of `value` the verifier, too, knows to be 0.
    ///
    /// It does not follow byte swaps, multiplications and parameters.
    private func verifiedZeros(_ value: Value, depth: Int) -> Int {
        guard depth > 0 else { return 0 }
        switch graph.instruction(value) {
        case .constant(let number): return number.trailingZeroBitCount
        case .arithmetic(.and, let left, let right):
            return max(verifiedZeros(left, depth: depth - 1), verifiedZeros(right, depth: depth - 1))
        case .arithmetic(.add, let left, let right), .arithmetic(.or, let left, let right):
            return min(verifiedZeros(left, depth: depth - 1), verifiedZeros(right, depth: depth - 1))
        case .arithmetic(.shiftLeft, let left, let right):
            guard let distance = graph.instruction(right)?.constant else { return 0 }
            return min(32, verifiedZeros(left, depth: depth - 1) + Int(distance & 31))
        case .arithmetic(.shiftRight, let left, let right):
            guard let distance = graph.instruction(right)?.constant else { return 0 }
            return max(0, verifiedZeros(left, depth: depth - 1) - Int(distance & 31))
        default: return 0
        }
    }

    /// A load that is not aligned, of parts that are.
    mutating func emitLoad(
        _ size: Operation.Size, _ distance: Int16, from base: MachineRegister, inPartsOf alignment: UInt32,
        into result: MachineRegister
    ) {
        let part: Operation.Size = alignment == 1 ? .byte : .half
        var places = Array(stride(from: distance, to: distance + Int16(size.rawValue), by: Int(alignment)))
        // The most significant first.
        if options.byteOrder == .little { places.reverse() }
        append(.load(part.machine, .r0, .r0, places[0]), dst: result, src: base)
        for place in places.dropFirst() {
            let next = function.makeRegister()
            append(.alu32(.shiftLeft, .r0, Int32(alignment * 8)), dst: result)
            append(.load(part.machine, .r0, .r0, place), dst: next, src: base)
            append(.alu32(.or, .r0, .r0), dst: result, src: next)
        }
    }

    /// Makes sure that the packet reaches `end` behind the index of `window`, and that this is in the copy.
    mutating func emitCheck(of window: Graph.Window, upTo end: UInt32, inPrefixOf count: UInt32) {
        guard end <= count else {
            let miss = missExit
            self.end(with: .jump(miss))
            isAbandoned = true
            return
        }
        guard let index = window.index else {
            guard var start = cursors[.packetStart], start.end < end else { return }
            let (inside, failed) = (function.makeBlock(), failureExit)
            self.end(with: .branch(isAbove(Int32(end) - 1, prefix.length!), then: inside, otherwise: failed))
            current = inside
            start.end = end
            cursors[.packetStart] = start
            return
        }
        let register = pointerRegister(of: window)
        let cursor = cursors[window]
        var limit = ends[window]! <= count ? ends[window]! : end
        if let cursor, end <= cursor.limit {
            limit = cursor.limit
        } else {
            let miss = missExit
            bound(index, below: count - limit, orGoTo: miss)
        }
        let reach = function.makeRegister()
        append(.move64(.r0, .r0), dst: reach, src: operand(index))
        append(.alu64(.add, .r0, Int32(end)), dst: reach)
        let failed = failureExit
        jump(
            to: failed,
            if: MachineCondition(
                comparison: .greater, is64: true, left: reach, right: .register(prefix.length!)))
        if limit != cursor?.limit {
            append(.move64(.r0, .r0), dst: register, src: .frame)
            append(.alu64(.add, .r0, .r0), dst: register, src: operand(index))
        }
        cursors[window] = Cursors.Cursor(register: register, position: -prefix.place, end: end, limit: limit)
    }
}
