/// A packet of 0 … 1,600 bytes: mostly an Ethernet frame with IPv4, IPv6, ARP or VLAN headers, often cut short.
public func randomPacket(using generator: inout some RandomNumberGenerator) -> [UInt8] {
    var packet: [UInt8]
    if generator.chance(15) {
        packet = generator.bytes(.random(in: 0...80, using: &generator))
    } else {
        packet = generator.bytes(12)
        if generator.chance(20) {
            packet += generator.pick([[0x81, 0x00], [0x88, 0xa8]]) + generator.bytes(2)
        }
        packet += networkLayer(using: &generator)
    }
    if generator.chance(25) { packet.removeLast(.random(in: 0...packet.count, using: &generator)) }
    return packet
}

private func networkLayer(using generator: inout some RandomNumberGenerator) -> [UInt8] {
    let transport: UInt8 = generator.pick([1, 6, 6, 17, 17, 132, .random(in: 0...255, using: &generator)])
    switch Int.random(in: 0..<10, using: &generator) {
    case 0: return [0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1] + generator.bytes(20)
    case 1..<7:
        let words: UInt8 = generator.chance(75) ? 5 : .random(in: 5...15, using: &generator)
        let fragment: [UInt8] = generator.chance(75) ? [0x40, 0] : [0, generator.pick([0, 1, 0xff])]
        var header = [0x40 | words] + generator.bytes(5) + fragment + [64, transport] + generator.bytes(10)
        header += generator.bytes(Int(words) * 4 - header.count)
        return [0x08, 0x00] + header + transportLayer(using: &generator)
    case 7, 8:
        return [0x86, 0xdd, 0x60] + generator.bytes(5) + [transport, 64] + generator.bytes(32)
            + transportLayer(using: &generator)
    default: return generator.bytes(2 + .random(in: 0...60, using: &generator))
    }
}

private func transportLayer(using generator: inout some RandomNumberGenerator) -> [UInt8] {
    let ports: [UInt16] = (0..<2).map { _ in
        generator.pick([22, 53, 80, 443, .random(in: 0 ... .max, using: &generator)])
    }
    let payload =
        generator.chance(5) ? Int.random(in: 0...1460, using: &generator) : .random(in: 0...24, using: &generator)
    return ports.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] } + generator.bytes(16 + payload)
}

extension RandomNumberGenerator {
    /// `count` random bytes, small and extreme ones more often than others.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            chance(30) ? pick([0, 1, 0x45, 0x7f, 0x80, 0xff]) : .random(in: 0 ... .max, using: &self)
        }
    }
}
