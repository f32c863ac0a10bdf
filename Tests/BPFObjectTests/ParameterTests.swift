import BPFObject
import Foundation
import TestSupport
import Testing

/// The parameters of the running kernel's functions and tracepoints, beside what bpftool shows of its types.
@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: "/sys/kernel/btf/vmlinux")
            || ProcessInfo.processInfo.environment["CI"] == "true", "needs the kernel's BTF"),
    .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
struct ParameterTests {
    private static let reader = Result {
        try BTFReader([UInt8](Data(contentsOf: URL(fileURLWithPath: "/sys/kernel/btf/vmlinux"))))
    }

    /// The types as text, a line each, those of parameters and members indented.
    private static let lines = Result {
        try run("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "raw"]).text
            .split(separator: "\n").map(String.init)
    }

    /// The parameters below the line of the prototype with that number: name and type.
    private func parameters(ofPrototype number: Substring) throws -> [(name: String, type: Int)] {
        let lines = try Self.lines.get()
        let start = try #require(lines.firstIndex { $0.hasPrefix("[\(number)] FUNC_PROTO ") })
        return lines[(start + 1)...].prefix { $0.hasPrefix("\t") }.map { line in
            let match = line.firstMatch(of: /'(.*)' type_id=(\d+)/)!
            return (match.1 == "(anon)" ? "" : String(match.1), Int(match.2)!)
        }
    }

    private func reference(_ pattern: String) throws -> Substring {
        let line = try #require(try Self.lines.get().first { $0.contains(pattern) })
        return try #require(line.firstMatch(of: /type_id=(\d+)/)).1
    }

    @Test(arguments: ["ip_rcv", "ip_output", "nf_hook_slow", "skb_copy_bits", "tcp_init", "vfs_read", "kfree"])
    func functionsHaveTheParametersThatBpftoolShows(name: String) throws {
        let expected = try parameters(ofPrototype: reference(" FUNC '\(name)' "))
        let found = try Self.reader.get().parameters(ofFunction: name)
        #expect(found.map(\.name) == expected.map(\.name))
    }

    @Test(arguments: ["kfree_skb", "netif_receive_skb", "tcp_probe", "sched_switch", "sys_enter"])
    func tracepointsHaveAsManyArguments(name: String) throws {
        let pointer = try reference(" TYPEDEF 'btf_trace_\(name)' ")
        let expected = try parameters(ofPrototype: reference("[\(pointer)] PTR "))
        #expect(try Self.reader.get().parameters(ofTracepoint: name).count == expected.count - 1)
    }

    @Test func typesAreWrittenAsInC() throws {
        let reader = try Self.reader.get()
        let read = try reader.parameters(ofFunction: "vfs_read")
        #expect(read.map(\.type) == ["struct file *", "char *", "size_t", "loff_t *"])
        #expect(read.map(\.pointee) == ["file", nil, nil, nil])
        let copy = try reader.parameters(ofFunction: "skb_copy_bits")
        #expect(copy.map(\.type) == ["const struct sk_buff *", "int", "void *", "int"])
        #expect(copy.map(\.pointee) == ["sk_buff", nil, nil, nil])
        let free = try reader.parameters(ofTracepoint: "kfree_skb")
        #expect(free.prefix(2).map(\.type) == ["struct sk_buff *", "void *"])
        #expect(free[0].pointee == "sk_buff")
    }

    @Test func whatIsNotThereIsAnError() throws {
        let reader = try Self.reader.get()
        #expect(throws: BTFError(.noSuchType(.function, name: "no_such"))) {
            _ = try reader.parameters(ofFunction: "no_such")
        }
        #expect(throws: BTFError(.noSuchType(.alias, name: "btf_trace_no_such"))) {
            _ = try reader.parameters(ofTracepoint: "no_such")
        }
    }
}
