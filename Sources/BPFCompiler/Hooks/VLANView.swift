/// The packet that a filter is shown, as to its outer VLAN tag.
///
/// The kernel takes the outer tag (0x8100 or 0x88a8 at offset 12) out of the bytes of a packet that comes in, and keeps
/// it beside them, before tc ingress and packet sockets see the packet; XDP sees it in place. A packet that goes out has
/// its tag beside the bytes or among them, depending on who made it.
///
/// Views are about Ethernet: on hooks whose packets begin with an IP header there is no tag to show, and all three are
/// the same. The extensions (`vlan_tci`, `vlan_avail`, `vlan_tpid`, `proto` …) tell what the kernel has beside the bytes,
/// whichever view it is.
public enum VLANView: String, Hashable, Sendable, CaseIterable {
    /// The hook's bytes as they are: what a classic filter of a socket is shown.
    case bytes
    /// The packet as it was on the wire: a tag beside the bytes is put back, which moves all from offset 12 on by 4 and
    /// makes `len` 4 more. Without one, and on XDP, the packet as it is.
    case wire
    /// The packet without its outer tag, which has the same answer for it tagged and untagged: a tag beside the bytes is
    /// not shown, else the tag at offset 12, if there is one, is skipped. So a second tag is what the first one was.
    ///
    /// This is the tag that the kernel takes out itself, and so the answer at XDP is that at tc ingress, unless the
    /// network card has taken a tag out before XDP saw the packet. `len` is 4 less where a tag is skipped.
    case stripped
}

extension VLANView {
    /// Whether packets at `hook` may have their bytes elsewhere than the view shows them.
    func movesBytes(on hook: Hook) -> Bool {
        guard hook.linkLayer == .ethernet else { return false }
        return switch self {
        case .bytes: false
        // Only a tag beside the bytes can be put back.
        case .wire: hook.extensions.contains(.vlanAvail)
        case .stripped: true
        }
    }
}
