import ClassicBPF
import ExtendedBPF

/// Makes programs for tracepoints, where a packet is seen with an Ethernet header or without one: a function for each
/// kind, and an entry that looks which of them the packet is for.
struct TracingEntry {
    private let target: Target
    private let options: CompilerOptions
    private let argument: Int

    /// - Throws: ``CompilerError`` where programs cannot get at the packet.
    init(_ target: Target, _ options: CompilerOptions) throws(CompilerError) {
        guard case .tpBTF(let name) = target.hook.host else { throw CompilerError(.noPacketAccess(target.hook)) }
        guard let argument = options.socketBufferArgument ?? Self.usualArguments[name] else {
            throw CompilerError(.unknownSocketBufferArgument(target.hook))
        }
        self.target = target
        self.options = options
        self.argument = argument
    }

    /// By tracepoint, which argument is the packet.
    ///
    /// `net_dev_xmit` is not among them: a device may have freed the packet by then.
    static let usualArguments: [String: Int] = [
        "kfree_skb": 0, "consume_skb": 0, "netif_receive_skb": 0, "netif_receive_skb_entry": 0, "netif_rx": 0,
        "netif_rx_entry": 0, "napi_gro_receive_entry": 0, "net_dev_queue": 0, "net_dev_start_xmit": 0,
        "skb_copy_datagram_iovec": 0,
    ]

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

    private func function(
        _ filter: ClassicBPF.Program, _ layer: Hook.LinkLayer, named name: String
    ) throws(CompilerError) -> Function {
        var options = options
        options.linkLayer = layer
        options.socketBufferArgument = argument
        return try Compilation(filter: filter, target: target, options: options).function(named: name)
    }

    /// Both headers are counted from `head`; 0xffff for the first says that there is none.
    ///
    /// A device without link-layer headers has both at one place. Where the kernel has not yet found the network header
    /// of what comes in, that one's place is an old one or 0; `data` is then behind an Ethernet header.
    private func entry(named name: String, _ ethernet: Function, _ ip: Function?) -> Function {
        var assembler = Assembler(functionNamed: name)
        let (isIP, isEthernet) = (assembler.makeLabel(), assembler.makeLabel())
        func load(_ size: Size, _ dst: Register, _ member: String) {
            assembler.append(.load(size, dst, .r2, 0), .kernelField(structure: "sk_buff", member: member))
        }
        assembler.mark(line: 1)
        assembler.append(.load(.doubleword, .r2, .r1, Int16(8 * argument)))
        load(.halfword, .r3, "mac_header")
        load(.halfword, .r4, "network_header")
        assembler.append(.jump64(if: .r3, .equal, 0xffff, 0), to: isIP)
        assembler.append(.jump64(if: .r3, .equal, .r4, 0), to: isIP)
        assembler.append(.jump64(if: .r4, .greater, .r3, 0), to: isEthernet)
        load(.doubleword, .r4, "data")
        load(.doubleword, .r5, "head")
        assembler.append(.alu64(.subtract, .r4, .r5))
        assembler.append(.jump64(if: .r4, .greater, .r3, 0), to: isEthernet)
        assembler.place(isIP)
        if let ip {
            assembler.append(.call(localAt: 0), .function(ip.name))
        } else if case .verdict(_, let noMatch) = target.result {
            assembler.append(.move32(.r0, noMatch.value))
        } else {
            assembler.append(.move32(.r0, 0))
        }
        assembler.append(.exit)
        assembler.place(isEthernet)
        assembler.append(.call(localAt: 0), .function(ethernet.name))
        assembler.append(.exit)
        do { return try assembler.finish() } catch { preconditionFailure("a short function has no far jumps") }
    }
}

extension CompilerOptions {
    /// - Throws: ``CompilerError`` where the hook, or reading packets there, came with a later kernel.
    func checkKernel(for hook: Hook) throws(CompilerError) {
        guard let kernel else { return }
        if kernel < hook.minimumKernel {
            throw CompilerError(.needsKernel(feature: "the hook \(hook)", hook.minimumKernel, target: kernel))
        }
        if hook.needsGPL, kernel < .plainKernelMemory {
            throw CompilerError(
                .needsKernel(
                    feature: "reading packets on the hook \(hook)", .plainKernelMemory, target: kernel))
        }
    }
}
