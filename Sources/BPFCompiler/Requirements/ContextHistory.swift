// With which version of Linux what programs find at a hook came.

extension Hook {
    /// What reading the context at that distance in bytes is, and the version it came with.
    ///
    /// Source: the release notes; the members of `struct __sk_buff` and `struct xdp_md` stand in `<linux/bpf.h>` in the
    /// order in which they came.
    func contextMember(at offset: Int16) -> (feature: String, kernel: KernelVersion)? {
        switch context {
        case .socketBuffer: socketBufferMember(at: offset)
        case .xdp: xdpMember(at: offset)
        case .netfilter, .tracing: nil
        }
    }

    private func socketBufferMember(at offset: Int16) -> (feature: String, kernel: KernelVersion) {
        switch offset {
        case 0..<32: ("members of struct __sk_buff", KernelVersion(4, 1))
        case 32..<36: ("priority in struct __sk_buff", KernelVersion(4, 1))
        case 36..<68: ("interface and cb in struct __sk_buff", KernelVersion(4, 2))
        case 68..<76: ("hash in struct __sk_buff", KernelVersion(4, 3))
        case 76..<84: ("direct access to packets", directAccess)
        case 84..<88: ("napi_id in struct __sk_buff", KernelVersion(4, 12))
        case 88..<140: ("addresses in struct __sk_buff", KernelVersion(4, 14))
        case 140..<144: ("data_meta in struct __sk_buff", KernelVersion(4, 15))
        case 144..<152: ("flow_keys in struct __sk_buff", KernelVersion(4, 20))
        case 152..<164: ("tstamp and wire_len in struct __sk_buff", KernelVersion(5, 0))
        case 164..<176: ("gso_segs and sk in struct __sk_buff", KernelVersion(5, 1))
        case 176..<184: ("gso_size in struct __sk_buff", KernelVersion(5, 7))
        default: ("hwtstamp in struct __sk_buff", KernelVersion(5, 16))
        }
    }

    private var directAccess: KernelVersion {
        switch host {
        case .cgroupIngress, .cgroupEgress: KernelVersion(5, 0)
        default: KernelVersion(4, 7)
        }
    }

    private func xdpMember(at offset: Int16) -> (feature: String, kernel: KernelVersion) {
        switch offset {
        case 0..<8: ("direct access to packets", KernelVersion(4, 8))
        case 8..<12: ("data_meta in struct xdp_md", KernelVersion(4, 15))
        case 12..<20: ("ingress_ifindex and rx_queue_index in struct xdp_md", KernelVersion(4, 16))
        default: ("egress_ifindex in struct xdp_md", KernelVersion(5, 8))
        }
    }

    /// The version since which programs of the hook can call a helper function; nil where that is the function's own.
    func helper(_ number: Int32) -> KernelVersion? {
        // Programs of sockets could not copy packets at first.
        host == .socket && number == 26 ? KernelVersion(4, 11) : nil
    }
}
