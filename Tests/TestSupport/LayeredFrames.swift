/// Makes Ethernet frames of headers of all kinds in any order, broken and cut off ones among them.
public struct LayeredFrames {
    private var random: SeededGenerator
    private var bytes: [UInt8] = []
    /// How many more headers there may be.
    private var headersLeft = 0

    /// Starts the sequence of frames of a generator.
    public init(_ random: SeededGenerator) {
        self.random = random
    }

    /// The next frame, of at least 14 bytes.
    public mutating func next() -> [UInt8] {
        bytes = [UInt8](repeating: 0xff, count: 12)
        headersLeft = chance(15) ? 40 : Int.random(in: 0...6, using: &random)
        appendNetwork(pick(chance(60) ? [0x0800, 0x86dd] : Self.types))
        append(random: chance(50) ? Int.random(in: 0...40, using: &random) : 60)
        if chance(15) {
            for _ in 0..<pick([1, 1, 2, 5]) {
                bytes[Int.random(in: 12..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
        }
        if chance(25) { bytes.removeLast(Int.random(in: 0...min(bytes.count - 14, 100), using: &random)) }
        if chance(5) { bytes.removeLast(Int.random(in: 0...bytes.count - 14, using: &random)) }
        return bytes
    }

    /// EtherTypes; the last ones mean nothing to anyone, or are lengths.
    private static let types: [UInt16] = [
        0x0800, 0x86dd, 0x8100, 0x88a8, 0x8864, 0x4305, 0x88fb, 0x892f, 0x0806, 0x8035, 0x8902, 0x8847, 0x8848, 0x88ca,
        0x88f7, 0x8906, 0x6558, 0x880b, 0x8863, 0x9100, 0x9200, 0x88e5, 0x894f, 0x88cc, 0x22f0, 0x00f8, 0x0001, 0x0040,
    ]

    /// Those after which there is more.
    private static let chainingTypes: [UInt16] = [0x0800, 0x86dd, 0x8100, 0x88a8, 0x8864, 0x4305, 0x88fb, 0x892f]

    private static let protocols: [UInt8] = [
        0, 1, 2, 4, 6, 17, 33, 41, 43, 44, 46, 47, 50, 51, 58, 59, 60, 89, 97, 98, 108, 112, 115, 132, 135, 136, 137,
        139,
        140, 255,
    ]

    private mutating func appendNextType() {
        appendNetwork(
            chance(2)
                ? .random(in: 0 ... .max, using: &random)
                : pick(headersLeft > 15 || chance(60) ? Self.chainingTypes : Self.types))
    }

    /// The type and what it announces.
    private mutating func appendNetwork(_ type: UInt16) {
        append(half: type)
        appendNetworkContent(type)
    }

    private mutating func appendNetworkContent(_ type: UInt16) {
        headersLeft -= 1
        guard headersLeft >= 0 else { return }
        switch type {
        case 0x0800: appendIPv4()
        case 0x86dd: appendIPv6()
        case 0x8100, 0x88a8:
            append(random: 2)
            appendNextType()
        case 0x8864: appendPPPoE()
        case 0x4305:
            append([chance(95) ? 0x40 : 0x41, chance(95) ? 15 : 14])
            append(random: 20)
            appendNextType()
        case 0x88fb, 0x892f:
            append(random: 4)
            appendNextType()
        case 0x6558:
            append(random: 12)
            appendNextType()
        default: append(random: pick([0, 4, 8, 16, 33, 34, 37, 38, 39]))
        }
    }

    // MARK: IP

    private mutating func appendIPv4() {
        let words = chance(75) ? 5 : UInt8.random(in: chance(20) ? 0...15 : 5...15, using: &random)
        let proto = nextProtocol(for: 4)
        append([(chance(95) ? 0x40 : 0x50) | words])
        append(random: 5)
        append(half: chance(80) ? pick([0, 0x4000, 0x8000]) : pick([0x2000, 0x0001, 0x2001, 0x1fff, 0x6000, 0x2100]))
        append([64, proto])
        append(random: 10 + 4 * max(0, Int(words) - 5))
        appendTransport(proto, isIPv6: false)
    }

    private mutating func appendIPv6() {
        append([0x60])
        // A class, a flow label and a length, or none.
        if chance(50) { append(random: 5) } else { append([0, 0, 0, 0, 0]) }
        let proto = nextProtocol(for: 6)
        append([proto, 64])
        append(random: 32)
        appendTransport(proto, isIPv6: true)
    }

    private mutating func nextProtocol(for version: Int) -> UInt8 {
        if chance(2) { return .random(in: 0...255, using: &random) }
        if headersLeft > 15 { return pick(version == 6 ? [0, 43, 60, 4, 41, 47] : [4, 41, 47]) }
        if chance(50) { return pick([6, 17, 1, 58, 47, 4, 41]) }
        return pick(Self.protocols)
    }

    private mutating func appendTransport(_ proto: UInt8, isIPv6: Bool) {
        headersLeft -= 1
        guard headersLeft >= 0 else { return }
        switch proto {
        case 6:
            append(random: 12)
            append([UInt8.random(in: 0...15, using: &random) << 4 | pick([0, 0, 1, 15])])
            append(random: 7)
        case 4: appendNetworkContent(0x0800)
        case 41: appendNetworkContent(0x86dd)
        case 47: appendGRE()
        case 0, 43, 60: appendExtension(isIPv6: isIPv6)
        case 44:
            let next = nextProtocol(for: 6)
            append([next, 0])
            append(half: pick([0, 1, 6, 7, 8, 0xfff8, 0x0100]))
            append(random: 4)
            appendTransport(next, isIPv6: isIPv6)
        default: append(random: pick([0, 4, 8, 12, 20]))
        }
    }

    private mutating func appendExtension(isIPv6: Bool) {
        let next = nextProtocol(for: 6)
        let length: UInt8 = chance(90) ? pick([0, 0, 0, 1, 2]) : .random(in: 0...255, using: &random)
        append([next, length])
        append(random: 6 + 8 * Int(length))
        appendTransport(next, isIPv6: isIPv6)
    }

    // MARK: Tunnels

    private mutating func appendPPPoE() {
        append([chance(95) ? 0x11 : .random(in: 0...255, using: &random), chance(95) ? 0 : 9])
        append(random: 4)
        let number: UInt16 =
            chance(10) ? .random(in: 0 ... .max, using: &random) : pick([0x21, 0x57, 0x281, 0x283, 0xc021])
        if number < 0x100, chance(30) {
            append([UInt8(number)])
        } else {
            append(half: number)
        }
        appendNetworkContent([0x21: 0x0800, 0x57: 0x86dd, 0x281: 0x8847, 0x283: 0x8848][number] ?? 0)
    }

    private mutating func appendGRE() {
        let isPPTP = chance(25)
        var flags: UInt16 = isPPTP ? 0x2001 : 0
        for flag in [0x8000, 0x2000, 0x1000, 0x0080] as [UInt16] where chance(30) { flags |= flag }
        for flag in [0x4000, 0x0001, 0x0002, 0x0800, 0x2000] as [UInt16] where chance(3) { flags ^= flag }
        append(half: flags)
        let type: UInt16 =
            isPPTP && chance(95) ? 0x880b : pick(chance(60) ? [0x0800, 0x86dd, 0x6558] : Self.types)
        append(half: type)
        for flag in [0x8000, 0x2000, 0x1000] as [UInt16] where flags & flag != 0 { append(random: 4) }
        guard isPPTP else { return appendNetworkContent(type) }
        if flags & 0x0080 != 0 { append(random: 4) }
        append([0xff, 3])
        let number: UInt16 = pick([0x21, 0x57, 0xc021])
        append(half: number)
        appendNetworkContent([0x21: 0x0800, 0x57: 0x86dd][number] ?? type)
    }

    // MARK: Bytes

    private mutating func append(_ more: [UInt8]) { bytes += more }
    private mutating func append(half: UInt16) { bytes += [UInt8(half >> 8), UInt8(half & 0xff)] }
    private mutating func append(random count: Int) {
        for _ in 0..<count { bytes.append(.random(in: 0...255, using: &random)) }
    }
    private mutating func chance(_ percent: Int) -> Bool { random.chance(percent) }
    private mutating func pick<Element>(_ choices: [Element]) -> Element { random.pick(choices) }
}
