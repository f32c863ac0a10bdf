/// What stands before an address, a name or a number, or is carried over to it from the primitive before.
public struct Qualifiers: Hashable, Sendable {
    /// Which of a packet's addresses or ports is meant.
    public enum Direction: UInt8, Hashable, Sendable {
        /// Nothing said, which means either.
        case unsaid
        case source, destination, sourceOrDestination, sourceAndDestination
        /// The addresses of IEEE 802.11: by position, of the receiver, of the transmitter.
        case address1, address2, address3, address4, receiver, transmitter
    }

    /// What kind of thing is meant.
    public enum Kind: UInt8, Hashable, Sendable {
        /// Nothing said, which means a host.
        case unsaid
        case host, net, port, portrange, proto, protochain, gateway
    }

    /// The protocol, in the word that the text has for it, or nil.
    public var protocolName: String? { word == 0 ? nil : ExpressionWord.spelling(word) }
    /// Which address or port.
    public var direction: Direction
    /// What kind of thing.
    public var type: Kind

    var word: UInt8

    init(word: UInt8, direction: Direction, type: Kind) {
        self.word = word
        self.direction = direction
        self.type = type
    }

    /// Nil for 0, because a direction or a type is always said.
    init?(packed: UInt16) {
        guard packed & 0xff != 0, let direction = Direction(rawValue: UInt8(packed & 15)),
            let type = Kind(rawValue: UInt8(packed >> 4 & 15))
        else { return nil }
        self.init(word: UInt8(packed >> 8), direction: direction, type: type)
    }

    var packed: UInt16 { UInt16(word) << 8 | UInt16(type.rawValue) << 4 | UInt16(direction.rawValue) }

    /// The words, as they stand before an address.
    var words: [String] {
        var words: [String] = []
        if let protocolName { words.append(protocolName) }
        switch direction {
        case .unsaid: break
        case .source: words.append("src")
        case .destination: words.append("dst")
        case .sourceOrDestination: words.append("src or dst")
        case .sourceAndDestination: words.append("src and dst")
        case .address1: words.append("addr1")
        case .address2: words.append("addr2")
        case .address3: words.append("addr3")
        case .address4: words.append("addr4")
        case .receiver: words.append("ra")
        case .transmitter: words.append("ta")
        }
        switch type {
        case .unsaid: break
        case .host: words.append("host")
        case .net: words.append("net")
        case .port: words.append("port")
        case .portrange: words.append("portrange")
        case .proto: words.append("proto")
        case .protochain: words.append("protochain")
        case .gateway: words.append("gateway")
        }
        return words
    }
}
