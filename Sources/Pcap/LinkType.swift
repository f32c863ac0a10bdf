import CPcap

/// What kind of header the packets of a link begin with: one of libpcap's `DLT_` values.
///
/// Names, numbers and descriptions come from the libpcap the process runs with.
/// Source: `pcap_datalink_name_to_val`(3), `<pcap/dlt.h>`.
public struct LinkType: RawRepresentable, Hashable, Sendable {
    /// The `DLT_` value, as it is numbered on this operating system.
    public let rawValue: Int32

    /// Makes the link type with the `DLT_` value `rawValue`, known or not; compiling for an unknown one fails.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Finds the link type with the name `name`, in upper or lower case and without `DLT_`, as in `EN10MB`.
    ///
    /// Nil if libpcap knows no such name.
    public init?(name: String) {
        // The C string would end at the first NUL, and the rest go unread.
        guard !name.utf8.contains(0) else { return nil }
        let value = pcap_datalink_name_to_val(name)
        guard value >= 0 else { return nil }
        self.init(rawValue: value)
    }

    /// Reads a link type from `text`: a name as in ``init(name:)``, or the decimal `DLT_` value.
    ///
    /// A number must be one that libpcap has a name for, or one of the sixteen kept for private use
    /// (`DLT_USER0` … `DLT_USER15`), which have none.
    ///
    /// - Throws: ``PcapError/Reason/unknownLinkType(_:)``.
    public init(_ text: String) throws(PcapError) {
        if let named = LinkType(name: text) {
            self = named
            return
        }
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let value = Int32(text) else { throw PcapError(.unknownLinkType(text)) }
        self.init(rawValue: value)
        guard libraryName != nil || Self.privateUse.contains(value) else {
            throw PcapError(.unknownLinkType(text))
        }
    }

    /// libpcap's name, without `DLT_`, or the decimal value where it has none.
    ///
    /// ``init(_:)`` reads either back.
    public var name: String { libraryName ?? String(rawValue) }

    private var libraryName: String? { pcap_datalink_val_to_name(rawValue).map { String(cString: $0) } }

    private static let privateUse = DLT_USER0...DLT_USER15
}

extension LinkType: CustomStringConvertible {
    /// libpcap's short description in English, as in `Ethernet`, or `link type` and the value where it has none.
    public var description: String {
        pcap_datalink_val_to_description(rawValue).map { String(cString: $0) } ?? "link type \(rawValue)"
    }
}

extension LinkType {
    /// Ethernet (`DLT_EN10MB`).
    public static let ethernet = LinkType(rawValue: DLT_EN10MB)
    /// An IPv4 or IPv6 packet without a header before it (`DLT_RAW`).
    public static let rawIP = LinkType(rawValue: DLT_RAW)
    /// The address family in the byte order of the capturing host, then the packet (`DLT_NULL`).
    public static let null = LinkType(rawValue: DLT_NULL)
    /// What Linux puts in place of the header on the device `any`, version 1 (`DLT_LINUX_SLL`).
    public static let linuxCooked = LinkType(rawValue: DLT_LINUX_SLL)
    /// What Linux puts in place of the header on the device `any`, version 2 (`DLT_LINUX_SLL2`).
    public static let linuxCooked2 = LinkType(rawValue: DLT_LINUX_SLL2)
    /// IEEE 802.11 (`DLT_IEEE802_11`).
    public static let wireless = LinkType(rawValue: DLT_IEEE802_11)
    /// IEEE 802.11 behind a radiotap header (`DLT_IEEE802_11_RADIO`).
    public static let wirelessRadiotap = LinkType(rawValue: DLT_IEEE802_11_RADIO)

    /// All link types libpcap has a name for, in the order of their numbers.
    ///
    /// libpcap cannot list them; its numbers are given out upward and end far below the 4,095 looked at here.
    public static var named: [LinkType] {
        (0...4095).map { LinkType(rawValue: $0) }.filter { $0.libraryName != nil }
    }
}
