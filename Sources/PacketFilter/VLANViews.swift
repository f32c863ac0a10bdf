import BPFCompiler

// Which view of the packet's VLAN tag a filter is shown.

extension PacketFilter {
    /// The view that a program for `target` shows the filter unless told otherwise.
    ///
    /// It is ``VLANView/wire`` for an Ethernet expression with the word `vlan` where the kernel keeps tags beside the
    /// bytes, so that `vlan` finds them as a live tcpdump's does; ``VLANView/bytes`` for all else, bytecode included.
    public func defaultView(for target: Target) -> VLANView {
        let hook = target.hook
        guard linkType == .ethernet, mentionsVLAN, hook.linkLayer == .ethernet, hook.extensions.contains(.vlanAvail)
        else { return .bytes }
        return .wire
    }

    /// The view that `target` asks for, or the default; -O0 shows bytes only.
    func view(for target: Target, _ options: CompilerOptions) throws(CompilerError) -> VLANView {
        guard let view = target.vlan else {
            return options.level == .mirror ? .bytes : defaultView(for: target)
        }
        if view != .bytes, target.hook.linkLayer == .ethernet, let linkType, linkType != .ethernet {
            throw CompilerError(.viewNeedsEthernet(view, linkType: linkType.name))
        }
        return view
    }

    /// Whether the expression has the keyword `vlan`. One behind a backslash is a name.
    private var mentionsVLAN: Bool {
        guard let expression else { return false }
        // As libpcap's scanner has it: words of letters, digits, '-', '_' and '.'.
        let words = expression.split { character in
            !(character.isLetter || character.isNumber || "-_.\\".contains(character))
        }
        return words.contains("vlan")
    }
}
