import BPFCompiler
import BPFInterpreter
import ClassicBPF

/// Looks for a packet that a filter says yes or no to.
///
/// Packets are tried as they are and then with some bytes changed to what the filter compares them with, one place
/// more each time. So `tcp port 8080` finds its packet in one to port 80.
struct PacketSearch {
    private let filter: PacketFilter
    private let layer: Hook.LinkLayer
    private let wishes: [PacketWish]
    /// The filter with a 1 at each end; nil for one that the kernel does not take.
    private let ending: ClassicProgram?

    /// How many packets are tried for a side before it is given up.
    private static let most = 10_000
    /// How many places are changed at most.
    private static let mostChanges = 5

    init(_ filter: PacketFilter, _ layer: Hook.LinkLayer) {
        self.filter = filter
        self.layer = layer
        wishes = PacketWish.wishes(of: filter.classic)
        ending = try? filter.classic.unrolled(1, answer: 1)
    }

    /// A packet that matches, or one that does not: if possible one that leads the filter to one of its ends.
    ///
    /// - Returns: nil where none was found.
    /// - Throws: `Trap` of the interpreter.
    func packet(matching: Bool, among samples: [BenchmarkPacket]) throws -> BenchmarkPacket? {
        var second: BenchmarkPacket?
        var tries = 0
        // The packets of a round, each with the number of the first wish that it has not been asked for.
        var round = samples.map { (packet: $0, next: 0) }
        for _ in 0...Self.mostChanges {
            for (packet, _) in round {
                tries += 1
                if tries > Self.most { return second }
                let seen = packet.packet(layer)
                guard try (filter.run(on: seen) != 0) == matching else { continue }
                if try ending.map({ try ClassicMachine().run($0, on: seen) != 0 }) ?? true { return packet }
                second = second ?? packet
            }
            round = Array(round.lazy.flatMap(changed).prefix(Self.most - tries))
        }
        return second
    }

    /// The packet with one more change, each that there is.
    private func changed(_ packet: BenchmarkPacket, _ next: Int) -> [(packet: BenchmarkPacket, next: Int)] {
        let start = layer == .ethernet ? 0 : 14
        return wishes[next...].indices.compactMap { index in
            guard let bytes = wishes[index].granted(in: packet.bytes, from: start) else { return nil }
            return (BenchmarkPacket(bytes, from: "a sample with bytes of the filter"), index + 1)
        }
    }
}
