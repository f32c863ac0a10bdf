/// What the function that a filter becomes is to the program it is in.
enum FunctionRole: Hashable, Sendable {
    /// The function is nothing but the filter: what it returns is the filter's answer, and where it ends early, with 0,
    /// that is an answer too. It may be the whole program, or called by one.
    case filter
    /// The instructions become a part of a function that goes on behind them, whatever the filter's answer
    /// (``FilterPart``).
    case part
}

/// The permit to read packets by the kernel's instructions for classic loads (`LD_ABS`, `LD_IND`), which end the function
/// they are in with 0 where the packet has no such bytes.
///
/// Whatever chooses such an instruction has to hold one: the way of reading (``PacketAccess``), the graph's loads
/// (``Graph/AreaReader``), and what writes the instruction down. There is no other way to one than from the role of the
/// function, so that in a part of a function there is none, and no pass can make one. A part that ended its function
/// would answer for all that stands behind it: a counter would let packets pass that the next program drops.
struct EndingPermit: Hashable, Sendable {
    private init() {}

    /// The permit of functions of that role on `hook`, nil where there is none.
    static func permit(for role: FunctionRole, on hook: Hook) -> EndingPermit? {
        role == .filter && hook.hasPacketLoads ? EndingPermit() : nil
    }
}
