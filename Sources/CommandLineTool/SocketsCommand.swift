import ArgumentParser
import PacketFilter

/// `cbpf2ebpf sockets`: the packet sockets of this machine, with their filters.
struct SocketsCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "sockets"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "List the packet sockets of this machine with their filters.",
        discussion: """
            For each: the process, the number the socket has there, the interface, what the filter decides as an
            expression, and its instructions as tcpdump -d shows them. Filters are told to root alone.
            """)

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            let sockets: [AttachedFilter]
            do {
                sockets = try AttachedFilter.ofPacketSockets()
            } catch {
                throw ToolError("\(error)")
            }
            try console.write(Array(sockets.map(\.text).joined(separator: "\n").utf8))
        #else
            throw ToolError("there are packet sockets on Linux only")
        #endif
    }
}

#if os(Linux)
    extension AttachedFilter {
        /// A paragraph about the socket.
        fileprivate var text: String {
            let who = owners.map { "\(name(of: $0))[\($0.process)]: socket \($0.descriptor)" }
            var lines = [
                (who.isEmpty ? "unknown process" : who.joined(separator: ", ")) + ", interface \(interface ?? "any")"
                    + (isCooked ? ", without link-layer headers" : "")
            ]
            if let filter {
                switch meaning {
                case ""?: lines.append("filter: every packet matches")
                case let meaning?: lines.append("filter: \(meaning)")
                case nil: lines.append("filter: of \(filter.classic.count) instructions, which no expression tells")
                }
                lines += filter.listing.split(separator: "\n").map { "  \($0)" }
            } else {
                lines.append("no classic filter")
            }
            return lines.joined(separator: "\n") + "\n"
        }

        /// The last part of the path of what was started.
        private func name(of owner: SocketOwner) -> String {
            owner.arguments.first?.split(separator: "/").last.map(String.init) ?? "?"
        }
    }
#endif
