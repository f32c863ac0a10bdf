import ClassicBPF
import ExtendedBPF

extension Selector {
    /// The most bytes from the packet's start that a pointer of the verifier's reaches (`MAX_PACKET_OFF`).
    private var farthest: UInt32 { 0xffff }

    /// Fetches the pointers that packet access needs.
    mutating func emitAccessPrologue() {
        switch access {
        case .kernelBuffer, .probes: return emitKernelBufferPrologue()
        case .prefix(let count): return emitPrefixPrologue(count)
        case .copies, .instructions: return
        case .pointers: break
        }
        let data = function.makeRegister()
        self.data = data
        dataEnd = function.makeRegister()
        loadPointers()
        // This register moves on through the packet.
        cursors[.packetStart] = Cursors.Cursor(register: data, position: 0, end: 0)
    }

    private mutating func loadPointers() {
        let (start, end): (Int16, Int16) =
            target.hook.context == .xdp
            ? (XDPField.data, XDPField.dataEnd) : (ContextField.data.rawValue, ContextField.dataEnd.rawValue)
        append(.load(.word, .r0, .r0, start), dst: data, src: context)
        append(.load(.word, .r0, .r0, end), dst: dataEnd, src: context)
    }

    /// The packet's length where the context has no member for it.
    mutating func emitPacketLength(into result: MachineRegister) {
        guard access == .pointers, !hasRest, let cursor = cursors[.packetStart] else {
            append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
            appendCall(HelperFunction.xdpBufferLength.rawValue, arguments: 1)
            append(.move32(.r0, .r0), dst: result, src: .result)
            if keepsResult { setResult(graph.failure) }
            return
        }
        append(.move64(.r0, .r0), dst: result, src: dataEnd)
        append(.alu64(.subtract, .r0, .r0), dst: result, src: cursor.register)
        if cursor.position != 0 { append(.alu64(.add, .r0, Int32(cursor.position)), dst: result) }
    }

    /// `result = *(size *)` at an address that has been checked.
    mutating func emitLoad(_ size: Operation.Size, _ address: Graph.Address, into result: MachineRegister) {
        guard let window = graph.windows[Graph.Load(size: size, address: address)],
            let cursor = cursors[cursorWindow(of: window)],
            let distance = Int16(exactly: Int(address.offset) - cursor.position)
        else { preconditionFailure("a load whose bytes have not been required") }
        let alignment = alignment(of: address)
        guard alignment >= size.rawValue else {
            return emitLoad(size, distance, from: cursor.register, inPartsOf: alignment, into: result)
        }
        append(.load(size.machine, .r0, .r0, distance), dst: result, src: cursor.register)
    }

    /// The window whose cursor leads to `window`.
    private func cursorWindow(of window: Graph.Window) -> Graph.Window {
        switch access {
        case .pointers: window.nearest
        case .kernelBuffer: isInPrefix(window) ? .packetStart : window
        case .prefix: window.index == nil ? .packetStart : window
        case .copies, .instructions, .probes: window
        }
    }

    /// Makes sure that the packet reaches `end` behind the index of `window`, and finds a register to load through.
    mutating func emitCheck(of window: Graph.Window, upTo end: UInt32) {
        switch access {
        case .pointers: emitPointerCheck(of: window.nearest, upTo: end)
        case .copies(let helper): emitCopy(of: window, upTo: end, by: helper)
        case .kernelBuffer: emitKernelBufferCheck(of: window, upTo: end)
        case .probes: emitProbe(of: window, upTo: end)
        case .prefix(let count): emitCheck(of: window, upTo: end, inPrefixOf: count)
        case .instructions: preconditionFailure("classic loads check for themselves")
        }
    }

    // MARK: Pointers

    private mutating func emitPointerCheck(of window: Graph.Window, upTo end: UInt32) {
        let miss = missExit
        guard end <= farthest else {
            self.end(with: .jump(miss))
            isAbandoned = true
            return
        }
        let start = cursors[.packetStart]!
        let register: MachineRegister
        var limit = UInt32.max
        if let cursor = cursors[window], end <= cursor.limit {
            register = cursor.register
            limit = cursor.limit
            moveOn(register, by: Int(end) - cursor.position)
        } else {
            register = pointerRegister(of: window)
            if let index = window.index {
                limit = self.limit(of: window, from: end)
                bound(index, below: farthest - limit, orGoTo: miss)
                append(.move64(.r0, .r0), dst: register, src: operand(index))
                var sum = make(.alu64(.add, .r0, .r0), dst: register, src: start.register)
                sum.isExchangeable = true
                function.blocks[current].instructions.append(sum)
            } else {
                append(.move64(.r0, .r0), dst: register, src: start.register)
            }
            moveOn(register, by: Int(end) - start.position)
        }
        jump(to: miss, if: isBeyondEnd(register))
        cursors[window] = Cursors.Cursor(register: register, position: Int(end), end: end, limit: limit)
    }

    /// How far `window`, now checked up to `end`, is to be checked with the same bound of its index.
    ///
    /// A packet whose index is beyond the bound goes the other way. Where there is none, nothing must be lost: a packet
    /// in one buffer lacks at least 256 bytes (`XDP_PACKET_HEADROOM`) of the 65,536 that a page has at most.
    private func limit(of window: Graph.Window, from end: UInt32) -> UInt32 {
        let last =
            graph.blocks.lazy.flatMap(\.instructions).compactMap { value -> UInt32? in
                guard case .requireEnd(let other, let end)? = graph.instruction(value), other.nearest == window else {
                    return nil
                }
                return end <= farthest ? end : nil
            }.max() ?? end
        return max(end, hasRest ? last : min(last, end + 256))
    }

    private mutating func moveOn(_ register: MachineRegister, by distance: Int) {
        if distance != 0 { append(.alu64(.add, .r0, Int32(distance)), dst: register) }
    }

    private func isBeyondEnd(_ register: MachineRegister) -> MachineCondition {
        MachineCondition(comparison: .greater, is64: true, left: register, right: .register(dataEnd!))
    }

    /// Lets the verifier know that a number is not above `limit`, where it does not see that itself.
    mutating func bound(_ value: Value, below limit: UInt32, orGoTo block: Int) {
        guard verifiedBound(value) > limit else { return }
        // After some operations the verifier takes the upper half for anything; a comparison of 64 bits tells it.
        jump(
            to: block,
            if: MachineCondition(
                comparison: .greater, is64: true, left: operand(value), right: .constant(Int32(limit))))
    }

    // MARK: Copies

    /// Copies `window` from `start` to `end` to the stack and returns where on it the window begins; fails where the
    /// packet has no such bytes.
    private mutating func emitCopyCall(
        of window: Graph.Window, from start: UInt32, upTo end: UInt32, by helper: PacketAccess.CopyHelper
    ) -> Int {
        let place = places[window]
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
        if let index = window.index {
            append(.move32(.r0, .r0), dst: MachineRegister(.r2), src: operand(index))
            if start != 0 { append(.alu32(.add, .r0, Int32(bitPattern: start)), dst: MachineRegister(.r2)) }
        } else {
            append(.move32(.r0, start), dst: MachineRegister(.r2))
        }
        append(.move64(.r0, .r0), dst: MachineRegister(.r3), src: .frame)
        append(.alu64(.add, .r0, Int32(place + Int(start - window.start))), dst: MachineRegister(.r3))
        append(.move32(.r0, end - start), dst: MachineRegister(.r4))
        appendCall(helper.rawValue, arguments: 4)
        let failed = failureAfterCall
        jump(
            to: failed,
            if: MachineCondition(comparison: .notEqual, is64: true, left: .result, right: .constant(0)))
        // The helper's 0 is the result of a filter that fails, but for verdicts.
        if graph.failure != 0 { setResult(graph.failure) }
        return place
    }

    private mutating func emitCopy(of window: Graph.Window, upTo end: UInt32, by helper: PacketAccess.CopyHelper) {
        // What has been copied already stays where it is.
        let start = cursors[window]?.end ?? window.start
        guard start < end else { return }
        let place = emitCopyCall(of: window, from: start, upTo: end, by: helper)
        cursors[window] = Cursors.Cursor(register: .frame, position: Int(window.start) - place, end: end)
    }
}

extension Graph.Window {
    /// The window itself, or for one near the packet's start that of the register that begins there.
    fileprivate var nearest: Graph.Window { index == nil && start < 31_000 ? .packetStart : self }
}
