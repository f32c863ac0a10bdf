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
        let ethernet = try part(filter, .ethernet, named: "\(name)_ethernet")
        var ip = if let ipFilter { try part(ipFilter, .rawIP, named: "\(name)_ip") } else { ExtendedBPF.Program?.none }
        // The source has the instructions of one filter.
        ip?.functions[0].lines = [LineMark(instruction: 0, line: 1)]
        return ExtendedBPF.Program(
            functions: [entry(named: name, ethernet.entry, ip?.entry)] + ethernet.functions + (ip?.functions ?? []),
            data: ethernet.data + (ip?.data ?? [])
        ).withoutRepeatedTables
    }

    /// A function for the packets of one kind, which returns 0 or what says that it matches, and what it calls.
    private func part(
        _ filter: ClassicBPF.Program, _ layer: Hook.LinkLayer, named name: String
    ) throws(CompilerError) -> ExtendedBPF.Program {
        var options = options
        options.linkLayer = layer
        options.socketBufferArgument = argument
        // Who makes the program part of another may want to know of which kind the packet was.
        let match = layer == .rawIP && options.role == .part ? FilterPart.rawIPMatch : 1
        // What begins with an IP header has no tag to show: what looks like one there is part of an address.
        let target = Target(
            hook: target.hook, match: Verdict(value: match), noMatch: Verdict(value: 0)
        ).showing(vlan: layer == .ethernet ? target.vlan ?? .bytes : .bytes)
        let function = try Compilation(filter: filter, target: target, options: options).function(named: name)
        return Routine.link([function], named: name, for: target.hook, options)
    }

    /// Both headers are counted from `head`; 0xffff for the first says that there is none.
    ///
    /// A device without link-layer headers has both at one place. Where the kernel has not yet found the network header
    /// of what comes in, that one's place is an old one or 0; `data` is then behind an Ethernet header.
    private func entry(named name: String, _ ethernet: Function, _ ip: Function?) -> Function {
        var assembler = Assembler(functionNamed: name)
        let (isIP, isEthernet, isNone) = (assembler.makeLabel(), assembler.makeLabel(), assembler.makeLabel())
        assembler.mark(line: 1)
        let members = EntryMembers(target.hook, options)
        members.start(from: place, orGoTo: isNone, &assembler)
        members.loadHeaders(&assembler)
        let hasNoLinkLayer = assembler.makeLabel()
        assembler.append(.jump64(if: .r8, .equal, 0xffff, 0), to: hasNoLinkLayer)
        assembler.append(.jump64(if: .r8, .equal, .r9, 0), to: isIP)
        assembler.append(.jump64(if: .r9, .greater, .r8, 0), to: isEthernet)
        members.loadDistance(&assembler)
        assembler.append(.jump64(if: .r4, .greater, .r8, 0), to: isEthernet)
        members.skipToIP(past: hasNoLinkLayer, isIP, &assembler)
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

    private func call(_ function: Function, _ members: EntryMembers, _ assembler: inout Assembler) {
        members.passArguments(&assembler)
        assembler.append(.call(localAt: 0), .function(function.name))
        // Where the kernel has no use for an answer it wants 0; what is to be done about a match is done here.
        if target.hook.allowedResults == 0...0, options.role == .filter { assembler.append(.move32(.r0, 0)) }
        assembler.append(.exit)
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
