extension PacketFacts {
    /// What a primitive, a load, or an address, name or number with its qualifiers requires of a packet.
    static func primitive(_ tree: FilterExpression, _ index: Int) -> PacketFacts {
        var facts = PacketFacts(root: index)
        let record = tree.records[index]
        switch record.kind {
        case .protocolName: facts.require(protocol: ExpressionWord.spelling(record.detail), isLoad: false)
        case .load: facts.require(protocol: ExpressionWord.spelling(record.detail), isLoad: true)
        case .keyword:
            let hasValue = record.first < index
            let value = hasValue ? FilterExpression.Node(tree: tree, index: index - 1).value : nil
            facts.require(keyword: record, value: value)
        case .primitive:
            // What the identifiers of a list have in common; alone or in parentheses there is but one.
            let child = FilterExpression.Node(tree: tree, index: index - 1)
            if let qualifiers = Qualifiers(packed: record.extra) { facts.require(qualifiers, of: child) }
        case .name, .number, .address, .address6, .prefix, .masked:
            let node = FilterExpression.Node(tree: tree, index: index)
            if let qualifiers = Qualifiers(packed: record.extra) { facts.require(qualifiers, of: node) }
        default: break
        }
        facts.attribute(to: index)
        return facts
    }

    private mutating func require(protocol name: String, isLoad: Bool) {
        if let set = Networks.named.first(where: { $0.0 == name })?.1 {
            network.possible = set
        } else if let named = Transports.named.first(where: { $0.name == name }) {
            transport.possible = named.set
            switch name {
            case "icmp6": network.possible = .ip6
            // Loads from the header behind IP's are of IPv4 packets only.
            case "tcp", "udp", "sctp", "ah", "esp", "pim": network.possible = isLoad ? .ip : [.ip, .ip6]
            default: network.possible = .ip
            }
        } else if ["esis", "es-is", "isis", "is-is", "clnp", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp"].contains(
            name)
        {
            network.possible = .iso
        }
    }

    private mutating func require(keyword record: FilterExpression.Record, value: UInt32?) {
        switch ExpressionWord.spelling(record.detail) {
        case "broadcast", "multicast":
            let name = ExpressionWord.spelling(UInt8(record.extra))
            if record.extra != 0, name == "ip" || name == "ip6" { network.possible = name == "ip" ? .ip : .ip6 }
        case "less": length.high = value ?? .max
        case "greater": length.low = value ?? 0
        case "pppoed": network.possible = Networks.named.first { $0.0 == "pppoed" }!.1
        default: break
        }
    }

    private mutating func require(_ qualifiers: Qualifiers, of node: FilterExpression.Node) {
        switch qualifiers.type {
        case .unsaid, .host, .net:
            requireNetwork(of: qualifiers.protocolName, for: node.kind == .prefix ? node.children[0].kind : node.kind)
            if let range = addresses(of: node, qualifiers) {
                apply(range, qualifiers.direction, \.sourceAddress, \.destinationAddress)
            }
        case .port, .portrange:
            network.possible = [.ip, .ip6]
            let named = Transports.named.first { $0.name == qualifiers.protocolName }
            transport.possible = named?.set ?? [.tcp, .udp, .sctp]
            if let range = ports(of: node) { apply(range, qualifiers.direction, \.sourcePort, \.destinationPort) }
        case .proto: requireProtocol(of: node, qualifiers)
        case .protochain:
            network.possible =
                qualifiers.protocolName == "ip" ? .ip : qualifiers.protocolName == "ip6" ? .ip6 : [.ip, .ip6]
        case .gateway: break
        }
    }

    private mutating func requireNetwork(of name: String?, for kind: FilterExpression.Node.Kind) {
        if let name {
            if let set = Networks.named.first(where: { $0.0 == name })?.1 { network.possible = set }
            return
        }
        switch kind {
        case .address, .number, .masked: network.possible = [.ip, .arp, .rarp]
        case .address6: network.possible = .ip6
        case .name: network.possible = [.ip, .ip6, .arp, .rarp]
        default: break
        }
    }

    private mutating func requireProtocol(of node: FilterExpression.Node, _ qualifiers: Qualifiers) {
        let name = node.kind == .name ? String(node.text.drop { $0 == "\\" }) : nil
        switch qualifiers.protocolName {
        case nil, "ip", "ip6":
            network.possible =
                qualifiers.protocolName == nil ? [.ip, .ip6] : qualifiers.protocolName == "ip" ? .ip : .ip6
            if let named = Transports.named.first(where: { name != nil ? $0.name == name : $0.number == node.value }) {
                transport.possible = named.set
            } else if let value = node.value, ![0, 43, 44, 60, 135].contains(value) {
                // Behind the extension headers of IPv6 other protocols follow.
                transport.possible = .other
            }
        case "iso": network.possible = .iso
        case "link", "ether", "fddi", "tr", "wlan":
            let numbers: [UInt32: Networks] = [0x0800: .ip, 0x86dd: .ip6, 0x0806: .arp, 0x8035: .rarp]
            if let name {
                if let set = Networks.named.first(where: { $0.0 == name })?.1 { network.possible = set }
            } else if let value = node.value, let set = numbers[value] {
                network.possible = set
            } else if let value = node.value, value >= 0x8100 {
                // Below stand lengths and the protocols that have names.
                network.possible = [.other, Networks(rawValue: ~63)]
            }
        default: break
        }
    }

    private mutating func apply(
        _ range: ClosedRange<UInt32>, _ direction: Qualifiers.Direction, _ source: WritableKeyPath<Self, Bounds>,
        _ destination: WritableKeyPath<Self, Bounds>
    ) {
        let bounds = Bounds(low: range.lowerBound, high: range.upperBound)
        if direction == .source || direction == .sourceAndDestination { self[keyPath: source] = bounds }
        if direction == .destination || direction == .sourceAndDestination { self[keyPath: destination] = bounds }
    }

    /// The ports that a number or two with a hyphen between them mean; nil for names.
    private func ports(of node: FilterExpression.Node) -> ClosedRange<UInt32>? {
        if let value = node.value { return value...value }
        guard node.kind == .name else { return nil }
        let ends = node.tree.text[node.range].split(separator: UInt8(ascii: "-"), maxSplits: 1).map { part in
            ExpressionAddress.isNumber(part) ? ExpressionLexer.value(of: part) : nil
        }
        guard ends.count == 2, let low = ends[0], let high = ends[1] else { return nil }
        return min(low, high)...max(low, high)
    }

    /// The IPv4 addresses that are meant; nil for those of other kinds and for names.
    private func addresses(of node: FilterExpression.Node, _ qualifiers: Qualifiers) -> ClosedRange<UInt32>? {
        guard qualifiers.protocolName == nil || ["ip", "arp", "rarp"].contains(qualifiers.protocolName) else {
            return nil
        }
        switch node.kind {
        case .address:
            guard let (value, bits) = dotted(node) else { return nil }
            guard bits == 32 || qualifiers.type == .net else { return nil }
            return value...(value | ~mask(bits))
        case .prefix:
            let parts = node.children
            guard parts[0].kind == .address, let (value, _) = dotted(parts[0]), let length = parts[1].value,
                length <= 32
            else { return nil }
            let mask = mask(Int(length))
            return (value & mask)...(value | ~mask)
        default: return nil
        }
    }

    private func mask(_ bits: Int) -> UInt32 { bits == 0 ? 0 : ~0 << UInt32(32 - bits) }

    /// The number that a dotted address writes, its first part the most significant byte, and how many bits it gives.
    private func dotted(_ node: FilterExpression.Node) -> (UInt32, Int)? {
        var value: UInt32 = 0
        var bits = 0
        for part in node.tree.text[node.range].split(separator: UInt8(ascii: ".")) {
            guard let number = ExpressionLexer.value(of: part), number <= 255 else { return nil }
            value = value << 8 | number
            bits += 8
        }
        return bits == 0 ? nil : (value << UInt32(32 - bits), bits)
    }
}
