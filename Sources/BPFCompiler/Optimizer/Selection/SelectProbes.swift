import ClassicBPF
import ExtendedBPF

// Packets and their `struct sk_buff` read by `bpf_probe_read_kernel`, where the verifier lets no load reach them.
//
// The helper copies from any address of the kernel's to the stack, and fills that with zeros where nothing is. What is
// copied so was looked for inside the packet's linear part before.

extension Selector {
    /// Finds the way to members of the kernel's structures, from `buffer`, a `struct sk_buff`.
    ///
    /// A typed argument is a pointer that loads go through. An untyped one is a number, which later kernels cast to such
    /// a pointer; for earlier ones each member is copied.
    mutating func prepareMembers(of buffer: MachineRegister) {
        if target.hook.hasTypedArguments { return }
        if access == .probes {
            kernelBuffer.memberPlace = function.reserveStack(16)
            kernelBuffer.stackSize = function.stackSize
        } else {
            append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: buffer)
            emitCast(into: buffer, type: .kernelType("sk_buff"))
            setResult(graph.failure)
        }
    }

    /// Whether the entry tells where the packet begins, as ``EntryMembers`` does.
    var isTold: Bool { access == .probes && target.hook.context == .tracing && !target.hook.hasTypedArguments }

    /// Takes what the entry tells.
    mutating func takeBegin() {
        let (begin, shift) = (function.makeRegister(), function.makeRegister())
        append(.move64(.r0, .r0), dst: begin, src: MachineRegister(.r2))
        append(.move64(.r0, .r0), dst: shift, src: MachineRegister(.r3))
        data = begin
        kernelBuffer.shift = shift
    }

    /// `result = source->first`, `other = source->second`, members of four bytes that lie side by side. Were they not so
    /// on some kernel, its verifier would say so.
    mutating func emitProbe(
        ofWords first: String, into result: MachineRegister, and second: String, into other: MachineRegister,
        from source: MachineRegister
    ) {
        let place = kernelBuffer.memberPlace!
        let fields = [first, second].map { Reference.kernelField(structure: "sk_buff", member: $0) }
        append(.move64(.r0, .r0), dst: MachineRegister(.r3), src: source)
        append(.alu64(.add, .r0, 0), dst: MachineRegister(.r3), fields[0])
        emitStackAddress(place, into: MachineRegister(.r1))
        append(.move32(.r0, 8), dst: MachineRegister(.r2))
        appendCall(Self.probeRead, arguments: 3)
        // The verifier lets nothing be subtracted from a pointer to the stack.
        let (address, distance) = (function.makeRegister(), function.makeRegister())
        append(.move64(.r0, 0), dst: distance)
        append(.alu64(.add, .r0, 0), dst: distance, fields[1])
        append(.move64(.r0, 0), dst: address)
        append(.alu64(.add, .r0, 0), dst: address, fields[0])
        append(.alu64(.subtract, .r0, .r0), dst: distance, src: address)
        emitStackAddress(place, into: address)
        append(.alu64(.add, .r0, .r0), dst: address, src: distance)
        append(.load(.word, .r0, .r0, Int16(place)), dst: result, src: .frame)
        append(.load(.word, .r0, .r0, 0), dst: other, src: address)
    }

    /// At some tracepoints there may be no packet, of which the verifier wants to hear where it knows the types. The
    /// entry makes sure of it everywhere.
    mutating func emitNullCheck(of buffer: MachineRegister) {
        let failed = failureExit
        jump(
            to: failed,
            if: MachineCondition(comparison: .equal, is64: true, left: buffer, right: .constant(0)))
    }

    /// `result = source->member`, through the stack.
    mutating func emitProbe(
        of field: Reference, _ size: Size, into result: MachineRegister, from source: MachineRegister,
        through place: Int
    ) {
        append(.move64(.r0, .r0), dst: MachineRegister(.r3), src: source)
        append(.alu64(.add, .r0, 0), dst: MachineRegister(.r3), field)
        emitStackAddress(place, into: MachineRegister(.r1))
        append(.move32(.r0, UInt32(size.bytes)), dst: MachineRegister(.r2))
        appendCall(Self.probeRead, arguments: 3)
        append(.load(size, .r0, .r0, Int16(place)), dst: result, src: .frame)
        setResult(graph.failure)
    }

    /// Makes sure that the linear part reaches `end` behind the index of `window`, and copies what is not yet there.
    mutating func emitProbe(of window: Graph.Window, upTo end: UInt32) {
        let start = cursors[window]?.end ?? window.start
        guard start < end else { return }
        let miss = missExit
        guard end < farthestLinear else {
            self.end(with: .jump(miss))
            isAbandoned = true
            return
        }
        if let index = window.index {
            // A sum of 64 bits: two numbers of 32 do not exceed it.
            let reach = function.makeRegister()
            append(.move64(.r0, .r0), dst: reach, src: operand(index))
            append(.alu64(.add, .r0, Int32(end)), dst: reach)
            jump(
                to: miss,
                if: MachineCondition(
                    comparison: .greater, is64: true, left: reach, right: .register(kernelBuffer.readable!)))
        } else {
            let inside = function.makeBlock()
            self.end(with: .branch(isReadable(upTo: end), then: inside, otherwise: miss))
            current = inside
        }
        let place = places[window] - kernelBuffer.stackSize
        let source = MachineRegister(.r3)
        append(.move64(.r0, .r0), dst: source, src: data)
        if let index = window.index { append(.alu64(.add, .r0, .r0), dst: source, src: operand(index)) }
        if start != 0 { append(.alu64(.add, .r0, Int32(start)), dst: source) }
        emitStackAddress(place + Int(start - window.start), into: MachineRegister(.r1))
        append(.move32(.r0, end - start), dst: MachineRegister(.r2))
        appendCall(Self.probeRead, arguments: 3)
        failIfNotZero()
        if graph.failure != 0 { setResult(graph.failure) }
        cursors[window] = Cursors.Cursor(register: .frame, position: Int(window.start) - place, end: end)
    }
}
