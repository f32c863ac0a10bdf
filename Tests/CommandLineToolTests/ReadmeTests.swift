#if os(Linux)
    import Foundation
    import PacketFilter
    import TestSupport
    import Testing

    /// README's commands do what it says they do.
    @Suite struct ReadmeTests {
        private static let readme = try! String(contentsOf: projectFolder.appending(path: "README.md"), encoding: .utf8)

        /// The lines of README's code blocks, without their indentation.
        private static let code = readme.split(separator: "\n").filter { $0.hasPrefix("    ") }.map { $0.dropFirst(4) }

        /// The commands in them, without prompt and comment.
        private static let commands: [String] = code.compactMap { line in
            let text = line.drop { $0 == " " }
            let command = text.hasPrefix("$ ") ? text.dropFirst(2) : text
            let tools = ["cbpf2ebpf ", "bpftool ", "clang ", "tc ", "iptables ", "tcpdump ", "examples/", "Tests/"]
            guard tools.contains(where: command.hasPrefix), !command.contains("[options]") else { return nil }
            // The hook in a row of a table.
            if command.hasPrefix("tc  ") { return nil }
            return String(command.prefix { $0 != "#" }).trimmingCharacters(in: .whitespaces)
        }

        private static let scripts = commands.filter { $0.hasSuffix(".sh") }

        /// In namespaces of their own, with a BPF file system and an interface eth0.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root")) func everyCommandWorks() throws {
            let commands = Self.commands.filter { !Self.scripts.contains($0) }
            #expect(commands.count >= 8)
            let folder = try TemporaryFolder()
            try folder.file("guard.c", containing: Array(Self.program.utf8))
            let setUp = [
                "cd '\(folder.path(""))'", "cp '\(Self.sample)' capture.pcap", "mount -t bpf bpf /sys/fs/bpf",
                "ip link add eth0 type veth peer name eth1", "ip link set eth0 up", "ip link set eth1 up",
                "clang() { '\(llvm("clang"))' \"$@\"; }", "set -x",
            ]
            let result = try run(
                "unshare", ["-m", "-n", "sh", "-ec", (setUp + commands).joined(separator: "\n")],
                environment: ["PATH": URL(filePath: builtTool).deletingLastPathComponent().path() + ":" + searchPath])
            #expect(result.status == 0, "\(result.errors)")
        }

        /// The capture that README's commands read.
        private static let sample = projectFolder.appending(path: "examples/sample.pcap").path(percentEncoded: false)

        /// README's program in C.
        private static let program = readme.split(separator: "```")[1].dropFirst("c\n".count)

        /// What `requires` is shown to say is what it says.
        @Test func theNeedsAreWhatTheToolShows() throws {
            let start = try #require(Self.code.firstIndex { $0.hasPrefix("$ cbpf2ebpf requires --hook tc") })
            let shown = Self.code[(start + 1)...].prefix { !$0.hasPrefix("$") }
            let output = try ToolRun(["requires", "--hook", "tc", "--match", "shot", "icmp or udp"]).text
            #expect(shown.count > 2 && output == shown.map { $0 + "\n" }.joined())
        }

        @Test func theVerdictsAreWhatTheToolShows() throws {
            let start = try #require(Self.code.firstIndex { $0 == "$ cbpf2ebpf check dns.asm" })
            let source = try ToolRun(["convert", "--to", "bpf-asm", "udp port 53"]).output
            let output = try ToolRun(["check"], input: source).text.split(separator: "\n")
            #expect(output.count == 7 && output == Array(Self.code[(start + 1)..<(start + 8)]))
        }

        @Test func theHintIsWhatTheToolShows() throws {
            let start = try #require(Self.code.firstIndex { $0.hasPrefix("cbpf2ebpf: hint:") })
            let output = try ToolRun(["-v", "--emit", "classic", "host 192.0.2.1 and port 80 or port 443"]).errors
            #expect(output == Self.code[start..<(start + 3)].map { $0 + "\n" }.joined())
        }

        @Test func theListingIsWhatTheToolShows() throws {
            let command = "$ cbpf2ebpf --hook xdp --match drop --emit asm 'icmp or udp'"
            let start = try #require(Self.code.firstIndex { $0 == command })
            let shown = Self.code[(start + 1)...].prefix { $0 != "…" }
            #expect(shown.count > 5)
            let output = try ToolRun(
                ["--hook", "xdp", "--match", "drop", "--emit", "asm", "icmp or udp"]
            ).text
            #expect(output.hasPrefix(shown.map { $0 + "\n" }.joined()))
        }

        /// The two scripts take minutes, and one of them runs this test: CI runs them.
        @Test func theScriptsAreRunByCI() throws {
            let steps = try String(contentsOf: projectFolder.appending(path: ".ci/run"), encoding: .utf8)
            #expect(Self.scripts == ["examples/quickstart.sh", "Tests/run.sh"])
            for script in Self.scripts { #expect(steps.contains("\n\(script)\n")) }
        }

        /// Every option README names is one the tool has, and the other way round.
        @Test func theOptionsAreTheTools() throws {
            let help = try ToolRun(["--help"]).text
            let longOption = /--[a-z][a-z-]+/
            let inHelp = Set(help.matches(of: longOption).map { String($0.output) }).subtracting([
                "--help", "--version",
            ])
            let table = Self.readme.split(separator: "\n").filter { $0.hasPrefix("| `-") }.joined()
            let inReadme = Set(table.matches(of: longOption).map { String($0.output) })
            #expect(inHelp == inReadme)
        }

        /// The table of hooks is what the library says of them.
        @Test func theHooksAreTheLibrarys() throws {
            let hooks = Hook.packetHooks + [.tpBTF("…"), .rawTP("…"), .fentry("…"), .kprobe("…"), .function(.xdp)]
            for (hook, name) in zip(hooks, Hook.names) {
                let row = try #require(Self.rows.first { $0[1].contains("`\(name)`") }, "\(name)")
                #expect(row[2].contains("`\(hook.section)`"), "\(name)")
                #expect(row[5].contains(hook.minimumKernel.description), "\(name)")
                #expect(hook.isFunction || row[4].contains(hook.linkLayer == .rawIP ? "IP" : "Ethernet"), "\(name)")
                let verdicts = hook.verdicts.map { "`\($0.name)`" }
                #expect(row[3].contains("as tcx") || verdicts.allSatisfy(row[3].contains), "\(name)")
            }
        }

        /// The rows of README's tables of six columns, the first and last of them empty.
        private static let rows = readme.split(separator: "\n").map {
            $0.split(separator: "|", omittingEmptySubsequences: false)
        }
        .filter { $0.count == 7 }

        private var searchPath: String {
            ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        }
    }
#endif
