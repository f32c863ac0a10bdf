import PacketFilter
import TestSupport

/// How our program for a socket gets at the packet.
enum SocketWay: String, CaseIterable {
    /// By the kernel's instructions for classic loads, a call each, or one copy of the packet's first bytes: as for Linux
    /// 5.15.
    case calls
    /// Through the kernel's own buffer, where the running kernel allows that (6.17 and later); elsewhere by calls too.
    case buffer

    var options: CompilerOptions { CompilerOptions(kernel: self == .buffer ? .running : nil) }
}

/// What a run of a filter costs on a socket, in nanoseconds, without the send that it is for.
struct SocketTimes {
    var name: String
    /// Whether the frame matches.
    var isMatch: Bool
    /// Whether the classic filter reads where a register says.
    var isIndexed: Bool
    /// The kernel's own conversion of the classic filter.
    var kernel: TimeDistribution
    var ours: [(way: SocketWay, time: TimeDistribution)]
}

#if os(Linux)
    import BPFKernel

    extension SocketTimes {
        /// Measures a row, one frame of it.
        init(_ row: Row, isMatch: Bool) throws {
            let filter = try PacketFilter(row.reference.expression)
            let frame = isMatch ? row.frames.match : row.frames.other
            let pairs = (try DatagramPair(), try DatagramPair())
            let forms =
                [.classic(filter.classic)]
                + (try SocketWay.allCases.map { way in
                    SocketProgram.Form.extended(
                        try filter.compile(for: .socket, options: way.options).resolved())
                })
            let contestants = try forms.map { try SocketProgram($0, on: pairs) }
            for contestant in contestants { try contestant.check(frame, matches: isMatch) }
            var slopes = [[Double]](repeating: [], count: contestants.count)
            for _ in 0..<Contestants.samples {
                for (index, contestant) in contestants.enumerated() { slopes[index].append(try contestant.time(frame)) }
            }
            let times = slopes.map(TimeDistribution.init)
            self.init(
                name: row.name, isMatch: isMatch, isIndexed: filter.classic.isIndexed, kernel: times[0],
                ours: zip(SocketWay.allCases, times.dropFirst()).map { (way: $0, time: $1) })
        }
    }

    extension ClassicProgram {
        fileprivate var isIndexed: Bool {
            instructions.indices.contains {
                if case .load(.indirect) = operation(at: $0) { true } else { false }
            }
        }
    }
#endif
