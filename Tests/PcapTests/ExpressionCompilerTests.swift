import ClassicBPF
import Pcap
import TestSupport
import Testing

private let tcpdump = Requirement.tool("tcpdump").allowsRunning

@Suite struct ExpressionCompilerTests {
    @Test(.enabled(if: tcpdump, "needs tcpdump"), arguments: Corpus.expressions + Corpus.loops)
    func agreesWithTcpdump(expression: CorpusExpression) throws {
        let link = try LinkType(expression.linkType)
        for optimizes in [true, false] {
            let arguments = ["-y", expression.linkType, "-ddd"] + (optimizes ? [] : ["-O"])
            let theirs = try run("tcpdump", arguments + ["--", expression.text])
            #expect(theirs.status == 0, "\(theirs.errors)")
            let ours = try ExpressionCompiler(linkType: link, optimizes: optimizes).compile(expression.text)
            #expect(tcpdumpInstructions(theirs.text) == ours.instructions)
        }
    }

    @Test(arguments: Corpus.expressions)
    func theCorpusIsForTheKernel(expression: CorpusExpression) throws {
        let compiler = ExpressionCompiler(linkType: try LinkType(expression.linkType))
        #expect(try compiler.compile(expression.text).rules.contains([.kernel, .libpcap]))
    }

    @Test(arguments: Corpus.loops)
    func loopsAreNotForTheKernel(expression: CorpusExpression) throws {
        let compiler = ExpressionCompiler(linkType: try LinkType(expression.linkType))
        let program = try compiler.compile(expression.text)
        #expect(program.rules == .libpcap)
        #expect(ControlFlow(program).hasBackwardJumps)
    }

    @Test func nothingMatchesEverything() throws {
        for text in ["", " ", "\t\n "] {
            let program = try ExpressionCompiler(snapshotLength: 77).compile(text)
            #expect(program.instructions == [Instruction(code: 0x06, k: 77)])
        }
    }

    /// tcpdump's -s is the number it returns.
    @Test(.enabled(if: tcpdump, "needs tcpdump"), arguments: [1, 96, 65_535, 262_144] as [UInt32])
    func returnsTheSnapshotLength(length: UInt32) throws {
        let theirs = try run("tcpdump", ["-y", "EN10MB", "-s", "\(length)", "-ddd", "udp"])
        let ours = try ExpressionCompiler(snapshotLength: length).compile("udp")
        #expect(tcpdumpInstructions(theirs.text) == ours.instructions)
    }

    @Test func theLongestSnapshotIsTaken() throws {
        let program = try ExpressionCompiler(snapshotLength: 0x7fff_ffff).compile("ip")
        #expect(program.instructions.contains(Instruction(code: 0x06, k: 0x7fff_ffff)))
    }

    /// The kernel judges: with the mask 255.255.255.0 the host part is the last byte and nothing else.
    @Test(
        .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"),
        arguments: [
            (0xffff_ff00, "c00002ff", true), (0xffff_ff00, "c0000200", true), (0xffff_ff00, "c0000201", false),
            (0xffff_ff00, "ff000201", false), (0xffff_0000, "c000ffff", true), (0xffff_0000, "c00002ff", false),
            (0xff00_0000, "0affffff", true), (0xff00_0000, "ffffff0a", false), (0, "ffffffff", true),
        ] as [(UInt32, String, Bool)])
    func ipBroadcastFollowsTheNetmask(netmask: UInt32, destination: String, matches: Bool) throws {
        let program = try ExpressionCompiler(netmask: netmask).compile("ip broadcast")
        let frame = String(repeating: "00", count: 12) + "0800" + String(repeating: "00", count: 16) + destination
        #expect(try kernelAccepts(frame, program) == matches)
    }

    @Test func broadcastWithoutNetmaskIsRefused() {
        let refusal = PcapError(.invalidExpression("netmask not known, so 'ip broadcast' not supported"))
        #expect(throws: refusal) { try ExpressionCompiler().compile("ip broadcast") }
        #expect(throws: refusal) { try ExpressionCompiler(netmask: 0xffff_ffff).compile("ip broadcast") }
    }

    /// Many threads, each with other expressions at the same time, get what one alone gets.
    @Test func manyThreadsGetTheSame() async throws {
        let expressions = Corpus.expressions + Corpus.loops
        let alone = try expressions.map(compile)
        try await withThrowingTaskGroup(of: (Int, Program).self) { group in
            for round in 0..<8 {
                for offset in expressions.indices {
                    let index = (offset * 31 + round * 17) % expressions.count
                    group.addTask { (index, try compile(expressions[index])) }
                }
            }
            for try await (index, program) in group { #expect(program == alone[index]) }
        }
    }

    @Test func theVersionIsLibpcaps() {
        #expect(Library.version.hasPrefix("libpcap version "))
    }
}

private func compile(_ expression: CorpusExpression) throws -> Program {
    try ExpressionCompiler(linkType: LinkType(expression.linkType)).compile(expression.text)
}

/// Whether a socket that `program` is attached to lets a frame through.
private func kernelAccepts(_ frame: String, _ program: Program) throws -> Bool {
    let script = """
        import ctypes, socket, struct, sys
        filters = b"".join(struct.pack("=HBBI", *map(int, line.split())) for line in sys.stdin)
        memory = ctypes.create_string_buffer(filters, len(filters))
        sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", len(filters) // 8, ctypes.addressof(memory)))
        receiver.setblocking(False)
        try:
            sender.send(bytes.fromhex(sys.argv[1]))
        except PermissionError:
            pass
        try:
            receiver.recv(2048)
            print("accepted")
        except BlockingIOError:
            print("dropped")
        """
    let listing = program.instructions.map { "\($0.code) \($0.jt) \($0.jf) \($0.k)\n" }.joined()
    let result = try run("python3", ["-c", script, frame], input: Array(listing.utf8))
    #expect(["accepted\n", "dropped\n"].contains(result.text), "\(result.errors)")
    return result.text == "accepted\n"
}
