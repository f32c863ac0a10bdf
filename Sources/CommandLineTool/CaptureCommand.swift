import ArgumentParser
import PacketFilter

/// `cbpf2ebpf capture`: the packets that match a filter, at any hook, into a capture file.
struct CaptureCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "capture"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Capture the packets that match a filter, at any hook.",
        usage: "cbpf2ebpf \(name) -w <file> [-i <interface>] [<options>] [<expression> ...]",
        discussion: """
            The packets go on as if nobody had looked. The file is in the pcapng format, which tcpdump and Wireshark read.
            Ctrl-C ends it.

              cbpf2ebpf capture -i eth0 --hook xdp -w dns.pcapng udp port 53
              cbpf2ebpf capture --hook tp_btf:kfree_skb -w drops.pcapng tcp
              cbpf2ebpf capture -i eth0 -w - icmp | tcpdump -n -r -

            Without --hook a packet socket at the interface sees what comes in and goes out; at lo, where that is the
            same, once. tp_btf:kfree_skb is where the kernel drops packets; each has the reason as its comment.
            """)

    @Argument(help: "The filter: a tcpdump expression. (default: all packets)")
    var expression: [String] = []

    @Option(
        name: .customShort("w", allowingJoined: true),
        help: ArgumentHelp("The capture file; - is standard output.", valueName: "file"))
    var file: String

    @OptionGroup var placeArguments: PlaceArguments

    @Option(
        name: [.customShort("s", allowingJoined: true), .customLong("snapshot-length")],
        help: ArgumentHelp("How many bytes of each packet to capture at most. (default: 262144)", valueName: "bytes"))
    var snapshotLength: Int?

    @Option(
        name: .customShort("c", allowingJoined: true),
        help: ArgumentHelp("End behind so many packets.", valueName: "count"))
    var count: Int?

    @Option(
        help: ArgumentHelp(
            "The buffer in the kernel in which packets wait to be written, as 512K, 16M or 1G. What comes while it is "
                + "full is lost, and counted. (default: 16M)", valueName: "size"))
    var bufferSize: String?

    @Flag(
        name: [.customShort("U"), .long],
        help: "Write each packet as it comes, and not when many have gathered. Pipes are always written so.")
    var unbuffered = false

    func validate() throws {
        if let count, count < 1 { throw ValidationError("-c takes a number from 1 on.") }
        _ = try bufferBytes
    }

    /// The bytes of the buffer, or nil for the usual.
    var bufferBytes: Int? {
        get throws {
            guard let bufferSize else { return nil }
            let units = ["K": 10, "M": 20, "G": 30]
            let shift = bufferSize.last.flatMap { units["\($0)"] }
            guard let number = Int(shift == nil ? bufferSize : String(bufferSize.dropLast())), number > 0,
                number <= Int.max >> (shift ?? 0)
            else { throw ValidationError("'\(bufferSize)' is no size for --buffer-size, which takes 512K, 16M or 1G.") }
            return number << (shift ?? 0)
        }
    }

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            do {
                try capture(on: console)
            } catch let error as Defect {
                throw error
            } catch let error as ValidationError {
                throw error
            } catch {
                throw (error as? ToolError) ?? ToolError("\(error)")
            }
        #else
            throw ToolError("packets are captured in the kernel of Linux only")
        #endif
    }
}
