import ExtendedBPF

/// Searches the packet for a netlink attribute of type X, from offset A on (`nla`) or inside the attribute there
/// (`nlan`), and returns its offset, or 0.
///
/// An attribute is a length of 16 bits that counts itself, a type of 16 bits, both in host order, and the payload; the
/// next one starts at a multiple of 4 bytes. Like the kernel's, the search finds nothing in a packet of which bytes are
/// outside the linear part. Source: netlink(7); the rest was tried on a running kernel.
///
/// The verifier has to see that the search ends, so it gives up after ``rounds`` attributes and finds nothing. So many
/// are 64 KiB, if none has a payload. The verifier goes through all of them for each place the function is called from
/// (26 instructions each, of 1,000,000); from three places on they share twice that number.
struct NetlinkSearch {
    /// The most attributes looked at where there are no more than two calls.
    static let rounds: UInt32 = 16_384

    private static let headerSize: Int32 = 4
    /// The upper two bits of a type are flags.
    private static let typeMask: Int32 = 0x3fff

    // Where what has to outlive calls is kept.
    private let context = Register.r6
    private let offset = Register.r7
    /// The last offset at which a header can be.
    private let last = Register.r8
    private let roundsLeft = Register.r9
    private let header: Int16 = -8
    private let type: Int16 = -16

    private let hook: Hook
    private let rounds: UInt32
    private var assembler: Assembler
    private let nothing: Assembler.Label
    private let end: Assembler.Label

    /// The function `name` for a program that calls it, or one like it, from `callCount` places.
    static func function(named name: String, isNested: Bool, for hook: Hook, callCount: Int) -> Function {
        var search = NetlinkSearch(named: name, hook, callCount)
        search.assembler.mark(line: 1)
        search.emitStart()
        if isNested { search.emitEntering() }
        search.emitLoop()
        // Jumps are short.
        return try! search.assembler.finish()
    }

    private init(named name: String, _ hook: Hook, _ callCount: Int) {
        self.hook = hook
        rounds = min(Self.rounds, 2 * Self.rounds / UInt32(callCount))
        assembler = Assembler(functionNamed: name)
        nothing = assembler.makeLabel()
        end = assembler.makeLabel()
    }

    /// Keeps the arguments, finds nothing in a packet in several parts, and the last place for a header.
    private mutating func emitStart() {
        append(.move64(context, .r1), .move32(offset, .r2), .store(.word, .r10, type, .r3))
        switch hook.host {
        case .socket:
            append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_cast_to_kern_ctx"))
            append(.load(.word, .r1, .r0, 0), .kernelField(structure: "sk_buff", member: "data_len"))
            unless(.jump64(if: .r1, .equal, 0, 0))
            append(ContextField.len.load(into: last, from: context))
        case .xdp:
            // What cannot be loaded leaves the stack as it is; elsewhere it becomes 0.
            append(.store(.word, .r10, header, 0))
            emitFirstPart(into: last, XDPField.data, XDPField.dataEnd)
        case .xdpFrags:
            append(.store(.word, .r10, header, 0), .call(helper: HelperFunction.xdpBufferLength.rawValue))
            emitFirstPart(into: last, XDPField.data, XDPField.dataEnd)
            unless(.jump64(if: .r0, .equal, last, 0))
        default:
            emitFirstPart(into: .r1, ContextField.data.rawValue, ContextField.dataEnd.rawValue)
            append(ContextField.len.load(into: last, from: context))
            unless(.jump64(if: .r1, .equal, last, 0))
        }
        append(.alu64(.add, last, -Self.headerSize))
    }

    /// The length of the part of the packet that pointers reach; destroys `r2`.
    private mutating func emitFirstPart(into result: Register, _ data: Int16, _ dataEnd: Int16) {
        append(
            .load(.word, .r2, context, data), .load(.word, result, context, dataEnd), .alu64(.subtract, result, .r2))
    }

    /// Makes the payload of the attribute at the offset what is searched.
    private mutating func emitEntering() {
        emitHeader()
        append(.move64(last, offset), .alu64(.add, last, .r1), .alu64(.add, offset, Self.headerSize))
    }

    /// Loads the header at the offset and makes `r1` the length of its payload; finds nothing where the attribute does
    /// not fit.
    private mutating func emitHeader() {
        // No need to ask whether that went well: where no header fits, what follows notices too.
        append(
            .move64(.r1, context), .move64(.r2, offset), .move64(.r3, .r10), .alu64(.add, .r3, Int32(header)),
            .move32(.r4, UInt32(Self.headerSize)), .call(helper: copyHelper.rawValue))
        // Neither the length of the payload may be negative nor what is left behind it.
        append(
            .load(.halfword, .r1, .r10, header), .alu64(.add, .r1, -Self.headerSize),
            .move64(.r2, last), .alu64(.subtract, .r2, offset), .alu64(.subtract, .r2, .r1), .alu64(.or, .r2, .r1))
        unless(.jump64(if: .r2, .signedGreaterOrEqual, 0, 0))
    }

    private var copyHelper: PacketAccess.CopyHelper { hook.context == .xdp ? .xdp : .socketBuffer }

    private mutating func emitLoop() {
        let (head, next) = (assembler.makeLabel(), assembler.makeLabel())
        append(.move32(roundsLeft, rounds))
        assembler.place(head)
        emitHeader()
        append(
            .load(.halfword, .r2, .r10, header + 2), .alu32(.and, .r2, Self.typeMask), .load(.word, .r3, .r10, type))
        assembler.append(.jump64(if: .r2, .notEqual, .r3, 0), to: next)
        append(.move32(.r0, offset))
        assembler.append(.jump(0), to: end)
        assembler.place(next)
        append(.alu64(.add, .r1, Self.headerSize + 3), .alu64(.and, .r1, -4), .alu64(.add, offset, .r1))
        append(.alu64(.add, roundsLeft, -1))
        assembler.append(.jump64(if: roundsLeft, .notEqual, 0, 0), to: head)
        assembler.place(nothing)
        emitZero()
        assembler.place(end)
        append(.exit)
    }

    /// `r0 = 0`, without the verifier seeing it: it takes the difference of a number with itself for any number.
    ///
    /// Else it would go through all that follows the call for 0, and then once more for other results.
    private mutating func emitZero() {
        let number = hook.context == .xdp ? XDPField.ingressIfindex : ContextField.len.rawValue
        append(.load(.word, .r0, context, number), .load(.word, .r1, context, number), .alu32(.subtract, .r0, .r1))
    }

    /// Finds nothing unless `jump` is taken.
    ///
    /// The verifier looks at the way that is not taken first. So that has to be the end: it keeps the others in mind,
    /// and not as many as there are rounds.
    private mutating func unless(_ jump: Instruction) {
        let next = assembler.makeLabel()
        assembler.append(jump, to: next)
        assembler.append(.jump(0), to: nothing)
        assembler.place(next)
    }

    private mutating func append(_ instructions: Instruction...) {
        for instruction in instructions { assembler.append(instruction) }
    }

    private mutating func append(_ instruction: Instruction, _ reference: Reference) {
        assembler.append(instruction, reference)
    }
}
