import Foundation
import PacketFilter
import TestSupport

#if os(Linux)
    /// The files of the C filters that are measured on sockets too.
    private let socketRows = ["ip", "tcp-port-80", "udp-port-53", "host", "tcp-port-80-data", "16-ports"]

    /// Prints what a packet costs, each table as soon as it is there.
    func measureTimes(_ lists: [Int]) throws {
        let rows = try Row.all(lists: lists)
        let filters = rows.map { row in
            Result { try PacketFilter(row.reference.expression) }.mapError { Missing(reason: "\($0)") }
        }
        show(try timeHeading())
        let sockets = try socketRows.flatMap { name in
            guard let row = rows.first(where: { $0.reference.name == name }) else {
                preconditionFailure("there is no row for \(name).c")
            }
            return try [true, false].map { try SocketTimes(row, isMatch: $0) }
        }
        show(SocketReport(times: sockets).markdown)
        for hook in ReferenceFilter.Hook.allCases {
            let times = try zip(rows, filters).map { try RowTimes($0, at: hook, filter: $1) }
            show(TimeReport(hook: hook, rows: times).markdown)
        }
    }

    /// Prints at once also where the output is a file: the next table takes minutes.
    private func show(_ text: String) {
        print(text)
        fflush(nil)
    }

    private func timeHeading() throws -> String {
        let load = try String(contentsOfFile: "/proc/loadavg", encoding: .utf8).split(separator: " ")[0]
        func setting(_ name: String) throws -> String {
            try String(contentsOfFile: "/proc/sys/net/core/\(name)", encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return """
            # Times beside hand-written C and the kernel's own conversion

            \(try origin())
            `bpf_jit_enable` is \(try setting("bpf_jit_enable")), `bpf_jit_harden` \(try setting("bpf_jit_harden")); \
            the load of the machine at the start was \(load).

            Times are in nanoseconds of the thread's processor time, as median ± half the distance between the
            quartiles (the spread) of \(Contestants.samples) samples. The programs of a row take turns, and each is
            loaded anew for each sample, because its place in memory has a part in its time. Slower means beyond noise:
            the medians differ by more than twice the pooled spread, the root of the mean of both spreads' squares.

            At XDP and tc a sample is a test run of \(Contestants.runs) runs with the frame, and what the kernel does for
            each run is in it: "empty" is that of a program which returns at once. Ours/C is the ratio of what is above
            it, and left out where C's is not above it by more than noise. A list of hosts is to take at most
            \(Int(TimeReport.listAllowance)) ns more than a single host.

            On sockets both programs are unrolled: the filter is there many times in one program, each end of it leading
            to the next copy and the last one's to `ret #0`, and the frame is sent to a Unix datagram socket with it
            \(SocketProgram.sends) times a sample. The time of a run is the slope between \(SocketProgram.mostCopies) copies and a quarter
            of them (fewer where 4,096 classic instructions have no room for that), so that a send cancels. "Kernel" is
            the classic program by SO_ATTACH_FILTER; what its conversion does once at the start, for all copies, cancels
            too, while ours does it in each. "Calls" is ours for Linux 5.15 and later, "buffer" ours for the running
            kernel. Calls are to be slower by at most \(Int(SocketReport.callsAllowance)) ns; the buffer never, and twice as
            fast where the classic filter has loads at an index.

            """
    }
#else
    func measureTimes(_ lists: [Int]) throws { throw Missing(reason: "times are measured on Linux only") }
#endif
