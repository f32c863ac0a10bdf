import ExtendedBPF
import PacketFilter
import TestSupport

/// How our program for a socket gets at the packet.
enum SocketWay: String, CaseIterable {
    /// By the kernel's instructions for classic loads, as every kernel has them, a call each.
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
    var kernel: Distribution
    var ours: [(way: SocketWay, time: Distribution)]
}

#if os(Linux)
    import BPFKernel
    import Glibc
    import SystemPackage

    extension SocketTimes {
        /// How often a frame is sent for a sample.
        static let sends = 20_000
        /// How many copies of the filter one program has, if there is room.
        static let most = 32

        /// Measures a row, one frame of it.
        init(_ row: Row, isMatch: Bool) throws {
            let filter = try PacketFilter(row.reference.expression)
            let frame = isMatch ? row.frames.match : row.frames.other
            let pair = try DatagramPair()
            var contestants = [SocketContestant.classic(filter.classic)]
            let programs = try SocketWay.allCases.map { way in
                try filter.compile(for: .socket, options: way.options).program.resolved()
            }
            contestants += programs.map(SocketContestant.extended)
            // As many as the longest program that the kernel takes has room for, and no more than caches are for.
            let many = min(Self.most, 4095 / filter.classic.count)
            let few = max(1, many / 4)
            for contestant in contestants { try contestant.check(on: pair, frame, passes: isMatch, copies: many) }
            var slopes = [[Double]](repeating: [], count: contestants.count)
            for _ in 0..<Contestants.samples {
                for (index, contestant) in contestants.enumerated() {
                    let less = try contestant.time(on: pair, frame, copies: few)
                    let more = try contestant.time(on: pair, frame, copies: many)
                    slopes[index].append((more - less) / Double(many - few))
                }
            }
            let times = slopes.map(Distribution.init)
            self.init(
                name: row.name, isMatch: isMatch, isIndexed: filter.classic.isIndexed, kernel: times[0],
                ours: zip(SocketWay.allCases, times.dropFirst()).map { (way: $0, time: $1) })
        }
    }

    /// A filter in a form that a socket takes.
    private enum SocketContestant {
        case classic(ClassicProgram)
        case extended(ExtendedBPF.Program)

        /// Checks that the filter decides as it should, and that the frame gets through all copies.
        func check(on pair: DatagramPair, _ frame: [UInt8], passes: Bool, copies: Int) throws {
            try attach(self, to: pair)
            guard try pair.passes(frame) == passes else {
                throw WrongAnswer(description: "a socket filter is wrong on a frame that \(passes ? "" : "un")matches")
            }
            try attach(unrolled(copies, answer: 1), to: pair)
            guard try pair.passes(frame) else {
                throw WrongAnswer(description: "a frame does not get to the end of a program with copies of a filter")
            }
        }

        /// The time to send `frame` to a socket that runs the filter `copies` times.
        func time(on pair: DatagramPair, _ frame: [UInt8], copies: Int) throws -> Double {
            try attach(unrolled(copies, answer: 0), to: pair)
            try pair.send(frame, times: 1000)
            let start = processorTime()
            try pair.send(frame, times: SocketTimes.sends)
            return (processorTime() - start) / Double(SocketTimes.sends)
        }

        private func unrolled(_ count: Int, answer: UInt32) throws -> SocketContestant {
            switch self {
            case .classic(let program): return .classic(try program.unrolled(count, answer: answer))
            case .extended(let program):
                guard let many = program.unrolled(count, answer: answer) else {
                    throw Missing(reason: "the program leaves no register for the context")
                }
                return .extended(many)
            }
        }

        private func attach(_ contestant: SocketContestant, to pair: DatagramPair) throws {
            switch contestant {
            case .classic(let program):
                try SocketFilter.attach(
                    classic: program.instructions.flatMap { $0.bytes(.host) }, to: pair.receiver)
            case .extended(let program):
                let loaded = try LoadedProgram(loading: LoadRequest(program, type: .socketFilter))
                try SocketFilter.attach(loaded, to: pair.receiver)
            }
        }
    }

    /// Two connected sockets. What a filter of the receiving one drops is gone when `send` returns, and no other thread
    /// had a part in it.
    private final class DatagramPair {
        let sender: FileDescriptor
        let receiver: FileDescriptor

        init() throws {
            var descriptors: [CInt] = [0, 0]
            let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, type, 0, &descriptors) == 0 else { throw Errno(rawValue: errno) }
            sender = FileDescriptor(rawValue: descriptors[0])
            receiver = FileDescriptor(rawValue: descriptors[1])
        }

        deinit {
            try? sender.close()
            try? receiver.close()
        }

        func send(_ frame: [UInt8], times: Int) throws {
            for _ in 0..<times {
                guard Glibc.send(sender.rawValue, frame, frame.count, 0) == frame.count else {
                    throw Errno(rawValue: errno)
                }
            }
        }

        /// Whether something of `frame` arrives.
        func passes(_ frame: [UInt8]) throws -> Bool {
            try send(frame, times: 1)
            var byte: UInt8 = 0
            let count = recv(receiver.rawValue, &byte, 1, CInt(MSG_DONTWAIT))
            guard count >= 0 || errno == EAGAIN else { throw Errno(rawValue: errno) }
            return count > 0
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
