/// `sentence` with one to three bytes or tokens deleted, inserted, exchanged or doubled.
///
/// Tokens are words, runs of spaces and single other characters.
public func mutated(_ sentence: [UInt8], using random: inout some RandomNumberGenerator) -> [UInt8] {
    var parts = random.chance(50) ? sentence.map { [$0] } : tokens(of: sentence)
    for _ in 0..<random.pick([1, 1, 1, 2, 3]) { mutate(&parts, using: &random) }
    return Array(parts.joined())
}

private func mutate(_ parts: inout [[UInt8]], using random: inout some RandomNumberGenerator) {
    guard let index = parts.indices.randomElement(using: &random) else { return parts.append([0]) }
    let other = parts.indices.randomElement(using: &random)!
    switch Int.random(in: 0..<6, using: &random) {
    case 0: parts.remove(at: index)
    case 1: parts.insert(insertion(using: &random), at: index)
    case 2: parts.swapAt(index, other)
    case 3: parts.insert(parts[index], at: index)
    case 4: parts.insert(parts[other], at: index)
    default: parts[index] = insertion(using: &random)
    }
}

/// A byte of any value, or something that readers trip over.
private func insertion(using random: inout some RandomNumberGenerator) -> [UInt8] {
    if random.chance(50) { return [.random(in: 0...255, using: &random)] }
    return Array(
        random.pick([
            "-1", "0x", "4294967296", "99999999999999999999", "0xffffffff", "\n", "\r\n", "\t", "\u{feff}", "é", "(",
            ")", ",", ":", ";", "/*", "*/", "#", "0", "08", "\"", "\0",
        ]).utf8)
}

private func tokens(of sentence: [UInt8]) -> [[UInt8]] {
    func kind(_ byte: UInt8) -> Int {
        if byte == 0x20 || byte == 0x09 { return 1 }
        return 0x30...0x39 ~= byte || 0x61...0x7a ~= byte | 0x20 || byte == 0x5f ? 2 : 0
    }
    var tokens: [[UInt8]] = []
    for byte in sentence {
        if let last = tokens.last?.last, kind(byte) != 0, kind(last) == kind(byte) {
            tokens[tokens.count - 1].append(byte)
        } else {
            tokens.append([byte])
        }
    }
    return tokens
}
