import ClassicBPF
import ExtendedBPF

/// How a program of a hook reads packets.
enum PacketAccess: Hashable, Sendable {
    /// Through pointers to the packet's first part, and through a helper function what is not in that; nil where the
    /// first part is the whole packet.
    case direct(otherwise: CopyHelper?)
    /// Through copies on the stack.
    case copies(CopyHelper)

    /// A helper function that copies bytes of the packet: `(context, offset, to, count)`, 0 where they are there.
    enum CopyHelper: Int32, Hashable, Sendable {
        /// `bpf_skb_load_bytes`
        case socketBuffer = 26
        /// `bpf_xdp_load_bytes`
        case xdp = 189
    }

    init(for hook: Hook, _ graph: Graph) {
        switch hook.host {
        case .xdp: self = .direct(otherwise: nil)
        case .xdpFrags: self = .direct(otherwise: .xdp)
        case .socket: self = .copies(.socketBuffer)
        default: self = .direct(otherwise: .socketBuffer)
        }
    }

    /// The most bytes from the first to the last of what is checked as one: what is copied has to fit the stack, and
    /// a load reaches 32,767 bytes from its pointer.
    var windowSize: UInt32 {
        switch self {
        case .direct(nil): 32_000
        case .direct, .copies: 64
        }
    }
}

extension PacketAccess {
    /// The most bytes a packet can have: of XDP's, pointers and the helper function reach 65,535.
    var packetSize: UInt32 {
        switch self {
        case .direct(nil), .direct(.xdp?): 0xffff
        case .direct, .copies: .max
        }
    }
}

extension Selector {
    /// The most bytes from the packet's start that a pointer of the verifier's reaches (`MAX_PACKET_OFF`).
    private var farthest: UInt32 { 0xffff }

    /// Fetches the pointers that packet access needs.
    mutating func emitAccessPrologue() {
        guard case .direct(let helper) = access else { return }
        let data = function.makeRegister()
        self.data = data
        dataEnd = function.makeRegister()
        loadPointers()
        // Without copies the one register moves through the packet; with them it has to be there for later checks.
        if helper == nil { cursors[.packetStart] = Cursors.Cursor(register: data, position: 0, end: 0) }
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
        guard case .direct(nil) = access, let cursor = cursors[.packetStart] else {
            append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
            appendCall(HelperFunction.xdpBufferLength.rawValue, arguments: 1)
            append(.move32(.r0, .r0), dst: result, src: .result)
            setResult(graph.failure)
            return
        }
        append(.move64(.r0, .r0), dst: result, src: dataEnd)
        append(.alu64(.subtract, .r0, .r0), dst: result, src: cursor.register)
        if cursor.position != 0 { append(.alu64(.add, .r0, Int32(cursor.position)), dst: result) }
    }

    /// `result = *(size *)` at an address that has been checked.
    mutating func emitLoad(_ size: Operation.Size, _ address: Graph.Address, into result: MachineRegister) {
        guard let window = cursors.window(behind: address.index, holding: address.offset),
            let cursor = cursors[window],
            let distance = Int16(exactly: Int(address.offset) - cursor.position)
        else { preconditionFailure("a load whose bytes have not been required") }
        append(.load(size.machine, .r0, .r0, distance), dst: result, src: cursor.register)
    }

    /// Makes sure that the packet reaches `end` behind the index of `window`, and finds a register to load through.
    mutating func emitCheck(of window: Graph.Window, upTo end: UInt32) {
        switch access {
        case .direct(nil): emitDirectCheck(of: window, upTo: end)
        case .direct(let helper?): emitDirectCheck(of: window, upTo: end, orCopyBy: helper)
        case .copies(let helper): emitCopy(of: window, upTo: end, by: helper)
        }
    }

    // MARK: Pointers to the whole packet

    private mutating func emitDirectCheck(of window: Graph.Window, upTo end: UInt32) {
        let failure = failureExit
        var window = window
        let start = cursors[.packetStart]!
        // What is near the packet's start is found through the register that began there.
        if window.index == nil, window.start < 31_000 { window = .packetStart }
        let register: MachineRegister
        if let cursor = cursors[window] {
            register = cursor.register
            moveOn(register, by: Int(end) - cursor.position)
        } else {
            register = pointerRegister(of: window)
            if let index = window.index {
                bound(index, below: farthest - end, orGoTo: failure)
                append(.move64(.r0, .r0), dst: register, src: operand(index))
                append(.alu64(.add, .r0, .r0), dst: register, src: start.register)
            } else {
                append(.move64(.r0, .r0), dst: register, src: start.register)
            }
            moveOn(register, by: Int(end) - start.position)
        }
        jump(to: failure, if: isBeyondEnd(register))
        cursors[window] = Cursors.Cursor(register: register, position: Int(end), end: end)
    }

    private mutating func moveOn(_ register: MachineRegister, by distance: Int) {
        if distance != 0 { append(.alu64(.add, .r0, Int32(distance)), dst: register) }
    }

    private func isBeyondEnd(_ register: MachineRegister) -> MachineCondition {
        MachineCondition(comparison: .greater, is64: true, left: register, right: .register(dataEnd!))
    }

    /// Lets the verifier know that a number is not above `limit`, where it does not see that itself.
    private mutating func bound(_ value: Value, below limit: UInt32, orGoTo block: Int) {
        guard verifiedBound(value) > limit else { return }
        let is64 = !options.isa.hasJump32
        jump(
            to: block,
            if: MachineCondition(
                comparison: .greater, is64: is64, left: operand(value), right: .constant(Int32(limit))))
    }

    // MARK: Pointers to the first part, and copies of the rest

    private mutating func emitDirectCheck(
        of window: Graph.Window, upTo end: UInt32, orCopyBy helper: PacketAccess.CopyHelper
    ) {
        let register = pointerRegister(of: window)
        let (copy, join) = (function.makeBlock(), function.makeBlock())
        // In a loop the verifier would walk both ways in each round, and from both through all rounds that follow.
        if end <= farthest && !isInLoop {
            if let index = window.index {
                bound(index, below: farthest - end, orGoTo: copy)
                append(.move64(.r0, .r0), dst: register, src: operand(index))
                append(.alu64(.add, .r0, .r0), dst: register, src: data)
            } else {
                append(.move64(.r0, .r0), dst: register, src: data)
            }
            moveOn(register, by: Int(end))
            self.end(with: .branch(isBeyondEnd(register), then: copy, otherwise: join))
        } else {
            self.end(with: .jump(copy))
        }
        current = copy
        function.blocks[copy].isRare = true
        let place = emitCopyCall(of: window, from: window.start, upTo: end, by: helper)
        append(.move64(.r0, .r0), dst: register, src: .frame)
        append(.alu64(.add, .r0, Int32(place + Int(end - window.start))), dst: register)
        loadPointers()
        self.end(with: .jump(join))
        current = join
        cursors[window] = Cursors.Cursor(register: register, position: Int(end), end: end)
    }

    /// Copies `window` from `start` to `end` to the stack and returns where on it the window begins; fails where the
    /// packet has no such bytes.
    private mutating func emitCopyCall(
        of window: Graph.Window, from start: UInt32, upTo end: UInt32, by helper: PacketAccess.CopyHelper
    ) -> Int {
        let place = stackPlace(of: window)
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

    // MARK: Copies

    private mutating func emitCopy(of window: Graph.Window, upTo end: UInt32, by helper: PacketAccess.CopyHelper) {
        // What has been copied already stays where it is.
        let start = cursors[window]?.end ?? window.start
        let place = emitCopyCall(of: window, from: start, upTo: end, by: helper)
        cursors[window] = Cursors.Cursor(register: .frame, position: Int(window.start) - place, end: end)
    }
}
