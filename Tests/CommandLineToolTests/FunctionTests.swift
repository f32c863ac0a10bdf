#if os(Linux)
    import Foundation
    import PacketFilter
    import TestSupport
    import Testing

    /// Filters as functions that C programs call: compiled by clang, linked by libbpf, loaded and run.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct FunctionTests {
        static let filters = [
            ("icmp", "greater 60"), ("tcp port 80", "tcp[tcpflags] & tcp-syn != 0"), ("host 10.0.0.1", "len = 42"),
            // Lists, for which both objects bring a table.
            (
                (["10.0.0.1"] + (2...14).map { "10.\(17 * $0).0.\($0)" }).map { "host \($0)" }.joined(
                    separator: " or "),
                ([53, 80, 443] + (1...12).map { 1000 * $0 + 7 }).map { "port \($0)" }.joined(separator: " or ")
            ),
        ]

        @Test(arguments: ["xdp", "tc"], filters)
        func aProgramInCCallsThem(hook: String, expressions: (String, String)) throws {
            let folder = try TemporaryFolder()
            let filters = [("first", expressions.0), ("second", expressions.1)]
            for (name, expression) in filters {
                let arguments = ["--hook", "function:\(hook)", "--program-name", name, expression]
                let header = try ToolRun(arguments + ["--emit", "header", "-o", folder.path("\(name).h")])
                try #require(header.status == 0, "\(header.errors)")
                let object = try ToolRun(arguments + ["-o", folder.path("\(name).o")])
                try #require(object.status == 0, "\(object.errors)")
                let listing = try ToolRun(arguments + ["--emit", "asm"]).text
                #expect(listing.contains(".table") == expression.contains(" or "))
            }
            let frames = Frames.all.enumerated().map { (file: "frame\($0.offset)", frame: $0.element) }
            for (file, frame) in frames { try folder.file(file, containing: frame.bytes) }
            let returned = try results(of: hook, in: folder, frames.map(\.file))
            // A test run refuses frames that announce IP and hold no whole header.
            #expect(returned.count { $0 == nil } < frames.count / 4)
            #expect(Set(returned.compactMap(\.self)).count > 2)
            for (result, frame) in zip(returned, frames.map(\.frame)) where result != nil {
                let answers = try filters.map { try PacketFilter($0.1).run(on: Packet(ethernet: frame.bytes)) != 0 }
                #expect(result == 4 + (answers[0] ? 2 : 0) + (answers[1] ? 1 : 0), "\(frame)")
            }
        }

        /// A program in C may do with the answers what makes the verifier go back through the functions.
        @Test(arguments: ["icmp", "tcp port 80", "udp[8] = 1"]) func aProgramInCStoresByTheAnswers(
            _ expression: String
        ) throws {
            let folder = try TemporaryFolder()
            for name in ["first", "second"] {
                let arguments = ["--hook", "function:tc", "--program-name", name, expression]
                for (form, file) in [("header", "\(name).h"), ("object", "\(name).o")] {
                    try #require(try ToolRun(arguments + ["--emit", form, "-o", folder.path(file)]).status == 0)
                }
            }
            let script = """
                cd "$1"
                mount -t bpf bpf /sys/fs/bpf
                "$2" -target bpf -g -O2 -Wall -Werror -I. "-I/usr/include/$(gcc -print-multiarch)" -c -o caller.o "$3"
                bpftool gen object linked.o caller.o first.o second.o
                bpftool prog load linked.o /sys/fs/bpf/program
                """
            let source = Corpus.folder.appending(path: "c/counts-filters.c").path(percentEncoded: false)
            let result = try run(
                "unshare", ["-m", "sh", "-ec", script, "sh", folder.path(""), llvm("clang"), source])
            #expect(result.status == 0, "\(result.errors)")
        }

        /// What the program returns for each file's bytes, nil where the kernel takes them for no packet.
        private func results(of hook: String, in folder: TemporaryFolder, _ files: [String]) throws -> [Int?] {
            let script = """
                cd "$1"
                mount -t bpf bpf /sys/fs/bpf
                "$2" -target bpf -g -O2 -Wall -Werror $3 -I. "-I/usr/include/$(gcc -print-multiarch)" -c -o caller.o "$4"
                bpftool gen object linked.o caller.o first.o second.o
                bpftool prog load linked.o /sys/fs/bpf/program
                types=$(bpftool -j prog show pinned /sys/fs/bpf/program | grep -o '"btf_id":[0-9]*' | cut -d: -f2)
                bpftool btf dump id $types
                shift 4
                for frame; do
                    bpftool prog run pinned /sys/fs/bpf/program data_in "$frame" repeat 1 2>/dev/null || echo refused
                done
                """
            let source = Corpus.folder.appending(path: "c/calls-filters.c").path(percentEncoded: false)
            let result = try run(
                "unshare",
                [
                    "-m", "sh", "-ec", script, "sh", folder.path(""), llvm("clang"), hook == "tc" ? "-DTC" : "-UTC",
                    source,
                ] + files)
            try #require(result.status == 0, "\(result.errors)")
            // Parts of their caller, which kernels before 5.6 know too; the entry is what is verified by itself.
            for (name, linkage) in [("first", "static"), ("second", "static"), ("decide", "global")] {
                #expect(result.text.contains(try Regex("FUNC '\(name)' type_id=[0-9]+ linkage=\(linkage)")))
            }
            let pattern = /Return value: (\d+)|refused/
            let results = result.text.matches(of: pattern).map { $0.output.1.flatMap { Int($0) } }
            try #require(results.count == files.count, "\(result.text)")
            return results
        }

        @Test func theHeaderDeclaresTheFunction() throws {
            let run = try ToolRun(["--hook", "function:tc", "--program-name", "is_icmp", "--emit", "header", "icmp"])
            #expect(
                run.text == """
                    #ifndef IS_ICMP_H
                    #define IS_ICMP_H

                    struct __sk_buff;
                    extern _Bool is_icmp(struct __sk_buff *ctx);

                    #endif

                    """)
        }

        @Test func programsHaveNoHeader() throws {
            let run = try ToolRun(["--emit", "header", "icmp"])
            #expect(run.status == 64)
            #expect(run.errors.contains("Error: Only functions have a header: --hook function:HOOK makes one.\n"))
        }
    }
#endif
