/// A capture file in the pcap format of packets that were captured whole, one a record.
///
/// - Parameter linkType: The number that files have for what the packets begin with: 1 for Ethernet, 101 for IP.
public func captureFile(of packets: [[UInt8]], linkType: UInt32 = 1) -> [UInt8] {
    func bytes(_ numbers: [UInt32]) -> [UInt8] { numbers.flatMap { withUnsafeBytes(of: $0, Array.init) } }
    let header = bytes([0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, linkType])
    return header + packets.flatMap { bytes([0, 0, UInt32($0.count), UInt32($0.count)]) + $0 }
}

/// How many packets of the capture file at `path` match `expression`, as tcpdump says; 0 where it finds that none can.
///
/// - Throws: ``TcpdumpError`` with what it says where it refuses.
public func tcpdumpCount(of expression: String, in path: String) throws -> Int {
    let result = try run("tcpdump", ["-n", "--count", "-r", path, expression])
    if result.errors.contains("rejects all packets") { return 0 }
    guard result.status == 0, let count = result.text.firstMatch(of: /^(\d+) packet/).flatMap({ Int($0.1) }) else {
        throw TcpdumpError(description: "tcpdump '\(expression)': \(result.errors)")
    }
    return count
}

/// Why tcpdump has counted nothing.
public struct TcpdumpError: Error, CustomStringConvertible {
    /// What it says.
    public var description: String
}
