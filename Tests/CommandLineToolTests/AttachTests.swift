#if os(Linux)
    import Foundation
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// `load`, `attached`, `detach` and pins, in mount and network namespaces of the tests' own; and what is refused.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct AttachTests {
        /// Runs a script with a BPF file system at `$PINS` and two interfaces, left and right; `$T` is the tool.
        private func script(_ lines: String) throws -> ToolResult {
            let folder = try TemporaryFolder()
            let setUp = """
                cd "$1"; T="$0"; mkdir pins; mount -t bpf bpf pins; PINS="$1"pins
                ip link add left type veth peer name right; ip link set left up; ip link set right up

                """
            return try run("unshare", ["-m", "-n", "sh", "-c", setUp + lines, builtTool, folder.path("")])
        }

        // MARK: Loading

        /// What is told of a program is what bpftool tells.
        @Test(
            .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"),
            arguments: [
                "xdp --match drop", "tc --match shot", "socket", "tp_btf:kfree_skb", "cgroup-egress --match deny",
            ])
        func loadTellsWhatBpftoolTells(_ hook: String) throws {
            let result = try script(
                """
                "$T" load --hook \(hook) --pin "$PINS/p" --json udp; bpftool -j prog show pinned "$PINS/p"; echo
                "$T" --hook \(hook) --kernel native udp >o; "$T" load --json o
                """)
            let programs = try result.text.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\(result)")
            }
            try #require(programs.count == 3, "\(result)")
            #expect((programs[0]["pinned"] as? String)?.hasSuffix("/pins/p") == true)
            for key in ["id", "tag", "name", "bytes_xlated", "bytes_jited"] {
                #expect("\(programs[0][key] ?? "")" == "\(programs[1][key] ?? 0)", "\(key)")
                // The object's program is the same one, but that its functions may come in another order.
                if key != "id", key != "tag" || !hook.hasPrefix("tp_btf") {
                    #expect("\(programs[2][key] ?? "")" == "\(programs[0][key] ?? 0)", "\(key)")
                }
            }
        }

        @Test func loadTellsItInLines() throws {
            let output = try ToolRun(["load", "--hook", "xdp", "--match", "drop", "--program-name", "drop_udp", "udp"])
            #expect(
                output.text.wholeMatch(
                    of:
                        /id        \d+\ntag       [0-9a-f]{16}\nname      drop_udp\nhook      xdp\nxlated    \d+ bytes\njited     \d+ bytes\nverified  \d+ instructions\n/
                ) != nil, "\(output)")
            #expect(output.errors.isEmpty)
        }

        private static let programWithMaps = """
            #include <linux/bpf.h>
            #include <bpf/bpf_helpers.h>
            struct {
                __uint(type, BPF_MAP_TYPE_HASH);
                __uint(max_entries, 8);
                __type(key, __u16);
                __type(value, struct { __u64 n; __u32 t[3]; });
            } hits SEC(".maps");
            struct {
                __uint(type, BPF_MAP_TYPE_ARRAY);
                __uint(key_size, 4);
                __uint(value_size, 12);
                __uint(max_entries, 2);
                __uint(map_flags, BPF_F_MMAPABLE);
            } plain SEC(".maps");
            static const volatile __u32 table[4] = {10, 20, 30, 40};
            const volatile __u16 other = 1000;
            __u32 seen = 7;
            SEC("classifier") int look(struct __sk_buff *skb) {
                __u32 zero = 0;
                void *v = bpf_map_lookup_elem(&plain, &zero), *h = bpf_map_lookup_elem(&hits, &zero);
                seen += 1;
                return table[skb->len & 3] + other + (v ? 1 : 0) + (h ? 5 : 0) + 10000 * seen;
            }
            char LICENSE[] SEC("license") = "GPL";
            """

        /// An object that clang makes, with maps, tables and a variable; bpftool runs it and shows the maps.
        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
        func objectsWithMapsAreLoaded() throws {
            let result = try script(
                """
                cat >m.c <<'end'
                \(Self.programWithMaps)
                end
                '\(llvm("clang"))' -target bpf -g -O2 -I/usr/include/$(uname -m)-linux-gnu -c m.c -o m.o
                "$T" load m.o --pin "$PINS/p" >/dev/null; head -c 62 /dev/zero >packet
                for i in 1 2; do bpftool prog run pinned "$PINS/p" data_in packet | sed 's/,.*//'; done
                for i in $(bpftool -j prog show pinned "$PINS/p" | sed 's/.*"map_ids":\\[\\([0-9,]*\\)\\].*/\\1/; s/,/ /g'); do
                    bpftool map show id $i | sed '1s/^[0-9]*: //; s/  memlock.*//; /btf_id/d; s/^\t//; s/ *$//'
                done
                """)
            let lines = result.text.split(separator: "\n").map(String.init)
            #expect(lines.prefix(2) == ["Return value: 81031", "Return value: 91031"], "\(result)")
            #expect(
                lines.dropFirst(2).sorted() == [
                    "array  name data  flags 0x0", "array  name plain  flags 0x400", "array  name rodata  flags 0x80",
                    "frozen", "hash  name hits  flags 0x0", "key 2B  value 24B  max_entries 8",
                    "key 4B  value 12B  max_entries 2", "key 4B  value 20B  max_entries 1",
                    "key 4B  value 4B  max_entries 1",
                ])
        }

        @Test func verboseWritesTheLog() throws {
            let output = try ToolRun(["load", "--verbose", "--hook", "xdp", "--match", "drop", "udp"])
            #expect(output.status == 0)
            #expect(output.errors.contains("\nprocessed "))
            #expect(output.errors.contains("; (000) ldh"), "\(output.errors)")
        }

        /// A helper that is for the GPL only is refused where it is called, the classic instruction with it.
        @Test func aRefusalComesWithTheLogAndThePlace() throws {
            let words = ["--hook", "raw_tp:kfree_skb", "--kernel", "5.15", "--license", "Proprietary"]
            let why =
                "cbpf2ebpf: bpf(BPF_PROG_LOAD): invalid argument (22), the verifier says: cannot call GPL-restricted "
                + "function from non-GPL compatible program; that is at instruction "
            let folder = try TemporaryFolder()
            let path = folder.path("o")
            #expect(try ToolRun(words + ["-o", path, "udp"]).status == 0)
            for arguments in [words + ["udp"], [path]] {
                let output = try ToolRun(["load"] + arguments)
                #expect(output.status == 1 && output.output.isEmpty)
                let lines = output.errors.split(separator: "\n").map(String.init)
                #expect(lines.contains { $0.hasPrefix("8: (85) call bpf_probe_read_kernel") }, "\(output.errors)")
                #expect(lines.last == why + "8, in front of the filter's first")
            }
        }

        /// A kernel without the means refuses root, which is told apart from a lack of privilege.
        @Test func entriesOfFunctionsAreLoadedOrRefusedByName() throws {
            let output = try ToolRun(["load", "--hook", "fentry:ip_rcv", "udp"])
            let message =
                "cbpf2ebpf: bpf(BPF_PROG_LOAD): operation not permitted (1), to root too: this kernel takes no programs at "
                + "the entry of functions, use a tracepoint, tp_btf:…\n"
            #expect(output.status == 0 || output.errors == message, "\(output)")
        }

        /// The classic instruction that a place stands for, of a program and of an object of it.
        @Test func aPlaceHasItsClassicInstruction() throws {
            let program = try PacketFilter("udp").compile(for: .xdp(match: .drop))
            let log = (0..<14).map { "\($0): (00) something\n" }.joined() + "no\nprocessed 1 insns\n"
            let error = KernelError(.refused(.invalidArgument), in: .loadProgram, log: log)
            let place = try #require(try program.loadable().place(of: error))
            #expect(place.slot == 13 && place.line > 1)
            #expect(program.filter.listing.contains(place.text))
            let read = try LoadableProgram.programs(of: program.object().bytes)
            #expect(read.count == 1 && read[0].place(of: error) == place)
            #expect(read[0].license == PacketFilter.defaultLicense && read[0].hook == .xdp)
        }

        // MARK: Pins

        private static let pinned: [(String, String)] = [
            ("tcx-ingress --match drop -i left", "tcx-ingress of interface N (left here)"),
            ("xdp --match drop -i right", "xdp of interface N (right here)"),
            ("tp_btf:kfree_skb", "tracepoint kfree_skb"),
            (
                "netfilter --match drop --family ipv6 --hook-point forward --priority 7",
                "netfilter ipv6 forward, priority 7"
            ),
        ]

        @Test(.enabled(if: Requirement.kernel(6, 17).allowsRunning, "needs Linux 6.17"), arguments: pinned)
        func whatIsPinnedStaysUntilItIsDetached(_ hook: String, _ place: String) throws {
            let result = try script(
                """
                "$T" attach --hook \(hook) --pin "$PINS/link" 'udp port 4711'
                "$T" attached >list; grep -A1 4711 list
                "$T" detach "$PINS/link"; echo $?; ls "$PINS" | grep link; "$T" attached | grep -c 4711
                """)
            let text = result.text.replacing(/interface \d+/, with: "interface N").replacing(
                /link \d+/, with: "link N"
            ).replacing(/program \d+/, with: "program N").replacing(/\S+pins/, with: "PINS")
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines.count == 5, "\(result)")
            #expect(lines.first?.hasSuffix(", link N, pinned at PINS/link") == true)
            #expect(
                Array(lines.dropFirst())
                    == ["link N: \(place), program N filter: udp port 4711", "  pinned at PINS/link", "0", "0"])
            #expect(result.errors.isEmpty, "\(result.errors)")
        }

        @Test func controlGroupsAreNamed() throws {
            let group = try ControlGroup()
            let result = try script(
                """
                "$T" attach --hook cgroup-ingress --match deny --cgroup \(group.path) --pin "$PINS/link" 'udp port 4712'
                "$T" attached | grep 4712
                "$T" detach "$(bpftool -j link show pinned "$PINS/link" | sed 's/.*"id":\\([0-9]*\\),.*/\\1/')"
                echo $?; ls "$PINS" | grep link
                """)
            #expect(result.text.contains(": cgroup-ingress of \(group.path), program "), "\(result)")
            #expect(result.text.hasSuffix("\n0\n"), "\(result)")
        }

        // MARK: Refusals

        private static let refusedAttachments: [(String, String)] = [
            (
                "attach --hook xdp --match drop -i lo udp",
                "bpf(BPF_LINK_CREATE): operation not supported (95), the driver of the interface runs no XDP programs, the kernel's generic way runs them on any interface: --xdp-mode generic"
            ),
            (
                "attach --hook xdp --match drop -i nope udp",
                "bpf(BPF_LINK_CREATE): there is no interface nope in this network namespace"
            ),
            (
                "attach --hook cgroup-egress --match deny --cgroup /nope udp",
                "cannot open the control group /nope: No such file or directory"
            ),
            (
                "attach --hook cgroup-egress --match deny --cgroup /tmp udp",
                "bpf(BPF_LINK_CREATE): bad file descriptor (9), the folder is no control group of the second version"
            ),
            (
                "attach --hook lwt-in --match drop udp",
                "the lwt-in hook has no links, load an object with 'ip route add … encap bpf'"
            ),
            (
                "attach --hook socket udp",
                "the socket hook has no links, a filter is attached by the program that has the socket (SO_ATTACH_BPF)"
            ),
            (
                "attach --hook kprobe:ip_rcv udp",
                FileManager.default.fileExists(atPath: "/sys/bus/event_source/devices/kprobe")
                    ? "the kprobe:ip_rcv hook has no links, use fentry:ip_rcv"
                    : "the kprobe:ip_rcv hook has no links, and this kernel no events of kprobes (CONFIG_KPROBE_EVENTS): use fentry:ip_rcv or a tracepoint, tp_btf:…"
            ),
            (
                "attach --hook function:xdp udp",
                "the function:xdp hook has no links, link its object with a program that calls it"
            ),
            (
                "load --hook function:xdp udp",
                "'function:xdp' is a function, no program: link its object with one that calls it, and load that"
            ),
            (
                "load --pin $PINS/a.b udp", "bpf(BPF_OBJ_PIN): PINS/a.b: names there have no dots"
            ),
            (
                "load --pin $PINS/no/b udp",
                "bpf(BPF_OBJ_PIN): PINS/no/b: there is no folder PINS/no, make it with mkdir"
            ),
            (
                "load --pin /tmp/b udp",
                "bpf(BPF_OBJ_PIN): /tmp/b: /tmp is in no BPF file system, mount one with 'mount -t bpf bpf /sys/fs/bpf' and take a name there"
            ),
            (
                "attach --hook tcx-egress --match drop -i left --pin /tmp/b udp",
                "bpf(BPF_OBJ_PIN): /tmp/b: /tmp is in no BPF file system, mount one with 'mount -t bpf bpf /sys/fs/bpf' and take a name there"
            ),
            (
                "detach $PINS/nope", "bpf(BPF_OBJ_GET): no such file or directory (2), there is nothing of that name"
            ),
            (
                "detach 4294967295",
                "bpf(BPF_LINK_GET_FD_BY_ID): no such file or directory (2), there is no link of that number"
            ),
        ]

        @Test func refusalsSayWhatWouldBeRight() throws {
            let commands = Self.refusedAttachments.map { "timeout 20 $T \($0.0); echo \"status $?\" >&2" }
            let result = try script(commands.joined(separator: "\n"))
            let lines = result.errors.replacing(/\/[^ ]+pins/, with: "PINS").split(separator: "\n").map(String.init)
            #expect(lines == Self.refusedAttachments.flatMap { ["cbpf2ebpf: \($0.1)", "status 1"] })
        }

        @Test func whatIsInTheWayIsSaid() throws {
            let result = try script(
                """
                "$T" load --pin "$PINS/p" udp >/dev/null; "$T" load --pin "$PINS/p" udp; "$T" detach "$PINS/p"
                ip link set left mtu 9000; "$T" attach --hook xdp --match drop -i right --for 1s udp
                ip link set left mtu 1500
                for i in 1 2; do "$T" attach --hook xdp --match drop -i left --pin "$PINS/$i" udp >/dev/null; done
                N="--hook netfilter --match drop --family ipv4 --hook-point input --priority"
                for i in 3 4; do "$T" attach $N -9 --pin "$PINS/$i" udp >/dev/null; done
                setpriv --reuid 65534 --clear-groups "$T" load udp; setpriv --reuid 65534 --clear-groups "$T" attached
                """)
            #expect(
                result.errors.replacing(/\/[^ ]+pins/, with: "PINS") == """
                    cbpf2ebpf: bpf(BPF_OBJ_PIN): PINS/p: there is something of that name, remove it or choose another name
                    cbpf2ebpf: bpf(BPF_OBJ_GET): PINS/p is no link
                    cbpf2ebpf: bpf(BPF_LINK_CREATE): numerical result out of range (34), the MTU of the interface or of its peer is over what XDP takes in one buffer, lower it or use xdp-frags
                    cbpf2ebpf: bpf(BPF_LINK_CREATE): device or resource busy (16), another program is there already
                    cbpf2ebpf: bpf(BPF_LINK_CREATE): device or resource busy (16), another program is there already with priority -9, or a table of iptables, the filter table of which has 0: choose another --priority
                    cbpf2ebpf: bpf(BPF_BTF_LOAD): operation not permitted (1), run it as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON
                    cbpf2ebpf: bpf(BPF_LINK_GET_NEXT_ID): operation not permitted (1), run it as root, or with CAP_SYS_ADMIN

                    """)
        }

        private static let hooks = [
            "xdp --match drop -i left", "tcx-ingress --match drop -i left", "tp_btf:kfree_skb",
            "netfilter --match drop --family ipv4 --hook-point input", "cgroup-egress --match deny --cgroup",
            "tc --match shot -i left --direction ingress --clsact",
        ]

        /// Three capabilities are enough on every hook, for somebody who is not root; without one of them it is said
        /// which is missing, or that all are needed.
        @Test(.enabled(if: Requirement.kernel(6, 17).allowsRunning, "needs Linux 6.17"), arguments: hooks)
        func threeCapabilitiesAreEnough(_ hook: String) throws {
            let group = try ControlGroup()
            let hook = hook.hasSuffix("--cgroup") ? "\(hook) \(group.path)" : hook
            let result = try script(
                """
                cp "$T" tool; chmod 755 . tool
                for set in +bpf,+net_admin,+perfmon +bpf,+net_admin +net_admin,+perfmon; do
                setpriv --reuid 65534 --clear-groups --inh-caps $set --ambient-caps $set \
                    ./tool attach --hook \(hook) --for 50ms 'udp port 4999'
                echo $? $set
                done
                """)
            let statuses = result.text.split(separator: "\n").filter { $0.contains("+") }
            #expect(
                statuses == ["0 +bpf,+net_admin,+perfmon", "1 +bpf,+net_admin", "1 +net_admin,+perfmon"], "\(result)")
            let messages = result.errors.split(separator: "\n").filter { $0.hasPrefix("cbpf2ebpf: ") }
            #expect(messages.count == 2 && messages.allSatisfy { $0.contains("CAP_PERFMON") }, "\(result)")
        }

        /// What a socket's program takes depends on the kernel it is for: loads from a computed place on the stack want
        /// CAP_PERFMON.
        @Test func loadsFromComputedPlacesWantAPrivilege() throws {
            let result = try script(
                """
                cp "$T" tool; chmod 755 . tool
                for words in '5.15 tcp port 80' '5.11 tcp port 80' '5.15 host 192.0.2.1'; do
                setpriv --reuid 65534 --clear-groups --inh-caps +bpf --ambient-caps +bpf ./tool load --kernel $words
                echo "= $?"
                done
                """)
            #expect(
                result.text.split(separator: "\n").filter { $0.hasPrefix("=") } == ["= 1", "= 0", "= 0"], "\(result)")
            #expect(
                result.errors.contains("variable stack access prohibited for !root")
                    && result.errors.contains("(CAP_PERFMON allows it); that is at instruction"), "\(result)")
        }

        /// A link of somebody else's program is left alone.
        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
        func whatIsNotOursStays() throws {
            let folder = try TemporaryFolder()
            let source = "__attribute__((section(\"xdp\"))) int other(void *c) { return 2; }"
            try folder.file("other.c", containing: Array(source.utf8))
            try run(
                llvm("clang"), ["-target", "bpf", "-O2", "-c", folder.path("other.c"), "-o", folder.path("other.o")])
            let result = try script(
                """
                bpftool prog load \(folder.path("other.o")) "$PINS/other" autoattach || exit 9
                "$T" detach "$PINS/other"; echo $?; ls "$PINS"
                """)
            #expect(
                result.errors.replacing(/program \d+/, with: "program N").hasSuffix(
                    "cbpf2ebpf: program N is not one that cbpf2ebpf made, bpftool can detach it\n")
                    || result.status == 9, "\(result)")
        }

        private static let wrongUsage: [([String], String)] = [
            (["attach", "udp"], "'attach' needs --hook, where the program is to run."),
            (
                ["attach", "--hook", "xdp", "udp"],
                "The xdp hook needs --match, what to do with matches: pass, drop, aborted, tx, redirect."
            ),
            (["attach", "--hook", "xdp", "--match", "drop"], "The xdp hook needs -i, the interface."),
            (
                ["attach", "--hook", "cgroup-egress", "--match", "deny"],
                "The cgroup-egress hook needs --cgroup, the folder of the control group."
            ),
            (
                ["attach", "--hook", "netfilter", "--match", "drop"],
                "The netfilter hook needs --family and --hook-point."
            ),
            (
                ["attach", "--hook", "netfilter", "--match", "drop", "--family", "ipv5", "--hook-point", "input"],
                "'ipv5' is no value of --family, which takes ipv4, ipv6."
            ),
            (
                [
                    "attach", "--hook", "netfilter", "--match", "drop", "--family", "ipv4", "--hook-point", "input",
                    "--priority", "low",
                ], "'low' is no 32-bit number for --priority."
            ),
            (["attach", "--hook", "tp_btf:kfree_skb", "-i", "lo"], "The tp_btf:kfree_skb hook takes no -i."),
            (
                ["attach", "--hook", "tcx-ingress", "--match", "drop", "-i", "lo", "--xdp-mode", "generic"],
                "The tcx-ingress hook takes no --xdp-mode."
            ),
            (
                ["attach", "--hook", "xdp", "--match", "drop", "-i", "lo", "--for", "1d"],
                "'1d' is no time for --for, which takes 500ms, 10s, 2m or 1h."
            ),
            (
                ["attach", "--hook", "xdp", "--match", "drop", "-i", "lo", "--for", "1s", "--pin", "/x"],
                "What --pin keeps is attached until it is detached: leave out --for and --statistics."
            ),
            (
                ["load", "--emit", "asm", "udp"],
                "'load' writes no program: leave out --emit, -o, --endian and --kernel-form."
            ),
        ]

        @Test(arguments: wrongUsage) func wrongUsageIsToldApart(_ arguments: [String], _ message: String) throws {
            let output = try ToolRun(arguments)
            #expect(output.errors.hasPrefix("Error: \(message)\n"), "\(output.errors)")
            #expect(output.status == 64)
        }
    }
#endif
