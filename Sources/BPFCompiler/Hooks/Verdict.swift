/// What a program tells its hook to do with a packet.
public struct Verdict: Hashable, Sendable {
    /// The name on the command line.
    public var name: String
    /// What the program returns, all 32 bits of it.
    public var value: UInt32

    /// Makes a verdict.
    public init(name: String, value: UInt32) {
        self.name = name
        self.value = value
    }

    /// A verdict that has no name: the number itself.
    public init(value: UInt32) {
        self.init(name: String(value), value: value)
    }
}

extension Verdict {
    /// Ends classification, the packet goes on (`TC_ACT_OK`).
    public static let ok = Verdict(name: "ok", value: 0)
    /// Starts classification again (`TC_ACT_RECLASSIFY`).
    public static let reclassify = Verdict(name: "reclassify", value: 1)
    /// Drops the packet (`TC_ACT_SHOT`).
    public static let shot = Verdict(name: "shot", value: 2)
    /// Goes on with the next action (`TC_ACT_PIPE`).
    public static let pipe = Verdict(name: "pipe", value: 3)
    /// The packet is taken over (`TC_ACT_STOLEN`).
    public static let stolen = Verdict(name: "stolen", value: 4)
    /// The packet is taken over and queued (`TC_ACT_QUEUED`).
    public static let queued = Verdict(name: "queued", value: 5)
    /// Runs the action again (`TC_ACT_REPEAT`).
    public static let `repeat` = Verdict(name: "repeat", value: 6)
    /// Sends the packet to the interface chosen before (`TC_ACT_REDIRECT`).
    public static let redirect = Verdict(name: "redirect", value: 7)
    /// Hands the packet to the processor in hardware offload (`TC_ACT_TRAP`).
    public static let trap = Verdict(name: "trap", value: 8)
    /// Goes on with the next filter, or the default action (`TC_ACT_UNSPEC`, −1).
    public static let unspec = Verdict(name: "unspec", value: 0xffff_ffff)

    /// The verdicts of traffic control. Source: `<linux/pkt_cls.h>`.
    static let trafficControl: [Verdict] = [
        .ok, .shot, .unspec, .pipe, .reclassify, .stolen, .queued, .repeat, .redirect, .trap,
    ]
}
