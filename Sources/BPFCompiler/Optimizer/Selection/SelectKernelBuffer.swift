import ClassicBPF
import ExtendedBPF

// Packets read through the kernel's own `struct sk_buff`.
//
// `data` points to memory that plain loads may read wherever they reach: the verifier vouches for nothing there and a
// load of nothing reads 0, so it is for us to stay inside. At every point of the program the packet's first
// `readable` bytes are at `data`: at first those are the kernel's own linear part. What is not among them is copied to
// the stack by a helper function, in a block apart; the pointer to the copy becomes one to such memory too, so that the
// verifier sees no difference between the two ways and follows one of them only.

/// The registers of a program that reads packets so.
struct KernelBufferRegisters {
    /// The packet's `struct sk_buff`, where it is needed again.
    var buffer: MachineRegister?
    /// How far in front of the kernel's `data` the packet begins, where that is not the same.
    var shift: MachineRegister?
    /// How many of the packet's bytes are at `data`.
    var readable: MachineRegister?
    /// Where on the stack the copy of the packet's first bytes is.
    var prefixPlace: Int?
    /// Where on the stack the kernel's `struct bpf_dynptr` is that copies go through.
    var dynptrPlace: Int?
    /// The bytes of stack above the copies of windows.
    var stackSize = 0
    /// Where on the stack members of the kernel's structures are copied to, where they are not to be loaded.
    var memberPlace: Int?
}

extension Selector {
    /// What lies before this, and at a fixed place, is read through `data` itself.
    var prefixLimit: UInt32 { copies ? 128 : 32_000 }

    /// Whether what is not in the linear part is copied where it is asked for.
    var copies: Bool { access == .kernelBuffer(copying: true) }

    /// Whether `window` is read through `data` itself.
    func isInPrefix(_ window: Graph.Window) -> Bool { window.index == nil && ends[window]! <= prefixLimit }

    /// By window of `graph`, how far it is asked for at most.
    static func ends(of graph: Graph) -> [Graph.Window: UInt32] {
        var ends: [Graph.Window: UInt32] = [:]
        for block in graph.blocks {
            for value in block.instructions {
                guard case .requireEnd(let window, let end)? = graph.instruction(value) else { continue }
                ends[window] = max(ends[window] ?? 0, end)
            }
        }
        return ends
    }

    /// The farthest that the verifier lets a pointer be moved, exclusive (`BPF_MAX_VAR_OFF`). No linear part is as
    /// large.
    var farthestLinear: UInt32 { 1 << 29 }

    /// Fetches `data` and `readable`.
    mutating func emitKernelBufferPrologue() {
        if target.hook.context != .socketBuffer {
            let buffer = function.makeRegister()
            kernelBuffer.buffer = buffer
            if isTold { takeBegin() }
            append(.load(.doubleword, .r0, .r0, bufferPlace), dst: buffer, src: context)
            if target.hook.context == .tracing {
                if target.hook.hasTypedArguments { emitNullCheck(of: buffer) }
                prepareMembers(of: buffer)
                if !isTold { emitShift() }
            }
        }
        guard !ends.isEmpty else { return }
        if isTold { return emitToldReadable() }
        if copies, options.role == .part, target.hook.context == .netfilter {
            // In the same place in all parts of a function: the verifier lets no helper function write to it.
            kernelBuffer.dynptrPlace = function.reserveStack(16)
            kernelBuffer.stackSize = function.stackSize
        }
        if copies, kernelBuffer.shift != nil {
            kernelBuffer.dynptrPlace = function.reserveStack(16)
            // Of a copy whose place and length it does not know the verifier takes the worst: that it goes twice as
            // far. The copies of windows may be there for all it knows, but nothing it watches.
            _ = function.reserveStack(Int(prefixLimit))
            kernelBuffer.stackSize = function.stackSize
        }
        let (data, readable, rest) = (function.makeRegister(), function.makeRegister(), function.makeRegister())
        self.data = data
        kernelBuffer.readable = readable
        if kernelBuffer.buffer == nil { appendCall(ofKernelFunction: "bpf_cast_to_kern_ctx", arguments: 1) }
        let buffer = kernelBuffer.buffer ?? .result
        let needsCast = access != .probes && options.kernel(for: target.hook) < .plainPacketPointers
        let pointer = needsCast ? MachineRegister(.r1) : data
        appendMember(.doubleword, "data", into: pointer, from: buffer)
        appendMember(.word, "len", into: readable, from: buffer)
        appendMember(.word, "data_len", into: rest, from: buffer)
        if let shift = kernelBuffer.shift {
            append(.alu64(.subtract, .r0, .r0), dst: readable, src: rest)
            append(.alu64(.add, .r0, .r0), dst: readable, src: shift)
            append(.alu64(.subtract, .r0, .r0), dst: pointer, src: shift)
        } else {
            append(.alu32(.subtract, .r0, .r0), dst: readable, src: rest)
        }
        if needsCast { emitCast(into: data) }
        if access == .probes, !loops.isEmpty {
            // From Linux 6.17 on the verifier takes the address for a pointer, and tells rounds of a loop apart by what is
            // added to it. Swapped twice it is the number that it was before.
            append(.bigEndian(.r0, bits: 64), dst: data)
            append(.bigEndian(.r0, bits: 64), dst: data)
        }
        if kernelBuffer.shift != nil { emitLeastReadable(readable) }
        setResult(graph.failure)
        if access != .probes { cursors[.packetStart] = Cursors.Cursor(register: data, position: 0, end: 0) }
    }

    /// Finds out how many of the packet's bytes are at `data`, which has been told.
    mutating func emitToldReadable() {
        let (readable, rest) = (function.makeRegister(), function.makeRegister())
        kernelBuffer.readable = readable
        emitProbe(ofWords: "len", into: readable, and: "data_len", into: rest, from: kernelBuffer.buffer!)
        append(.alu64(.subtract, .r0, .r0), dst: readable, src: rest)
        append(.alu64(.add, .r0, .r0), dst: readable, src: kernelBuffer.shift)
        emitLeastReadable(readable)
        setResult(graph.failure)
    }

    /// Where in the context the pointer to the packet's `struct sk_buff` is, in bytes.
    var bufferPlace: Int16 {
        target.hook.context == .netfilter
            ? 8 : target.hook.place(ofArgument: options.socketBufferArgument!, on: options.architecture)!
    }

    /// How far in front of the kernel's `data` the packet begins for us; negative if behind that. It begins with its
    /// Ethernet header, or with its network header.
    mutating func emitShift() {
        let (shift, head, start) = (function.makeRegister(), function.makeRegister(), function.makeRegister())
        kernelBuffer.shift = shift
        let buffer = kernelBuffer.buffer!
        appendMember(.halfword, "mac_header", into: start, from: buffer)
        if options.linkLayer == .rawIP {
            // Where the network header is yet to be found, the place in its stead is in front of this one.
            let network = function.makeRegister()
            appendMember(.halfword, "network_header", into: network, from: buffer)
            let (replace, join, isSet) = (function.makeBlock(), function.makeBlock(), function.makeBlock())
            end(
                with: .branch(
                    MachineCondition(comparison: .equal, is64: true, left: start, right: .constant(0xffff)),
                    then: replace, otherwise: isSet))
            current = isSet
            end(
                with: .branch(
                    MachineCondition(comparison: .greater, is64: true, left: start, right: .register(network)),
                    then: join, otherwise: replace))
            current = replace
            append(.move64(.r0, .r0), dst: start, src: network)
            end(with: .jump(join))
            current = join
        }
        appendMember(.doubleword, "data", into: shift, from: buffer)
        appendMember(.doubleword, "head", into: head, from: buffer)
        append(.alu64(.subtract, .r0, .r0), dst: shift, src: head)
        append(.alu64(.subtract, .r0, .r0), dst: shift, src: start)
    }

    /// A packet that begins behind its linear part has nothing in it.
    mutating func emitLeastReadable(_ readable: MachineRegister) {
        let (none, join) = (function.makeBlock(), function.makeBlock())
        end(
            with: .branch(
                MachineCondition(comparison: .signedGreater, is64: true, left: readable, right: .constant(0)),
                then: join, otherwise: none))
        current = none
        function.blocks[none].isRare = true
        append(.move64(.r0, 0), dst: readable)
        end(with: .jump(join))
        current = join
    }

    /// The packet's length in bytes, counted from where it begins for us.
    mutating func emitKernelBufferLength(into result: MachineRegister) {
        appendMember(.word, "len", into: result, from: kernelBuffer.buffer!)
        if let shift = kernelBuffer.shift { append(.alu32(.add, .r0, .r0), dst: result, src: shift) }
    }

    /// `result = source->member`, a member of `struct sk_buff`.
    mutating func appendMember(
        _ size: Size, _ member: String, into result: MachineRegister, from source: MachineRegister,
        of structure: String = "sk_buff"
    ) {
        let field = Reference.kernelField(structure: structure, member: member)
        if let place = kernelBuffer.memberPlace {
            emitProbe(of: field, size, into: result, from: source, through: place)
        } else {
            append(.load(size, .r0, .r0, 0), dst: result, src: source, field)
        }
    }

    /// Makes the address in `r1` a pointer to memory that plain loads may read, or to a structure of the kernel's.
    mutating func emitCast(into result: MachineRegister, type: Reference? = nil) {
        append(.move64(.r0, 0), dst: MachineRegister(.r2), type)
        appendCall(ofKernelFunction: "bpf_rdonly_cast", arguments: 2)
        append(.move64(.r0, .r0), dst: result, src: .result)
    }

    mutating func appendCall(ofKernelFunction name: String, arguments: Int) {
        var call = make(ExtendedBPF.Instruction(.call, srcReg: .r2), .kernelFunction(name))
        call.argumentCount = arguments
        function.blocks[current].instructions.append(call)
    }
}
