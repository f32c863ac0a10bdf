import ExtendedBPF

/// Follows the headers of a packet to its payload and returns the offset of that, or 0 where a header is not whole or a
/// protocol is unknown: the extension `poff`, which the kernel answers by its flow dissector.
///
/// The search ends where the kernel's does, after fifteen headers at the latest, so that nothing is different. What the
/// kernel knows besides the bytes, the protocol and the place of the network header, comes from its own
/// `struct sk_buff`. On XDP there is none yet; the bytes say what it will be.
///
/// Not followed are the tags of switches (DSA, at the device that leads to the switch), and a program that has been
/// attached to the network namespace in the place of the dissector is not asked.
/// Source: the protocols' specifications; which of them the kernel follows was tried on Linux 6.18.
struct PayloadSearch {
    /// How many headers are gone on to, at most.
    private static let maximumHeaders: Int32 = 15

    // Where what has to outlive calls is kept.
    let context = Register.r6
    /// Where the header that is looked at begins, negative in front of the packet; at last the result.
    let offset = Register.r7
    /// The protocol of the header, an EtherType.
    let proto = Register.r8
    private let headersLeft = Register.r9
    let length: Int16 = -8
    /// How many bytes are in the linear part.
    let linearLength: Int16 = -16
    /// What an IP header or one behind it has announced last.
    let transport: Int16 = -24
    /// The protocol behind the VLAN tag that is beside the bytes, or what is no protocol where that is done with.
    let taggedProtocol: Int16 = -32
    /// 0 and what is no protocol, −1, without the verifier knowing.
    let zero: Int16 = -48
    let noProtocol: Int16 = -56
    /// Where the packet begins for us somewhere else than for the kernel, how far in front of that.
    let shift: Int16 = -64
    /// What is yet to be added to the offset.
    let headerLength: Int16 = -40
    /// The bytes of stack of both functions, as the verifier rounds them.
    static let stackSize = 64 + 32

    let hook: Hook
    /// What the packets begin with.
    let linkLayer: Hook.LinkLayer
    /// Where in the context the pointer to the kernel's structure of the packet is, if it is there.
    let bufferPlace: Int16?
    private let reader: String
    var assembler: Assembler
    let places: Places

    /// The parts of the function.
    struct Places {
        /// A header of the protocol at the offset.
        let network: Assembler.Label
        /// A header of what the transport is, there.
        let transport: Assembler.Label
        /// The same where they are one more of those that are counted.
        let nextNetwork: Assembler.Label
        let nextTransport: Assembler.Label
        /// The end at the offset, but for the last header.
        let found: Assembler.Label
        /// The end at the offset.
        let foundFragment: Assembler.Label
        let nothing: Assembler.Label
    }

    /// The functions: the one called `name`, and one that it calls.
    static func functions(named name: String, for hook: Hook, _ options: CompilerOptions) -> [Function] {
        let reader = "\(name)_read"
        var search = PayloadSearch(named: name, reader, hook, options)
        search.assembler.mark(line: 1)
        search.append(.move64(search.context, .r1))
        search.emitStart()
        search.append(.move64(search.headersLeft, maximumHeaders))
        search.emitNetworkHeaders()
        search.emitTransportHeaders()
        search.emitNext()
        search.emitEnd()
        // Jumps are short.
        return [try! search.assembler.finish(), PayloadReader.function(named: reader, for: hook, search.bufferPlace)]
    }

    private init(named name: String, _ reader: String, _ hook: Hook, _ options: CompilerOptions) {
        self.hook = hook
        linkLayer = options.linkLayer ?? hook.linkLayer
        bufferPlace =
            switch hook.context {
            case .socketBuffer, .xdp: nil
            case .netfilter: 8
            case .tracing: hook.place(ofArgument: options.socketBufferArgument!, on: options.architecture)!
            }
        self.reader = reader
        var assembler = Assembler(functionNamed: name)
        places = Places(
            network: assembler.makeLabel(), transport: assembler.makeLabel(), nextNetwork: assembler.makeLabel(),
            nextTransport: assembler.makeLabel(), found: assembler.makeLabel(), foundFragment: assembler.makeLabel(),
            nothing: assembler.makeLabel())
        self.assembler = assembler
    }

    // MARK: The end

    private mutating func emitNext() {
        for (next, place) in [(places.nextNetwork, places.network), (places.nextTransport, places.transport)] {
            assembler.place(next)
            jump(to: places.found, if: .jump64(if: headersLeft, .equal, 0, 0))
            append(.alu64(.add, headersLeft, -1), .load(.doubleword, .r1, .r10, zero), .alu64(.xor, proto, .r1))
            go(to: place)
        }
    }

    private mutating func emitEnd() {
        let (done, short, long) = (assembler.makeLabel(), assembler.makeLabel(), assembler.makeLabel())
        assembler.place(places.found)
        emitEndInPacket()
        append(.load(.doubleword, .r1, .r10, transport))
        for number: Int32 in [1, 2, 17, 58, 136] { jump(to: short, if: .jump64(if: .r1, .equal, number, 0)) }
        for number: Int32 in [33, 132] { jump(to: long, if: .jump64(if: .r1, .equal, number, 0)) }
        jump(to: done, if: .jump64(if: .r1, .notEqual, 6, 0))
        emitTCPHeader(done)
        assembler.place(short)
        append(.alu64(.add, offset, 8))
        go(to: done)
        assembler.place(long)
        append(.alu64(.add, offset, 12))
        go(to: done)
        assembler.place(places.foundFragment)
        emitEndInPacket()
        go(to: done)
        assembler.place(places.nothing)
        append(.move64(offset, 0))
        assembler.place(done)
        append(.load(.doubleword, .r0, .r10, zero), .alu64(.xor, .r0, offset), .move32(.r0, .r0), .exit)
    }

    /// The kernel counts in 16 bits, and takes the packet's end where a header announces more than there is.
    private mutating func emitEndInPacket() {
        let fits = assembler.makeLabel()
        append(
            .alu64(.and, offset, 0xffff), .load(.doubleword, .r1, .r10, length), .alu64(.and, .r1, 0xffff))
        jump(to: fits, if: .jump64(if: .r1, .greaterOrEqual, offset, 0))
        append(.move64(offset, .r1))
        assembler.place(fits)
    }

    /// At least 20 bytes, where the header says how many, and else none.
    private mutating func emitTCPHeader(_ done: Assembler.Label) {
        let (isThere, atLeast) = (assembler.makeLabel(), assembler.makeLabel())
        // The number is in byte 12, which may be the packet's last.
        emitRead(at: 11)
        jump(to: isThere, if: .jump64(if: .r0, .signedGreater, -1, 0))
        go(to: done)
        assembler.place(isThere)
        append(.alu64(.and, .r0, 0xf0), .alu64(.shiftRight, .r0, 2))
        jump(to: atLeast, if: .jump64(if: .r0, .greaterOrEqual, 20, 0))
        append(.move64(.r0, 20))
        assembler.place(atLeast)
        append(.alu64(.add, offset, .r0))
        go(to: done)
    }

    /// Puts numbers on the stack that the verifier does not know, which takes the difference of a number with itself for
    /// any number; −1 is also in `r3`.
    ///
    /// With numbers it knows it would go through all that follows anew, for each of them. So they are mixed with such
    /// a 0 wherever ways meet: the start, before another header, and at the end, for what follows the call.
    mutating func emitUnknowns() {
        append(
            .load(.doubleword, .r2, .r10, length), .load(.doubleword, .r3, .r10, length), .alu64(.subtract, .r2, .r3),
            .store(.doubleword, .r10, zero, .r2), .store(.doubleword, .r10, transport, .r2), .move64(.r3, -1),
            .alu64(.xor, .r3, .r2), .store(.doubleword, .r10, noProtocol, .r3))
    }

    // MARK: Bytes

    /// Finds nothing where the packet ends less than `count` bytes behind the offset; leaves `r1` as it is.
    mutating func emitPresence(_ count: Int32) {
        append(.move64(.r2, offset), .alu64(.add, .r2, count), .load(.doubleword, .r3, .r10, length))
        jump(to: places.nothing, if: .jump64(if: .r2, .signedGreater, .r3, 0))
    }

    /// `dst = ` the big-endian number of two bytes at a place of the header, which is there; a call.
    mutating func emitHalf(_ dst: Register, _ place: Int32) {
        emitRead(at: place)
        append(.move64(dst, .r0))
    }

    /// `r0 = ` the big-endian number of two bytes at a place behind the offset, −1 where they are not there.
    private mutating func emitRead(at place: Int32) {
        // With an operation in between what is found out about the copy is not known of the offset, which is the same
        // for all the verifier knows wherever it has come from.
        append(.move64(.r1, context), .move64(.r2, offset), .alu64(.or, .r2, 0))
        if place != 0 { append(.alu64(.add, .r2, place)) }
        if hook.context == .tracing { append(.load(.doubleword, .r3, .r10, shift), .alu64(.subtract, .r2, .r3)) }
        assembler.append(.call(localAt: 0), .function(reader))
    }

    // MARK: Instructions

    mutating func jump(to label: Assembler.Label, if jump: Instruction) {
        assembler.append(jump, to: label)
    }

    /// Finds nothing unless `jump` is taken.
    mutating func unless(_ jump: Instruction) {
        let next = assembler.makeLabel()
        assembler.append(jump, to: next)
        go(to: places.nothing)
        assembler.place(next)
    }

    mutating func go(to label: Assembler.Label) {
        assembler.append(.jump(0), to: label)
    }

    mutating func append(_ instructions: Instruction...) {
        for instruction in instructions { assembler.append(instruction) }
    }
}
