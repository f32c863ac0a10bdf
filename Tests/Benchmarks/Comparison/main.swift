// Compares programs with hand-written C for the same filters: sizes, instructions run, work for the verifier; with
// `--time` the time a packet costs, and on sockets that of the kernel's own conversion of the classic filter.
//
//     compare-with-c [--time] [--lists COUNT,COUNT…]
//
// Prints Markdown. `--lists` chooses the numbers of hosts (16,256); libpcap needs more than a minute for 1000. Needs
// root, clang, LLVM's tools and python3.

import Foundation
import PacketFilter
import TestSupport

func measure(_ lists: [Int]) throws {
    let rows = try Row.all(lists: lists)
    let filters = rows.map { row in
        Result { try PacketFilter(row.reference.expression) }.mapError { Missing(reason: "\($0)") }
    }
    print(try heading())
    for hook in ReferenceFilter.Hook.allCases {
        let measurements = try zip(rows, filters).map { try Measurement($0, at: hook, filter: $1) }
        print(Report(hook: hook, measurements: measurements).markdown)
    }
}

/// What was counted, where, when and how.
func heading() throws -> String {
    """
    # Beside hand-written C

    \(try origin())
    "cbpfc", "cbpfc C" and "hand" are others' programs at XDP, measured on 2026-11-22. Sizes are in 64-bit
    instructions; what runs for one packet is counted in the interpreter, a call or `LD_ABS` as one. Verified is
    what the kernel's verifier looks at, paths counted separately.

    """
}

/// Where, when and by which command.
func origin() throws -> String {
    let processors = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
    let model = processors.first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? " unknown processor"
    let kernel = try run("uname", ["-r"]).text.trimmingCharacters(in: .whitespacesAndNewlines)
    let clang = try run(llvm("clang"), ["--version"]).text.split(separator: "\n").first ?? "no clang"
    let date = Date().formatted(.iso8601.year().month().day())
    return """
        \(date),\(model), \(ProcessInfo.processInfo.processorCount) processors, Linux \(kernel), \
        \(PacketFilter.libpcapVersion), \(clang);
        `\((["compare-with-c"] + CommandLine.arguments.dropFirst()).joined(separator: " "))`. Programs return 1 or 0. "C" is \
        Tests/Benchmarks/Reference through `clang -O2 -mcpu=v3`.
        """
}

var lists = [16, 256]
var measuresTimes = false
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--time": measuresTimes = true
    case "--lists" where !arguments.isEmpty:
        lists = arguments.removeFirst().split(separator: ",").compactMap { Int($0) }.filter { (1...4000).contains($0) }
    default:
        FileHandle.standardError.write(Data("usage: compare-with-c [--time] [--lists COUNT,COUNT…]\n".utf8))
        exit(64)
    }
}
do {
    try measuresTimes ? measureTimes(lists) : measure(lists)
} catch {
    FileHandle.standardError.write(Data("compare-with-c: \(error)\n".utf8))
    exit(1)
}
