import ArgumentParser
import PacketFilter

/// Where the filter comes from: an expression in words or a file, or classic bytecode.
struct FilterOptions: ParsableArguments {
    @Argument(help: "A tcpdump filter expression; several words are joined. None matches every packet.")
    var expression: [String] = []

    @Option(
        name: .customShort("F", allowingJoined: true),
        help: ArgumentHelp("Read the expression from a file, # begins a comment.", valueName: "file"))
    var expressionFile: String?

    @Option(
        help: ArgumentHelp(
            "Read classic bytecode, as tcpdump -ddd prints it, instead of an expression; - is standard input.",
            valueName: "file"))
    var input: String?

    @Option(
        name: [.customShort("y", allowingJoined: true), .long],
        help: ArgumentHelp("The link type the expression is for, by libpcap's name or number.", valueName: "name"))
    var linkType: String = "EN10MB"

    @Option(
        name: [.customShort("s", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp("How many bytes of a packet a match keeps; 0 is the default.", valueName: "bytes"))
    var snapshotLength: Int64 = 0

    @Option(help: ArgumentHelp("The IPv4 netmask, for 'ip broadcast'.", valueName: "a.b.c.d"))
    var netmask: String?

    @Flag(name: .customLong("no-pcap-optimizer"), help: "Take libpcap's code as it generates it.")
    var withoutPcapOptimizer = false

    private static let defaultSnapshotLength: UInt32 = 262_144

    func validate() throws {
        let sources = [!expression.isEmpty, expressionFile != nil, input != nil]
        if sources.count(where: { $0 }) > 1 {
            throw ValidationError("The filter comes from an expression, from -F or from --input, one of them.")
        }
        guard (0...Int64(Int32.max)).contains(snapshotLength) else {
            throw ValidationError("The snapshot length \(snapshotLength) is not in 0 … \(Int32.max).")
        }
        if let netmask, Self.address(netmask) == nil {
            throw ValidationError("The netmask '\(netmask)' is not of the form 255.255.255.0.")
        }
    }

    /// The filter the options ask for.
    func filter(on console: Console) throws -> PacketFilter {
        if let input {
            return try PacketFilter(decimal: console.read(input))
        }
        let text =
            if let expressionFile {
                try String(decoding: withoutComments(console.read(expressionFile)), as: UTF8.self)
            } else {
                expression.joined(separator: " ")
            }
        return try PacketFilter(
            text, linkType: LinkType(linkType),
            snapshotLength: snapshotLength == 0 ? Self.defaultSnapshotLength : UInt32(snapshotLength),
            netmask: netmask.flatMap(Self.address), optimized: !withoutPcapOptimizer)
    }

    /// Comments become spaces, as in tcpdump, so that positions in messages stay true.
    private func withoutComments(_ text: [UInt8]) -> [UInt8] {
        var isComment = false
        return text.map { byte in
            if byte == UInt8(ascii: "#") { isComment = true }
            if byte == UInt8(ascii: "\n") { isComment = false }
            return isComment ? UInt8(ascii: " ") : byte
        }
    }

    /// The number that a dotted address writes, the first part its most significant byte.
    private static func address(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
            // UInt8 would take a sign too.
            part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt8(part) : nil
        }
        guard parts.count == 4 else { return nil }
        return parts.reduce(UInt32?(0)) { number, part in
            guard let number, let part else { return nil }
            return number << 8 | UInt32(part)
        }
    }
}
