import CPcap
import ClassicBPF

/// libpcap's compiler: from expressions, as tcpdump takes them, to classic programs.
///
/// The language is described in pcap-filter(7). Compiling is safe to do from several threads, which take turns.
/// Names of hosts, networks, protocols and services in an expression are looked up as the system is set up to, which
/// can take seconds without a network.
public struct ExpressionCompiler: Hashable, Sendable {
    /// What the packets begin with.
    public var linkType: LinkType

    /// The number that a program returns for a packet that matches: how many bytes of it to keep, 1 … 2³¹ − 1.
    public var snapshotLength: UInt32

    /// Whether libpcap's optimiser runs. The time it takes grows with the square of the expression's length and faster.
    public var optimizes: Bool

    /// The IPv4 network mask that `ip broadcast` needs, its first number in the most significant byte, so that
    /// 255.255.255.0 is 0xffffff00; nil if it is not known, and then libpcap refuses `ip broadcast`.
    ///
    /// libpcap compares addresses in this order too. tcpdump on a live interface passes what
    /// `pcap_lookupnet`(3) gives, which is in network byte order, so that on a little-endian host it compiles
    /// `ip broadcast` to something else. 255.255.255.255 means not known to libpcap.
    public var netmask: UInt32?

    /// The longest expression taken, in bytes of UTF-8: 1 MiB, some 50,000 `host` primitives.
    ///
    /// libpcap itself gives up earlier with "out of memory" or "memory exhausted" on what is worth so many bytes.
    public static let maximumExpressionLength = 1 << 20

    /// The most branches of an unoptimised program that are given to libpcap's optimiser.
    ///
    /// The optimiser allocates ¾ *n*² bytes for *n* branches: 0.8 GB here, and 30 GB for what compiles without it.
    /// Where that is not refused, the system ends the process.
    public static let maximumOptimizedBranches = 32_768

    /// Makes a compiler.
    ///
    /// - Parameters:
    ///   - linkType: What the packets begin with.
    ///   - snapshotLength: The number returned for a match; the default is tcpdump's.
    ///   - optimizes: Whether libpcap's optimiser runs.
    ///   - netmask: The IPv4 network mask for `ip broadcast`, or nil; see ``netmask``.
    public init(
        linkType: LinkType = .ethernet, snapshotLength: UInt32 = 262_144, optimizes: Bool = true,
        netmask: UInt32? = nil
    ) {
        self.linkType = linkType
        self.snapshotLength = snapshotLength
        self.optimizes = optimizes
        self.netmask = netmask
    }

    /// Compiles `expression`; an empty one matches every packet.
    ///
    /// The program satisfies libpcap's rules. Its ``ClassicBPF/Program/rules`` tell whether Linux takes it too:
    /// `protochain` makes backward jumps, and a long list more instructions than the kernel allows.
    ///
    /// - Throws: ``PcapError`` with libpcap's message, or with the limit that the expression exceeds.
    /// - Complexity: At least quadratic in the length of the expression, with the optimiser worse: 1,000 `host`
    ///   primitives take two seconds without it and a minute with it.
    public func compile(_ expression: String) throws(PcapError) -> Program {
        try checkLimits(of: expression)
        let instructions = try run(expression, optimizing: optimizes && isSmall(expression))
        if optimizes, !isSmall(expression) {
            try checkBranches(in: instructions)
            return try program(of: run(expression, optimizing: true))
        }
        return try program(of: instructions)
    }

    private func checkLimits(of expression: String) throws(PcapError) {
        let limit = UInt32(Int32.max)
        guard (1...limit).contains(snapshotLength) else {
            throw PcapError(.snapshotLengthOutOfRange(snapshotLength, limit: limit))
        }
        let length = expression.utf8.count
        guard length <= Self.maximumExpressionLength else {
            throw PcapError(.expressionTooLong(bytes: length, limit: Self.maximumExpressionLength))
        }
        if let nul = expression.utf8.firstIndex(of: 0) {
            let offset = expression.utf8.distance(from: expression.utf8.startIndex, to: nul)
            throw PcapError(.nulCharacter, at: .byte(offset))
        }
    }

    /// Whether the expression cannot have too many branches for the optimiser; the densest known, `port 1||2||3…`
    /// on 802.11, has nine a byte. Others are compiled without it first and their branches counted.
    private func isSmall(_ expression: String) -> Bool {
        expression.utf8.count <= Self.maximumOptimizedBranches / 16
    }

    func checkBranches(in instructions: [Instruction]) throws(PcapError) {
        let branches = instructions.count { if case .branch = $0.operation { true } else { false } }
        guard branches <= Self.maximumOptimizedBranches else {
            throw PcapError(.tooComplexToOptimize(branches: branches, limit: Self.maximumOptimizedBranches))
        }
    }

    private func program(of instructions: [Instruction]) throws(PcapError) -> Program {
        do {
            return try Program(instructions, satisfying: .libpcap)
        } catch {
            throw PcapError(.invalidProgram(error))
        }
    }

    /// What any thread's stack has room for: libpcap recurses by 192 bytes a branch, one or two branches a word.
    private static let longestOnCallersStack = 256

    private func run(_ expression: String, optimizing: Bool) throws(PcapError) -> [Instruction] {
        guard let handle = pcap_open_dead(linkType.rawValue, Int32(snapshotLength)) else {
            throw PcapError(.noResources)
        }
        defer { pcap_close(handle) }
        let result = expression.withCString { text -> Compilation? in
            var compilation = Compilation(
                handle: handle, text: text, optimizes: optimizing ? 1 : 0,
                netmask: netmask ?? PCAP_NETMASK_UNKNOWN)
            if expression.utf8.count <= Self.longestOnCallersStack {
                compilation.run()
                return compilation
            }
            return runOnLargeStack(&compilation) ? compilation : nil
        }
        guard var result else { throw PcapError(.noResources) }
        return try result.instructions()
    }
}

extension Compilation {
    /// The program that libpcap made, which is freed.
    fileprivate mutating func instructions() throws(PcapError) -> [Instruction] {
        guard status == 0 else { throw PcapError(.invalidExpression(String(cString: pcap_geterr(handle)))) }
        defer { pcap_freecode(&program) }
        return UnsafeBufferPointer(start: program.bf_insns, count: Int(program.bf_len)).map {
            Instruction(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k)
        }
    }
}
