import ClassicBPF
import ExtendedBPF

/// Makes programs for tracepoints, where a packet is seen with an Ethernet header or without one: a function for each
/// kind, and an entry that looks which of them the packet is for.
struct TracingEntry {
    private let target: Target
    private var options: CompilerOptions
    private let argument: Int
    /// Where the packet's `struct sk_buff` is in the context.
    private let place: Int16

    /// - Throws: ``CompilerError`` where programs cannot get at the packet.
    init(_ target: Target, _ options: CompilerOptions) throws(CompilerError) {
        guard let argument = options.socketBufferArgument ?? target.hook.usualSocketBufferArgument else {
            throw CompilerError(.unknownSocketBufferArgument(target.hook))
        }
        guard let place = target.hook.place(ofArgument: argument, on: options.architecture) else {
            throw CompilerError(.unreachableArgument(argument, target.hook))
        }
        self.place = place
        self.target = target
        self.options = options
        if options.kernel == nil, target.vlan ?? .bytes != .bytes {
            // Unless told otherwise, for the first kernel that has what tells of tags.
            self.options.kernel = max(options.kernel(for: target.hook), .tagMember)
        }
        self.argument = argument
    }

    /// - Throws: ``CompilerError`` at an instruction that the target has nothing for.
    func compile(
        _ filter: ClassicBPF.Program, orForIP ipFilter: ClassicBPF.Program?, named name: String
    ) throws(CompilerError) -> ExtendedBPF.Program {
        let ethernet = try function(filter, .ethernet, named: "\(name)_ethernet")
        var ip: Function? =
            if let ipFilter { try function(ipFilter, .rawIP, named: "\(name)_ip") } else { nil }
        // The source has the instructions of one filter.
        ip?.lines = [LineMark(instruction: 0, line: 1)]
        return ExtendedBPF.Program(functions: [entry(named: name, ethernet, ip), ethernet] + (ip.map { [$0] } ?? []))
    }

    /// A function for the packets of one kind, which returns 1 or 0.
    private func function(
        _ filter: ClassicBPF.Program, _ layer: Hook.LinkLayer, named name: String
    ) throws(CompilerError) -> Function {
        var options = options
        options.linkLayer = layer
        options.socketBufferArgument = argument
        let target = Target(
            hook: target.hook, match: Verdict(value: 1), noMatch: Verdict(value: 0)
        ).showing(vlan: target.vlan ?? .bytes)
        return try Compilation(filter: filter, target: target, options: options).function(named: name)
    }

    /// Both headers are counted from `head`; 0xffff for the first says that there is none.
    ///
    /// A device without link-layer headers has both at one place. Where the kernel has not yet found the network header
    /// of what comes in, that one's place is an old one or 0; `data` is then behind an Ethernet header.
    private func entry(named name: String, _ ethernet: Function, _ ip: Function?) -> Function {
        var assembler = Assembler(functionNamed: name)
        let (isIP, isEthernet, isNone) = (assembler.makeLabel(), assembler.makeLabel(), assembler.makeLabel())
        assembler.mark(line: 1)
        let members = Members(target.hook, options)
        members.start(from: place, orGoTo: isNone, &assembler)
        members.load(.halfword, .r8, "mac_header", &assembler)
        members.load(.halfword, .r9, "network_header", &assembler)
        assembler.append(.jump64(if: .r8, .equal, 0xffff, 0), to: isIP)
        assembler.append(.jump64(if: .r8, .equal, .r9, 0), to: isIP)
        assembler.append(.jump64(if: .r9, .greater, .r8, 0), to: isEthernet)
        members.load(.doubleword, .r9, "data", &assembler)
        members.load(.doubleword, .r2, "head", &assembler)
        assembler.append(.alu64(.subtract, .r9, .r2))
        assembler.append(.jump64(if: .r9, .greater, .r8, 0), to: isEthernet)
        assembler.place(isIP)
        if let ip {
            call(ip, members, &assembler)
            assembler.place(isEthernet)
            call(ethernet, members, &assembler)
            assembler.place(isNone)
        } else {
            assembler.place(isNone)
        }
        assembler.append(.move32(.r0, 0))
        assembler.append(.exit)
        if ip == nil {
            assembler.place(isEthernet)
            call(ethernet, members, &assembler)
        }
        do { return try assembler.finish() } catch { preconditionFailure("a short function has no far jumps") }
    }

    private func call(_ function: Function, _ members: Members, _ assembler: inout Assembler) {
        members.restoreContext(&assembler)
        assembler.append(.call(localAt: 0), .function(function.name))
        // Where the kernel has no use for an answer it wants 0; what is to be done about a match is done here.
        if target.hook.allowedResults == 0...0 { assembler.append(.move32(.r0, 0)) }
        assembler.append(.exit)
    }
}

/// How the entry reads members of the packet's `struct sk_buff`, as ``Selector/prepareMembers(of:)`` says.
private struct Members {
    private enum Way { case loads, castLoads, probes }
    private let way: Way
    /// Where the pointer to the structure is.
    private var buffer: Register { way == .loads ? .r3 : .r7 }
    /// Where the stack has room for a member.
    private let memberPlace: Int16 = -8

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

    /// `dst = buffer->member`
    func load(_ size: Size, _ dst: Register, _ member: String, _ assembler: inout Assembler) {
        let field = Reference.kernelField(structure: "sk_buff", member: member)
        guard way == .probes else { return assembler.append(.load(size, dst, buffer, 0), field) }
        assembler.append(.move64(.r1, .r10))
        assembler.append(.alu64(.add, .r1, Int32(memberPlace)))
        assembler.append(.move32(.r2, UInt32(size.bytes)))
        assembler.append(.move64(.r3, buffer))
        assembler.append(.alu64(.add, .r3, 0), field)
        assembler.append(.call(helper: Selector.probeRead))
        assembler.append(.load(size, dst, .r10, memberPlace))
    }

    /// Puts the context where the functions take it from.
    func restoreContext(_ assembler: inout Assembler) {
        if way != .loads { assembler.append(.move64(.r1, .r6)) }
    }
}

extension CompilerOptions {
    /// - Throws: ``CompilerError`` where the hook, or reading packets there, came with a later kernel.
    func checkKernel(for hook: Hook) throws(CompilerError) {
        guard let kernel else { return }
        if kernel < hook.minimumKernel {
            throw CompilerError(.needsKernel(feature: "the hook \(hook)", hook.minimumKernel, target: kernel))
        }
        // At a tracepoint before that, programs do not read all of a packet, but most of what filters ask for.
        let needed = hook.host == .netfilter ? hook.wholePacketKernel : hook.needsGPL ? .probes : hook.minimumKernel
        if kernel < needed {
            throw CompilerError(
                .needsKernel(feature: "reading packets on the hook \(hook)", needed, target: kernel))
        }
    }
}
