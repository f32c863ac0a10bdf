#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    /// The tool's objects in the hands of the loaders people use.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct LoaderTests {
        private func object(_ arguments: [String], in folder: TemporaryFolder) throws -> String {
            let path = folder.path("prog.o")
            let made = try ToolRun(arguments + ["-o", path])
            try #require(made.status == 0, "\(made.errors)")
            return path
        }

        /// The commands of README, in a mount namespace with a BPF file system of its own.
        @Test func bpftoolLoadsAndShowsTheExpression() throws {
            let folder = try TemporaryFolder()
            let path = try object(["-O0", "icmp or udp"], in: folder)
            let result = try run(
                "unshare",
                [
                    "-m", "sh", "-ec",
                    """
                    mount -t bpf bpf /sys/fs/bpf
                    bpftool prog load "$0" /sys/fs/bpf/icmp_or_udp type socket
                    bpftool prog dump xlated pinned /sys/fs/bpf/icmp_or_udp linum
                    """, path,
                ])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.text.contains("; icmp or udp [file:filter.cbpf line_num:1 "))
            let classic = try ToolRun(["--emit", "classic", "icmp or udp"]).text
            for line in classic.split(separator: "\n") {
                // The object shows control characters, here the tab in a branch, as spaces.
                let shown = line.replacing("\t", with: " ")
                #expect(result.text.contains("; \(shown) [file:filter.cbpf"), "\(shown)")
            }
        }

        /// Real frames through the classifier on their way out: what it drops does not reach the other side.
        ///
        /// A frame too short for the filter's loads does not match, whatever the verdict for that is.
        @Test(arguments: [
            (["--match", "shot"], ["tcp syn to 80", "arp request", "tcp syn to 80 cut to 16"]),
            (["--match", "ok", "--no-match", "shot"], ["udp to 53", "icmp echo"]),
        ])
        func tcLoadsTheObjectAndDropsWhatItShould(verdicts: [String], passed: [String]) throws {
            let folder = try TemporaryFolder()
            let path = try object(["--hook", "tc"] + verdicts + ["icmp or udp"], in: folder)
            let names = ["tcp syn to 80", "udp to 53", "icmp echo", "arp request", "tcp syn to 80 cut to 16"]
            try withNetworkNamespace {
                let veth = try VethPair()
                let receiver = try PacketSocket(at: veth.second)
                let sender = try PacketSocket(at: veth.first)
                try tc("qdisc", "add", "dev", veth.first, "clsact")
                try tc("filter", "add", "dev", veth.first, "egress", "bpf", "da", "obj", path, "sec", "classifier")
                let shown = try run("tc", ["filter", "show", "dev", veth.first, "egress"])
                #expect(shown.text.contains("direct-action"))
                for name in names {
                    if passed.contains(name) {
                        try sender.send(Frames.named(name).bytes)
                    } else {
                        // A sender is told of a drop on its own side.
                        #expect(throws: NetworkError.self) { try sender.send(Frames.named(name).bytes) }
                    }
                }
                let sent = names.filter(passed.contains).map { Frames.named($0).bytes }
                #expect(try receiver.receiveAll().map(\.bytes) == sent)
            }
        }

        /// Real frames through programs that xdp-loader has put on their way in, the second time in several buffers; what
        /// is unloaded stops nothing.
        @Test(.enabled(if: Requirement.tool("xdp-loader").allowsRunning, "needs xdp-loader"))
        func xdpLoaderLoadsTheObjectAndItDropsWhatItShould() throws {
            let small = ["udp to 53", "tcp syn to 80", "vlan 5 udp to 53", "arp request"].map { Frames.named($0).bytes }
            let large = small.map { $0 + [UInt8](repeating: 0x5a, count: 6_000) }
            // One after the other: the loader lets nobody else in meanwhile.
            for (hook, section, mtu, frames) in [
                ("xdp", "xdp", 1_500, small), ("xdp-frags", "xdp.frags", 9_000, small + large),
            ] {
                let folder = try TemporaryFolder()
                let path = try object(
                    ["--hook", hook, "--match", "drop", "--program-name", "no_udp", "udp"], in: folder)
                try withNetworkNamespace {
                    let veth = try VethPair(mtu: mtu)
                    let (sender, receiver) = (try PacketSocket(at: veth.first), try PacketSocket(at: veth.second))
                    /// How many of the frames arrive.
                    func arriving() throws -> Int {
                        for frame in frames { try sender.send(frame) }
                        return try receiver.receiveAll(timeout: 5_000).count
                    }
                    #expect(try xdpLoader("load -m native -s \(section) \(veth.second) \(path)") == "")
                    let shown = try xdpLoader("status \(veth.second)")
                    #expect(shown.contains(/no_udp +native/), "\(shown)")
                    #expect(try arriving() == frames.count / 4 * 3)
                    _ = try xdpLoader("unload -a \(veth.second)")
                    #expect(try !xdpLoader("status \(veth.second)").contains("no_udp"))
                    #expect(try arriving() == frames.count)
                }
            }
        }

        /// What xdp-loader prints, in a mount namespace with a BPF file system of its own.
        private func xdpLoader(_ command: String) throws -> String {
            let result = try run("unshare", ["-m", "sh", "-ec", "mount -t bpf bpf /sys/fs/bpf; xdp-loader \(command)"])
            try #require(result.status == 0, "\(command): \(result.errors)\(result.text)")
            return result.text
        }

        /// The C program loads an object with libbpf and prints the program it found; see Tests/Corpus/c.
        @Test func libbpfLoadsTheObject() throws {
            let folder = try TemporaryFolder()
            let source = Corpus.folder.appending(path: "c/load-object.c").path(percentEncoded: false)
            let compiled = try run("cc", ["-o", folder.path("load"), source, "-lbpf"])
            try #require(compiled.status == 0, "\(compiled.errors)")
            let path = try object(["--program-name", "icmp_or_udp", "icmp or udp"], in: folder)
            let loaded = try run(folder.path("load"), [path])
            #expect(loaded.status == 0, "\(loaded.errors)")
            #expect(loaded.errors == "")
            #expect(loaded.text.contains("icmp_or_udp") && loaded.text.contains("socket"))
        }

        @Test(arguments: ["little", "big"]) func readelfAndLLVMFindNothingOdd(order: String) throws {
            let folder = try TemporaryFolder()
            let path = try object(["-O0", "--endian", order, "icmp or udp"], in: folder)
            let elf = try run("readelf", ["-aW", path])
            #expect(elf.status == 0 && elf.errors == "", "\(elf.errors)")
            let dump = try run(llvm("llvm-objdump"), ["-d", path])
            #expect(dump.status == 0 && dump.errors == "", "\(dump.errors)")
            #expect(dump.text.contains("<filter>:") && !dump.text.contains("<unknown>"))
            #expect(dump.text.split(separator: "\n").count { $0.contains("r0 = *(u8 *)skb[23]") } == 1)
        }

        private func tc(_ arguments: String...) throws {
            let result = try run("tc", arguments)
            try #require(result.status == 0, "tc \(arguments): \(result.errors)")
        }
    }
#endif
