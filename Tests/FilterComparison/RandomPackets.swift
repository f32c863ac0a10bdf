import BPFCompiler
import BPFInterpreter
import ClassicBPF
import TestSupport

/// Makes random packets with metadata as they are seen at a hook, in one piece or in several, that get far in a filter.
struct RandomPackets {
    let target: Target
    /// Whether they begin with an Ethernet header.
    let isEthernet: Bool
    /// Where packets of some length make a difference: the ends of what the filter reads at known places.
    private var ends: [Int] = []
    /// What the filter compares of the bits that it has read at known places.
    private var comparisons: [FilteredBits.Comparison] = []

    init(_ target: Target, isEthernet: Bool, passing filter: ClassicBPF.Program) {
        self.target = target
        self.isEthernet = isEthernet
        var filtered = FilteredBits()
        for index in 0..<filter.count { filtered.follow(filter.operation(at: index)) }
        (ends, comparisons) = (filtered.ends, filtered.comparisons)
    }

    func next(using generator: inout SeededGenerator) -> Packet {
        var packet: Packet
        // The kernel has no shorter Ethernet packets to show in another way, nor such as end within a tag.
        repeat {
            packet = bytes(using: &generator)
        } while isShownOtherwise && packet.bytes.count < (packet.hasTagInBytes ? 18 : 14)
        if ![.xdp, .function(.xdp)].contains(target.hook), generator.chance(50) {
            let linearLength =
                generator.chance(30)
                ? edge(using: &generator) : Int.random(in: 0...packet.bytes.count, using: &generator)
            packet = Packet(
                packet.bytes, linearLength: min(packet.bytes.count, max(linearLength, leastLinearLength)),
                networkHeaderOffset: packet.networkHeaderOffset, linkLayerHeaderOffset: packet.linkLayerHeaderOffset,
                metadata: packet.metadata)
        }
        addMetadata(to: &packet, using: &generator)
        if isEthernet, target.vlan == .stripped, packet.hasTagInBytes,
            packet.metadata.vlan == nil || target.hook.context == .xdp
        {
            // The network header is behind the tag.
            packet.networkHeaderOffset += 4
        }
        return packet
    }

    private var isShownOtherwise: Bool { isEthernet && target.vlan ?? .bytes != .bytes }

    /// Where no more than the linear part is read, that has the headers for which there is a tag to look.
    private var leastLinearLength: Int { isShownOtherwise && target.hook.context == .tracing ? 18 : 0 }

    private func bytes(using generator: inout SeededGenerator) -> Packet {
        // Where packets begin with their IP header, a frame is one now and then, and otherwise a frame's is taken off.
        let frame = TestSupport.randomPacket(using: &generator)
        var bytes = RandomExpression.addressed(
            isEthernet || generator.chance(20) ? frame : Array(frame.dropFirst(14)), isEthernet: isEthernet,
            using: &generator)
        if generator.chance(50) { lead(&bytes, using: &generator) }
        if generator.chance(20) {
            let end = edge(using: &generator)
            bytes = Array(bytes.prefix(end)) + generator.bytes(max(0, end - bytes.count))
        }
        var packet = isEthernet ? Packet(ethernet: bytes) : Packet(bytes)
        if target.hook.context == .tracing, !isEthernet {
            // Devices without link-layer headers have both at one place, or tell of none.
            packet.linkLayerHeaderOffset = generator.chance(50) ? packet.networkHeaderOffset : nil
        }
        return packet
    }

    /// Writes bits that the filter compares with, or others, to where it reads what it compares.
    private func lead(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        // One place may be compared with many numbers, of which the last that is written counts.
        let some =
            comparisons.count > 40
            ? (0..<40).map { _ in generator.pick(comparisons) } : comparisons.shuffled(using: &generator)
        for (offset, size, mask, number) in some where generator.chance(70) && offset + size <= bytes.count {
            let number = generator.chance(30) ? number &+ generator.pick([1, .max]) : generator.chance(10) ? 0 : number
            for place in 0..<size {
                let shift = UInt32(8 * (size - 1 - place))
                let mask = UInt8(truncatingIfNeeded: mask >> shift)
                bytes[offset + place] =
                    bytes[offset + place] & ~mask | UInt8(truncatingIfNeeded: number >> shift) & mask
            }
        }
    }

    /// A length with which something that the filter reads just is there, or just is not.
    private func edge(using generator: inout SeededGenerator) -> Int {
        guard let end = ends.randomElement(using: &generator) else { return .random(in: 0...80, using: &generator) }
        return max(0, end + generator.pick([-1, 0, 0, 1]))
    }

    private func addMetadata(to packet: inout Packet, using generator: inout SeededGenerator) {
        if generator.chance(80) {
            packet.metadata.interface = .init(index: 3)
            packet.metadata.ingressInterface = 3
        }
        packet.metadata.mark = generator.interestingNumber()
        packet.metadata.hash = generator.interestingNumber()
        packet.metadata.packetType = UInt8.random(in: 0...4, using: &generator)
        packet.metadata.queueMapping = .random(in: 0 ... .max, using: &generator)
        if generator.chance(isShownOtherwise ? 50 : 30) {
            packet.metadata.vlan = .init(
                tci: .random(in: 0...0xffff, using: &generator), tpid: generator.pick([0x8100, 0x88a8]))
        }
        packet.metadata.cpu = .random(in: 0...63, using: &generator)
        packet.metadata.random = .random(in: 0 ... .max, using: &generator)
    }
}
