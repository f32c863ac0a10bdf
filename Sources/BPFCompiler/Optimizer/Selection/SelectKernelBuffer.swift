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
    private var prefixLimit: UInt32 { copies ? 128 : 32_000 }

    /// Whether what is not in the linear part is copied where it is asked for.
    private var copies: Bool { access == .kernelBuffer(copying: true) }

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
        if kernelBuffer.shift != nil { emitLeastReadable(readable) }
        setResult(graph.failure)
        if access != .probes { cursors[.packetStart] = Cursors.Cursor(register: data, position: 0, end: 0) }
    }

    /// Finds out how many of the packet's bytes are at `data`, which has been told.
    private mutating func emitToldReadable() {
        let (readable, rest) = (function.makeRegister(), function.makeRegister())
        kernelBuffer.readable = readable
        emitProbe(ofWords: "len", into: readable, and: "data_len", into: rest, from: kernelBuffer.buffer!)
        append(.alu64(.subtract, .r0, .r0), dst: readable, src: rest)
        append(.alu64(.add, .r0, .r0), dst: readable, src: kernelBuffer.shift)
        emitLeastReadable(readable)
        setResult(graph.failure)
    }

    /// Where in the context the pointer to the packet's `struct sk_buff` is, in bytes.
    private var bufferPlace: Int16 {
        target.hook.context == .netfilter
            ? 8 : target.hook.place(ofArgument: options.socketBufferArgument!, on: options.architecture)!
    }

    /// How far in front of the kernel's `data` the packet begins for us; negative if behind that. It begins with its
    /// Ethernet header, or with its network header.
    private mutating func emitShift() {
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
    private mutating func emitLeastReadable(_ readable: MachineRegister) {
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

    private mutating func appendCall(ofKernelFunction name: String, arguments: Int) {
        var call = make(ExtendedBPF.Instruction(.call, srcReg: .r2), .kernelFunction(name))
        call.argumentCount = arguments
        function.blocks[current].instructions.append(call)
    }

    // MARK: Metadata

    /// An extension, from the members of the kernel's structures.
    mutating func emitKernelMetadata(_ ext: Extension, into result: MachineRegister) {
        let buffer = kernelBuffer.buffer!
        switch ext {
        case .proto: emitBigEndianMember("protocol", into: result)
        case .vlanTPID: emitBigEndianMember("vlan_proto", into: result)
        case .mark: appendMember(.word, "mark", into: result, from: buffer)
        case .queue: appendMember(.halfword, "queue_mapping", into: result, from: buffer)
        case .rxhash: appendMember(.word, "hash", into: result, from: buffer)
        case .vlanTCI: appendMember(.halfword, "vlan_tci", into: result, from: buffer)
        case .vlanAvail:
            appendMember(.word, "vlan_all", into: result, from: buffer)
            // 1 for what is not 0: the negative of such a number, or the number, has the highest bit set.
            let negative = function.makeRegister()
            append(.move32(.r0, .r0), dst: negative, src: result)
            append(.negate32(.r0), dst: negative)
            append(.alu32(.or, .r0, .r0), dst: result, src: negative)
            append(.alu32(.shiftRight, .r0, 31), dst: result)
        case .type:
            appendMember(.byte, "__pkt_type_offset", into: result, from: buffer)
            // The first three bits of the byte, which are the highest on a big-endian machine: 5 keeps its bits there.
            let distance = function.makeRegister()
            append(.move32(.r0, 5), dst: distance)
            append(.bigEndian(.r0, bits: 16), dst: distance)
            append(.alu32(.and, .r0, 5), dst: distance)
            append(.alu32(.shiftRight, .r0, .r0), dst: result, src: distance)
            append(.alu32(.and, .r0, 7), dst: result)
        case .ifidx: emitDeviceMember(.word, "ifindex", into: result, of: buffer)
        case .hatype: emitDeviceMember(.halfword, "type", into: result, of: buffer)
        default: preconditionFailure("the hook does not have \(ext)")
        }
    }

    private mutating func emitBigEndianMember(_ member: String, into result: MachineRegister) {
        appendMember(.halfword, member, into: result, from: kernelBuffer.buffer!)
        append(.bigEndian(.r0, bits: 16), dst: result)
    }

    private mutating func emitDeviceMember(
        _ size: Size, _ member: String, into result: MachineRegister, of buffer: MachineRegister
    ) {
        let device = function.makeRegister()
        appendMember(.doubleword, "dev", into: device, from: buffer)
        // Reading behind a null pointer gives 0, of which the verifier does not want to hear before it is a member's.
        appendMember(size, member, into: result, from: device, of: "net_device")
    }

    /// The hardware type of the packet's device where the context is a `struct __sk_buff`, which has no member for it.
    ///
    /// - Throws: ``CompilerError`` where the kernel's own structure is out of reach.
    mutating func emitHardwareType(into result: MachineRegister) throws(CompilerError) {
        let kernel = options.kernel(for: target.hook)
        guard kernel >= .kernelContext else {
            throw CompilerError(
                .needsKernel(feature: "the extension hatype", .kernelContext, target: kernel), at: origin)
        }
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
        appendCall(ofKernelFunction: "bpf_cast_to_kern_ctx", arguments: 1)
        emitDeviceMember(.halfword, "type", into: result, of: .result)
        setResult(graph.failure)
    }

    // MARK: Checks

    /// Makes sure that the packet reaches `end` behind the index of `window`, and finds a register to load through.
    mutating func emitKernelBufferCheck(of window: Graph.Window, upTo end: UInt32) {
        if isInPrefix(window) {
            emitPrefixCheck(upTo: end)
        } else {
            emitWindowCheck(of: window, upTo: end)
        }
    }

    /// All of the packet up to `end`, be it in the linear part or in a copy.
    private mutating func emitPrefixCheck(upTo end: UInt32) {
        guard let cursor = cursors[.packetStart], cursor.end < end else { return }
        if !copies {
            let (isReadable, join, miss) = (isReadable(upTo: end), function.makeBlock(), missExit)
            self.end(with: .branch(isReadable, then: join, otherwise: miss))
            current = join
            cursors[.packetStart] = Cursors.Cursor(register: data!, position: 0, end: end)
            return
        }
        let (copy, join) = (function.makeBlock(), function.makeBlock())
        self.end(with: .branch(isReadable(upTo: end), then: join, otherwise: copy))
        current = copy
        function.blocks[copy].isRare = true
        let prefix = ends.filter { $0.key.index == nil && $0.value <= prefixLimit }.map(\.value).max()!
        let place = kernelBuffer.prefixPlace ?? function.reserveStack(Int(prefix))
        kernelBuffer.prefixPlace = place
        emitCopyCall(from: (nil, 0), count: end, to: place)
        emitCast(ofStackAt: place, into: data!)
        append(.move32(.r0, end), dst: kernelBuffer.readable)
        setResult(graph.failure)
        self.end(with: .jump(join))
        current = join
        cursors[.packetStart] = Cursors.Cursor(register: data!, position: 0, end: end)
    }

    func isReadable(upTo end: UInt32) -> MachineCondition {
        MachineCondition(
            comparison: .greater, is64: !options.isa.hasJump32, left: kernelBuffer.readable!,
            right: .constant(Int32(end - 1)))
    }

    /// What is behind an index or far from the start, through a register of its own.
    private mutating func emitWindowCheck(of window: Graph.Window, upTo end: UInt32) {
        let register = pointerRegister(of: window)
        // Loads reach 32,767 bytes from their register.
        let position = end <= Int16.max ? 0 : window.start
        let (copy, join) = (copies ? function.makeBlock() : missExit, function.makeBlock())
        if end < farthestLinear {
            if let index = window.index {
                // A sum of 64 bits: two numbers of 32 do not exceed it.
                let reach = function.makeRegister()
                append(.move64(.r0, .r0), dst: reach, src: operand(index))
                append(.alu64(.add, .r0, Int32(end)), dst: reach)
                jump(
                    to: copy,
                    if: MachineCondition(
                        comparison: .greater, is64: true, left: reach, right: .register(kernelBuffer.readable!)))
                // The verifier takes the sum for a pointer only if it began as one.
                append(.move64(.r0, .r0), dst: register, src: data)
                append(.alu64(.add, .r0, .r0), dst: register, src: operand(index))
            } else {
                let linear = function.makeBlock()
                self.end(with: .branch(isReadable(upTo: end), then: linear, otherwise: copy))
                current = linear
                append(.move64(.r0, .r0), dst: register, src: data)
            }
            if position != 0 { append(.alu64(.add, .r0, Int32(position)), dst: register) }
            self.end(with: .jump(join))
        } else {
            self.end(with: .jump(copy))
        }
        cursors[window] = Cursors.Cursor(register: register, position: Int(position), end: end)
        if !copies {
            isAbandoned = end >= farthestLinear
            current = join
            return
        }
        current = copy
        function.blocks[copy].isRare = true
        let place = places[window] - kernelBuffer.stackSize
        emitCopyCall(from: (window.index, window.start), count: end - window.start, to: place)
        emitCast(ofStackAt: place + Int(position) - Int(window.start), into: register)
        setResult(graph.failure)
        self.end(with: .jump(join))
        current = join
    }

    private mutating func emitCast(ofStackAt place: Int, into result: MachineRegister) {
        emitStackAddress(place, into: MachineRegister(.r1))
        emitCast(into: result)
    }

    // MARK: Copies

    /// Copies `count` bytes of the packet to the stack at `place`; fails where it has no such bytes.
    private mutating func emitCopyCall(
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
    private mutating func emitCopyCall(
        from start: (index: Value?, offset: UInt32), count: UInt32, to place: Int, behind shift: MachineRegister
    ) {
        // How many of the bytes lie in front.
        let before = function.makeRegister()
        append(.move64(.r0, .r0), dst: before, src: shift)
        if let index = start.index {
            append(.alu64(.subtract, .r0, .r0), dst: before, src: operand(index))
        }
        if start.offset != 0 {
            let offset = function.makeRegister()
            append(.move32(.r0, start.offset), dst: offset)
            append(.alu64(.subtract, .r0, .r0), dst: before, src: offset)
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
    private mutating func emitStraddlingCopy(
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
    private static let dynptrRead: Int32 = 201

    /// Makes the stack's `struct bpf_dynptr` one for the packet.
    private mutating func emitDynptr() {
        let place = kernelBuffer.dynptrPlace ?? function.reserveStack(16)
        kernelBuffer.dynptrPlace = place
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: kernelBuffer.buffer)
        append(.move64(.r0, 0), dst: MachineRegister(.r2))
        emitStackAddress(place, into: MachineRegister(.r3))
        // Where it fails, so does reading.
        appendCall(ofKernelFunction: "bpf_dynptr_from_skb", arguments: 3)
    }

    /// Copies `count` bytes, from the offset in `r4` on.
    private mutating func emitDynptrRead(_ count: UInt32, to place: Int) {
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

    private mutating func emitOffset(_ start: (index: Value?, offset: UInt32), into result: MachineRegister) {
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
