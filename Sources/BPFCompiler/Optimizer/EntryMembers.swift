import ExtendedBPF

/// How the entry of a program at a tracepoint or function reads members of the packet's `struct sk_buff`, as
/// ``Selector/prepareMembers(of:)`` says.
///
/// Where each has to be copied, neighbours are copied together, and what the entry has found it tells the functions it
/// calls: the address at which the packet begins for them in `r2`, and how far that is in front of `data` in `r3`.
struct EntryMembers {
    private enum Way { case loads, castLoads, probes }
    private let way: Way
    /// Where the pointer to the structure is.
    private var buffer: Register { way == .loads ? .r3 : .r7 }
    /// Where the stack has room for members.
    private let place: Int16 = -16

    init(_ hook: Hook, _ options: CompilerOptions) {
        if hook.hasTypedArguments {
            way = .loads
        } else {
            way = options.kernel(for: hook) < .plainKernelMemory ? .probes : .castLoads
        }
    }

    /// Fetches the pointer to the structure, which is at `place` in the context. At some tracepoints there may be none.
    func start(from place: Int16, orGoTo isNone: Assembler.Label, _ assembler: inout Assembler) {
        if way != .loads { assembler.append(.move64(.r6, .r1)) }
        assembler.append(.load(.doubleword, buffer, .r1, place))
        assembler.append(.jump64(if: buffer, .equal, 0, 0), to: isNone)
        guard way == .castLoads else { return }
        assembler.append(.move64(.r1, buffer))
        assembler.append(.move64(.r2, 0), .kernelType("sk_buff"))
        assembler.append(Instruction(.call, srcReg: .r2), .kernelFunction("bpf_rdonly_cast"))
        assembler.append(.move64(buffer, .r0))
    }

    /// `r8 = mac_header`, `r9 = network_header`; where members are copied also `r2 = head`, `r3 = data`.
    func loadHeaders(_ assembler: inout Assembler) {
        guard way == .probes else {
            assembler.append(.load(.halfword, .r8, buffer, 0), Self.field("mac_header"))
            assembler.append(.load(.halfword, .r9, buffer, 0), Self.field("network_header"))
            return
        }
        probe(.halfword, .r9, "network_header", .r8, "mac_header", &assembler)
        probe(.doubleword, .r2, "head", .r3, "data", &assembler)
    }

    /// `r4 = data - head`
    func loadDistance(_ assembler: inout Assembler) {
        if way == .probes {
            assembler.append(.move64(.r4, .r3))
        } else {
            assembler.append(.load(.doubleword, .r4, buffer, 0), Self.field("data"))
            assembler.append(.load(.doubleword, .r2, buffer, 0), Self.field("head"))
        }
        assembler.append(.alu64(.subtract, .r4, .r2))
    }

    /// The place without a link-layer header; where that of a packet is told, it is that of its network header then.
    func skipToIP(past place: Assembler.Label, _ isIP: Assembler.Label, _ assembler: inout Assembler) {
        if way == .probes { assembler.append(.jump(0), to: isIP) }
        assembler.place(place)
        if way == .probes { assembler.append(.move64(.r8, .r9)) }
    }

    /// Puts the context where the functions take it from, and what they are told of the packet, which begins at `r8`.
    func passArguments(_ assembler: inout Assembler) {
        if way == .probes {
            assembler.append(.alu64(.add, .r2, .r8))
            assembler.append(.alu64(.subtract, .r3, .r2))
        }
        if way != .loads { assembler.append(.move64(.r1, .r6)) }
    }

    /// Copies two members of one size that lie side by side.
    private func probe(
        _ size: Size, _ first: Register, _ firstName: String, _ second: Register, _ secondName: String,
        _ assembler: inout Assembler
    ) {
        let (firstField, secondField) = (Self.field(firstName), Self.field(secondName))
        assembler.append(.move64(.r1, .r10))
        assembler.append(.alu64(.add, .r1, Int32(place)))
        assembler.append(.move32(.r2, UInt32(2 * size.bytes)))
        assembler.append(.move64(.r3, buffer))
        assembler.append(.alu64(.add, .r3, 0), firstField)
        assembler.append(.call(helper: Selector.probeRead))
        // Were they not side by side on some kernel, its verifier would say so.
        assembler.append(.move64(.r5, 0))
        assembler.append(.alu64(.add, .r5, 0), secondField)
        assembler.append(.move64(.r4, 0))
        assembler.append(.alu64(.add, .r4, 0), firstField)
        assembler.append(.alu64(.subtract, .r5, .r4))
        assembler.append(.move64(.r4, .r10))
        assembler.append(.alu64(.add, .r4, Int32(place)))
        assembler.append(.alu64(.add, .r4, .r5))
        assembler.append(.load(size, first, .r10, place))
        assembler.append(.load(size, second, .r4, 0))
    }

    private static func field(_ member: String) -> Reference {
        .kernelField(structure: "sk_buff", member: member)
    }
}
