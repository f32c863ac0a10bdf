import ExtendedBPF

/// How a capturing program writes packets into its ring buffer.
///
/// A record has a header, every number of which is in the machine's byte order unless it says otherwise, and the
/// packet's bytes behind it. The kernel wants to know a record's size when the program is loaded; so there are a few
/// sizes, and a packet gets the first that it fits.
public struct CapturingLayout: Hashable, Sendable {
    /// The hook.
    public let hook: Hook
    /// How many bytes of a packet are captured at most.
    public let snapshotLength: Int

    /// Makes a layout.
    ///
    /// - Parameter snapshotLength: At least 1; XDP programs get at 65,535 bytes of a packet.
    public init(hook: Hook, snapshotLength: Int) {
        precondition(snapshotLength > 0, "there are bytes to capture")
        self.hook = hook
        self.snapshotLength = hook.context == .xdp ? min(snapshotLength, 65_535) : snapshotLength
    }

    /// The name of the ring buffer.
    public static let ringName = "packets"
    /// The name of the map with the number of the packets that the ring had no room for, 64 bits for each processor: an
    /// array with one entry.
    public static let lossName = "lost_packets"

    /// The map with the number of lost packets.
    public static let lossMap = MapDeclaration(
        name: lossName, kind: .perCPUArray, keySize: 4, valueSize: 8, maxEntries: 1)

    /// Where what is known of a packet is in its header.
    enum Field {
        static let time: Int16 = 0
        static let length: Int16 = 8
        static let captured: Int16 = 12
        static let interface: Int16 = 16
        /// As in the packet: big-endian.
        static let tagProtocol: Int16 = 20
        static let tag: Int16 = 22
        static let packetType: Int16 = 24
        static let linkLayer: Int16 = 28
        // What only some hooks have.
        static let deviceName: Int16 = 32
        static let dropReason: Int16 = 48
        static let linear: Int16 = 52
    }

    /// The bytes of an interface's name, `IFNAMSIZ`.
    static let deviceNameSize = 16

    /// Whether packets of interfaces of several network namespaces come by, where a number says little.
    var hasDeviceName: Bool {
        switch hook.context {
        case .netfilter, .tracing: true
        case .socketBuffer: hook.linkLayer == .rawIP
        case .xdp: false
        }
    }

    /// The bytes in front of the packet's.
    var headerSize: Int { hasDeviceName ? 56 : 32 }

    /// How many bytes of a packet the records of each size have room for; the last is the snapshot length.
    ///
    /// Powers of two waste less than half of a record, and only of its room: what is not written is not copied. Between
    /// them there is one for whole Ethernet frames.
    public var roomSizes: [Int] {
        Self.roomSizes.prefix { $0 < snapshotLength } + [snapshotLength]
    }

    private static let roomSizes = [64, 128, 256, 512, 1024, 1536] + (11...28).map { 1 << $0 }

    /// The most bytes that a record takes in the ring, with what the kernel keeps of it.
    ///
    /// Where a packet is read in two parts there is room for each as if it were the whole.
    public var largestRecord: Int { 8 + headerSize + snapshotLength.roundedUp * (hasParts ? 2 : 1) }

    /// Whether a packet may be there in two parts, each read in its own way.
    var hasParts: Bool { hook.context == .tracing && hook.hasTrustedArguments }
}

extension Int {
    /// The next multiple of 8.
    var roundedUp: Int { (self + 7) & ~7 }
}

/// A packet as a capturing program has written it, as long as the record is there.
public struct CapturedRecord {
    /// When the program had the packet: nanoseconds of the clock ``CapturingProgram/clock(on:)``.
    public let time: UInt64
    /// The packet's length in bytes.
    public let length: UInt32
    /// The number of the interface, 0 where the packet has none.
    public let interface: UInt32
    /// The name of the interface where the number may be one of another network namespace.
    public let interfaceName: String?
    /// The outer VLAN tag where the kernel has taken it out of the bytes: what stands in front of it, and the tag.
    public let tag: (protocol: UInt16, value: UInt16)?
    /// Who the packet is for, `PACKET_…` of `<linux/if_packet.h>`; 0 where the hook does not tell.
    public let packetType: UInt32
    /// What the bytes begin with, where the hook shows several kinds.
    public let linkLayer: Hook.LinkLayer
    /// Why the kernel dropped the packet, `enum skb_drop_reason` of the running kernel, where the hook tells.
    public let dropReason: UInt32?
    /// The packet's first bytes.
    public let bytes: UnsafeRawBufferPointer
    /// Those behind them.
    public let rest: UnsafeRawBufferPointer

    /// Reads a record.
    ///
    /// - Parameter hasDropReason: Whether the program was told where the hook has it.
    public init(_ record: UnsafeRawBufferPointer, _ layout: CapturingLayout, hasDropReason: Bool = false) {
        typealias Field = CapturingLayout.Field
        func number<Number: FixedWidthInteger>(_: Number.Type, at place: Int16) -> Number {
            record.loadUnaligned(fromByteOffset: Int(place), as: Number.self)
        }
        time = number(UInt64.self, at: Field.time)
        length = number(UInt32.self, at: Field.length)
        interface = number(UInt32.self, at: Field.interface)
        let tagProtocol = UInt16(bigEndian: number(UInt16.self, at: Field.tagProtocol))
        tag = tagProtocol == 0 ? nil : (tagProtocol, number(UInt16.self, at: Field.tag))
        packetType = number(UInt32.self, at: Field.packetType)
        linkLayer = number(UInt32.self, at: Field.linkLayer) == FilterPart.rawIPMatch ? .rawIP : .ethernet
        dropReason = hasDropReason ? number(UInt32.self, at: Field.dropReason) : nil
        let captured = Int(number(UInt32.self, at: Field.captured))
        let room = UnsafeRawBufferPointer(rebasing: record[layout.headerSize...])
        if layout.hasDeviceName {
            let name = record[Int(Field.deviceName)...].prefix(CapturingLayout.deviceNameSize).prefix { $0 != 0 }
            interfaceName = name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
            let linear = min(captured, Int(number(UInt32.self, at: Field.linear)))
            bytes = UnsafeRawBufferPointer(rebasing: room[..<linear])
            rest = UnsafeRawBufferPointer(rebasing: room[(room.count / 2)...].prefix(captured - linear))
        } else {
            interfaceName = nil
            bytes = UnsafeRawBufferPointer(rebasing: room[..<captured])
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }
}
