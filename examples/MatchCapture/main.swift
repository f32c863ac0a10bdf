// Runs a tcpdump expression over a capture of Ethernet frames three ways: the classic filter in an interpreter, the
// eBPF program it becomes in another, and, where that is allowed, the program in the running Linux kernel.
//
//     match-capture CAPTURE EXPRESSION...

import PacketFilter

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Two ways gave different answers, which would be a defect of this package.
struct Disagreement: Error {
    var packet: Int
    var answers: [UInt32]
}

func matchCapture(_ path: String, _ expression: String) throws {
    var capture = try CaptureFile(path: path)
    let filter = try PacketFilter(expression, linkType: capture.linkType)
    let program = try filter.compile(for: .tc(match: .shot))
    let kernel = try RunningKernelProgram(program)

    var count = 0
    var matches: [Int] = []
    while let frame = try capture.next() {
        count += 1
        let packet = Packet(ethernet: frame.bytes)
        let verdict = try filter.run(on: packet) == 0 ? TCVerdict.ok.value : TCVerdict.shot.value
        let answers = try [verdict, program.run(on: packet), kernel.run(on: frame.bytes) ?? verdict]
        guard Set(answers).count == 1 else { throw Disagreement(packet: count, answers: answers) }
        if verdict == TCVerdict.shot.value { matches.append(count) }
    }
    print("\(matches.count) of \(count) packets match: \(matches.map(String.init).joined(separator: " "))")
    print("the kernel: \(kernel.summary)")
}

let arguments = CommandLine.arguments.dropFirst()
guard let path = arguments.first, arguments.count > 1 else {
    print("usage: match-capture CAPTURE EXPRESSION...")
    exit(64)
}
do {
    try matchCapture(path, arguments.dropFirst().joined(separator: " "))
} catch {
    print("match-capture: \(error)")
    exit(1)
}
