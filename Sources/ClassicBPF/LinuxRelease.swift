/// A release of Linux by its numbers, such as 3.16, or 2.6.33 of the times when there were three.
public struct LinuxRelease: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first number.
    public var major: Int
    /// The second number.
    public var minor: Int
    /// The third number, which counts before 3.0 only and is 0 from then on.
    public var patch: Int

    /// Makes a release of its numbers.
    public init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// The earliest release that is told of, from which on the kernel's history is public; what it has may be older.
    public static let earliest = LinuxRelease(2, 6, 12)

    /// The numbers with dots between them, the third only before 3.0.
    public var description: String { major < 3 ? "\(major).\(minor).\(patch)" : "\(major).\(minor)" }

    /// Whether `left` is the earlier one.
    public static func < (left: LinuxRelease, right: LinuxRelease) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}

extension Extension {
    /// The release of Linux that came with it; some vendors' kernels have it earlier.
    ///
    /// Source: the kernel's history of `<linux/filter.h>`. Beside each release stands the title of the commit that
    /// defines the constant.
    public var release: LinuxRelease {
        switch self {
        case .proto, .type, .ifidx: .earliest
        case .nla: LinuxRelease(2, 6, 26)  // skfilter: Add SKF_ADF_NLATTR instruction
        case .nlan: LinuxRelease(2, 6, 29)  // filter: add SKF_AD_NLATTR_NEST to look for nested attributes
        case .mark: LinuxRelease(2, 6, 33)  // pkt_sched: ingress socket filter by mark
        case .queue: LinuxRelease(2, 6, 33)  // filter: Add SKF_AD_QUEUE instruction
        case .hatype: LinuxRelease(2, 6, 35)  // net: Socket filter ancilliary data access for skb->dev->type
        case .rxhash, .cpu: LinuxRelease(2, 6, 38)  // filter: add SKF_AD_RXHASH and SKF_AD_CPU
        case .xorX: LinuxRelease(3, 5)  // filter: add XOR operation
        case .vlanTCI, .vlanAvail: LinuxRelease(3, 8)  // net: filter: add vlan tag access
        case .poff: LinuxRelease(3, 10)  // filter: add ANC_PAY_OFFSET instruction for loading payload start offset
        case .rand: LinuxRelease(3, 16)  // filter: added BPF random opcode
        case .vlanTPID: LinuxRelease(4, 1)  // filter: introduce SKF_AD_VLAN_TPID BPF extension
        }
    }
}

extension Operation {
    /// Its name and the release of Linux that came with it, where that is not the earliest.
    ///
    /// Source: as of ``Extension/release``; `mod` is of "filter: add MOD operation", `xor` of "filter: add XOR
    /// instruction for use with X/K".
    var addition: (name: String, release: LinuxRelease)? {
        switch self {
        case .load(.extension(let known)) where known.release > .earliest:
            ("the extension \(known.name)", known.release)
        case .arithmetic(.modulo, _): ("mod", LinuxRelease(3, 7))
        case .arithmetic(.xor, _): ("xor", LinuxRelease(3, 7))
        default: nil
        }
    }
}
