#if os(Linux)
    import Foundation
    import PacketFilter
    import TestSupport
    import Testing

    /// Filters that are taken from where they are in use.
    struct RuleTests {
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
        func filtersOfIptablesAndTcAreRead() throws {
            let line = try ToolRun(["convert", "--to", "xt-bpf", "-y", "RAW", "tcp port 80"]).text
            let bytecode = line.trimmingCharacters(in: .whitespacesAndNewlines)
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                for command in [
                    ["iptables", "-A", "INPUT", "-m", "bpf", "--bytecode", bytecode, "-j", "DROP"],
                    ["tc", "qdisc", "add", "dev", veth.first, "clsact"],
                    ["tc", "filter", "add", "dev", veth.first, "ingress", "bpf", "bytecode", bytecode],
                ] {
                    let result = try run(command[0], Array(command.dropFirst()))
                    try #require(result.status == 0, "\(result.errors)")
                }
                for command in [
                    ["iptables", "-S"], ["iptables-save"], ["tc", "filter", "show", "dev", veth.first, "ingress"],
                ] {
                    let shown = try run(command[0], Array(command.dropFirst())).output
                    let read = try ToolRun(["convert", "--to", "xt-bpf", "--from-iptables", "-"], input: shown)
                    #expect(read.text == line, "\(command): \(read.errors)")
                }
            }
        }

        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root")) func theFilterOfASocketIsRead() throws {
            try withNetworkNamespace {
                let socket = try PacketSocket(at: "lo")
                let place = "\(ProcessInfo.processInfo.processIdentifier):\(socket.descriptor)"
                let none = try ToolRun(["convert", "--to", "tcpdump-d", "--from-socket", place])
                #expect(none.status == 1 && none.errors.hasSuffix(" has no filter\n"))
                let filter = try PacketFilter("udp port 53")
                try attach(filter.classic, to: socket.descriptor)
                let read = try ToolRun(["convert", "--to", "tcpdump-d", "--from-socket", place])
                #expect(read.text == filter.listing, "\(read.errors)")
            }
        }

        @Test(arguments: [
            (
                "-A INPUT -j DROP\n",
                "standard input has no rule with a filter, which is written: bytecode \"4,48 0 0 9,…\""
            ),
            (
                "bytecode '1,6 0 0 0'\n\nbytecode '1,6 0 0 1' x bytecode \"1,6 0 0 1\"\n",
                "standard input has 3 rules with filters, in lines 1, 3, 3; give one of them"
            ),
            (
                "bytecode 6 0 0 0\n",
                "standard input has no rule with a filter, which is written: bytecode \"4,48 0 0 9,…\""
            ),
        ])
        func whatIsNoRuleIsAnError(_ text: String, _ message: String) throws {
            let output = try ToolRun(["convert", "--to", "xt-bpf", "--from-iptables", "-"], input: Array(text.utf8))
            #expect(output.errors == "cbpf2ebpf: \(message)\n")
            #expect(output.status == 1 && output.output.isEmpty)
        }

        @Test(arguments: ["4711", "4711:", ":3", "a:b", "0:3", "1:2:3", "1:-2"]) func whatIsNoSocketIsWrongUsage(
            _ text: String
        ) throws {
            let output = try ToolRun(["convert", "--to", "xt-bpf", "--from-socket=\(text)"])
            #expect(output.status == 64)
            #expect(
                output.errors.hasPrefix(
                    "Error: '\(text)' is no socket of a process: write 4711:3 for descriptor 3 of process 4711.\n"))
        }

        /// `setsockopt(SO_ATTACH_FILTER)` with `struct sock_fprog`: a count, and where the instructions are.
        private func attach(_ filter: ClassicProgram, to socket: CInt) throws {
            let status = filter.instructions.map {
                [$0.code, UInt16($0.jt) | UInt16($0.jf) << 8, UInt16($0.k & 0xffff), UInt16($0.k >> 16)]
            }
            .flatMap(\.self).withUnsafeBytes { instructions in
                let program = [UInt(filter.count), UInt(bitPattern: instructions.baseAddress)]
                return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, program, socklen_t(program.count * 8))
            }
            try #require(status == 0)
        }
    }
#endif
