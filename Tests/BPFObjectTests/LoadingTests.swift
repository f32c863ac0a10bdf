import BPFObject
import ExtendedBPF
import Foundation
import Testing
import TestSupport

/// The object in the hands of those who load it: bpftool, libbpf, tc, each into the running kernel.
@Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
struct LoadingTests {
    @Test func bpftoolShowsExpressionAndInstructions() throws {
        let file = try ObjectFolder(ipObject())
        let text = try withPins(
            file,
            """
            bpftool prog load "$1" $pin type socket
            bpftool prog dump xlated pinned $pin linum
            """)
        let lines = fields(text)
        for (index, line) in ["ip", "ldh [12]", "jeq #0x800, 2, 3", "ret #262144", "ret #0"].enumerated() {
            #expect(lines.contains("; \(line) [file:ip.pcap line_num:\(index + 1) line_col:0]"), "\(text)")
        }
        #expect(lines.contains("int ip_filter(struct __sk_buff * ctx):"), "\(text)")
    }

    @Test func theVerifierSaysTheLineItRefuses() throws {
        var object = constantObject(section: "socket")
        object.program.functions[0].instructions = [.move64(.r6, .r1), .exit]
        object.program.functions[0].lines = [LineMark(instruction: 1, line: 2)]
        object.source = SourceText(fileName: "bad", lines: ["expression", "ret a"])
        let file = try ObjectFolder(object)
        let result = try runWithPins(file.path, "bpftool prog load \"$1\" $pin")
        #expect(result.status != 0)
        let log = fields(result.errors)
        let line = try #require(log.firstIndex { $0.hasPrefix("; ret a") }, "\(result.errors)")
        #expect(log[line + 1].hasSuffix("exit"))
        #expect(log[line + 2] == "R0 !read_ok")
    }

    @Test func callsReachTheirFunctions() throws {
        let file = try ObjectFolder(droppingObject())
        // Ethernet headers of IP, ARP and IPv6, and some payload.
        let text = try withPins(
            file,
            """
            bpftool prog load "$1" $pin
            frame=$(mktemp)
            for type in '\\010\\000' '\\010\\006' '\\206\\335'; do
                { printf 'abcdefghijkl'"$type"; head -c 50 /dev/zero; } > $frame
                bpftool prog run pinned $pin data_in $frame repeat 1
            done
            rm $frame
            """)
        let verdicts = fields(text).filter { $0.hasPrefix("Return value: ") }
            .map { $0.dropFirst("Return value: ".count).prefix { $0 != "," } }
        #expect(verdicts == ["2", "2", "0"], "\(text)")
    }

    @Test func everyFunctionHasItsLines() throws {
        let file = try ObjectFolder(droppingObject())
        let text = try withPins(
            file, "bpftool prog load \"$1\" $pin; bpftool prog dump xlated pinned $pin linum")
        let lines = fields(text)
        for name in ["drop_ip_arp", "is_ip_or_arp", "is_arp"] {
            let start = try #require(lines.firstIndex(of: "int \(name)(struct __sk_buff * ctx):"), "\(text)")
            #expect(lines[start + 1] == "; ip or arp [file:drop.pcap line_num:1 line_col:0]")
        }
        #expect(lines.count { $0 == "; ldh [12] [file:drop.pcap line_num:2 line_col:0]" } == 2)
        #expect(lines.count { $0 == "; ret #2 [file:drop.pcap line_num:3 line_col:0]" } == 1)
    }

    @Test(arguments: [
        ("socket", "__sk_buff", "socket_filter"), ("classifier", "__sk_buff", "sched_cls"),
        ("tc", "__sk_buff", "sched_cls"), ("action", "__sk_buff", "sched_act"),
        ("xdp", "xdp_md", "xdp"), ("xdp.frags", "xdp_md", "xdp"),
        ("cgroup_skb/ingress", "__sk_buff", "cgroup_skb"), ("cgroup_skb/egress", "__sk_buff", "cgroup_skb"),
        ("lwt_in", "__sk_buff", "lwt_in"), ("lwt_out", "__sk_buff", "lwt_out"),
        ("lwt_xmit", "__sk_buff", "lwt_xmit"),
    ])
    func libbpfLoadsEachSection(section: String, contextType: String, type: String) throws {
        var object = constantObject(section: section, contextType: contextType)
        object.source = SourceText(fileName: "constant", lines: ["1"])
        #expect(
            try libbpf(object)
                == "name=constant section=\(section) type=\(type) functions=1 lines=1 gpl=1\n")
    }

    @Test func libbpfLoadsFunctionsAndLines() throws {
        #expect(
            try libbpf(droppingObject())
                == "name=drop_ip_arp section=classifier type=sched_cls functions=3 lines=6 gpl=1\n")
    }

    @Test func withoutASourceThereAreFunctionsButNoLines() throws {
        var object = try droppingObject()
        object.source = nil
        object.license = "Proprietary"
        #expect(
            try libbpf(object)
                == "name=drop_ip_arp section=classifier type=sched_cls functions=3 lines=0 gpl=0\n")
    }

    @Test func libbpfLoadsALongName() throws {
        var object = constantObject(section: "socket")
        let name = "n" + String(repeating: "1", count: 126)
        object.program.functions[0].name = name
        #expect(try libbpf(object) == "name=\(name) section=socket type=socket_filter functions=1 lines=0 gpl=1\n")
    }

    /// Opens, loads and describes the object with a C program.
    private func libbpf(_ object: Object) throws -> String {
        let file = try ObjectFolder(object)
        let tool = file.folder.path("load-object")
        _ = try output("gcc", ["-Wall", "-Werror", "-o", tool, corpusC("load-object.c"), "-lbpf"])
        let result = try run(tool, [file.path])
        #expect(result.status == 0)
        // libbpf warns here about what it leaves out, such as debug information it does not like, and goes on.
        let name = object.program.entry.name
        let warning =
            "libbpf: prog '\(name)': missing .BTF.ext line info for the main program, "
            + "skipping all of .BTF.ext line info.\n"
        #expect(result.errors == (object.source == nil ? warning : ""))
        return result.text
    }

    @Test func tcDropsWhatTheProgramSays() throws {
        let text = try sendAroundAttaching(
            droppingObject(),
            attach: """
                tc qdisc add dev lo clsact
                tc filter add dev lo ingress bpf da obj "$1" sec classifier
                tc filter show dev lo ingress
                """,
            detach: "tc filter del dev lo ingress")
        #expect(text.contains("X.o:[classifier] direct-action"), "\(text)")
    }

    @Test func ipDropsWhatTheProgramSays() throws {
        let text = try sendAroundAttaching(
            constantObject(section: "xdp", contextType: "xdp_md"),  // 1 is XDP_DROP
            attach: """
                ip link set dev lo xdpgeneric obj "$1" sec xdp
                ip link show dev lo
                """,
            detach: "ip link set dev lo xdpgeneric off")
        #expect(text.contains("prog/xdp id "), "\(text)")
    }

    /// Sends a datagram to itself before, while and after the object is attached; it must be lost in between only.
    ///
    /// All that happens in a network namespace of its own.
    private func sendAroundAttaching(_ object: Object, attach: String, detach: String) throws -> String {
        let file = try ObjectFolder(object)
        let script = """
            ip link set lo up
            send() { python3 -c '
            import socket
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(1)
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", receiver.getsockname())
            try:
                receiver.recv(1)
                print("arrived")
            except TimeoutError:
                print("lost")
            '; }
            send
            \(attach)
            send
            \(detach)
            send
            """
        let text = try output("unshare", ["-n", "-m", "sh", "-ec", script, "sh", file.path])
        #expect(fields(text).filter { $0 == "arrived" || $0 == "lost" } == ["arrived", "lost", "arrived"], "\(text)")
        return text
    }
}
