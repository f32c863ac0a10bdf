import ExtendedBPF

/// With which version of Linux things came that programs use.
///
/// Source: the release notes at kernelnewbies.org and the kernel's documentation of BPF; helper functions' numbers stand
/// in `<linux/bpf.h>` and in bpf-helpers(7), each release's behind those of the one before.
enum KernelHistory {
    // MARK: Instructions

    static let less = KernelVersion(4, 14)
    static let localCalls = KernelVersion(4, 16)
    static let jump32 = KernelVersion(5, 1)
    static let tables = KernelVersion(5, 2)
    static let longPrograms = KernelVersion(5, 2)
    static let loops = KernelVersion(5, 3)
    static let packetLoadsBesideCalls = KernelVersion(5, 10)
    static let fetchingAtomics = KernelVersion(5, 12)
    static let computedStackLoads = KernelVersion.computedStackLoads
    static let callbacks = KernelVersion(5, 13)
    static let fourthInstructionSet = KernelVersion(6, 6)
    static let mayGoto = KernelVersion.mayGoto

    // MARK: Captures

    static let ringBuffers = KernelVersion(5, 8)
    /// A helper function that copies packets in several buffers, too.
    static let xdpCopies = KernelVersion(5, 18)

    /// The most slots of a program before 5.2, `BPF_MAXINSNS`.
    static let formerSlotLimit = 4096

    // MARK: The kernel's own structures

    /// Types of the kernel that loaders read (`/sys/kernel/btf/vmlinux`).
    static let kernelTypes = KernelVersion(5, 4)
    /// A cast to no type, which gives memory to read by plain loads.
    static let castToVoid = KernelVersion(6, 17)
    /// Plain loads through the pointers of the kernel's structures to a packet's bytes.
    static let plainPacketPointers = KernelVersion(6, 18)

    /// The version that a member came with which later kernels have and earlier ones have not; nil for others.
    static func member(_ member: String, of structure: String) -> KernelVersion? {
        structure == "sk_buff" && member == "vlan_all" ? .tagMember : nil
    }

    /// Kernel functions (kfuncs) by name.
    static func kernelFunction(_ name: String) -> KernelVersion? { kernelFunctions[name] }

    private static let kernelFunctions: [String: KernelVersion] = [
        "bpf_cast_to_kern_ctx": KernelVersion(6, 2),
        "bpf_rdonly_cast": KernelVersion(6, 2),
        "bpf_dynptr_from_skb": KernelVersion(6, 4),
        "bpf_dynptr_from_xdp": KernelVersion(6, 4),
        "bpf_dynptr_slice": KernelVersion(6, 4),
        "bpf_dynptr_slice_rdwr": KernelVersion(6, 4),
        "bpf_iter_num_new": KernelVersion(6, 4),
        "bpf_iter_num_next": KernelVersion(6, 4),
        "bpf_iter_num_destroy": KernelVersion(6, 4),
        "bpf_dynptr_adjust": KernelVersion(6, 5),
        "bpf_dynptr_is_null": KernelVersion(6, 5),
        "bpf_dynptr_is_rdonly": KernelVersion(6, 5),
        "bpf_dynptr_size": KernelVersion(6, 5),
        "bpf_dynptr_clone": KernelVersion(6, 5),
    ]

    // MARK: Helper functions

    /// The version a helper function came with, nil where that is not known.
    static func helper(_ number: Int32) -> KernelVersion? {
        helperReleases.first { $0.numbers.contains(number) }?.kernel
    }

    /// The name of a helper function that packet programs call, nil for others.
    static func helperName(_ number: Int32) -> String? { helperNames[number] }

    private static let helperReleases: [(numbers: ClosedRange<Int32>, kernel: KernelVersion)] = [
        (1...3, KernelVersion(3, 19)), (4...11, KernelVersion(4, 1)), (12...16, KernelVersion(4, 2)),
        (17...22, KernelVersion(4, 3)), (23...25, KernelVersion(4, 4)), (26...26, KernelVersion(4, 5)),
        (27...30, KernelVersion(4, 6)), (31...36, KernelVersion(4, 8)), (37...41, KernelVersion(4, 9)),
        (42...44, KernelVersion(4, 10)), (45...45, KernelVersion(4, 11)), (46...47, KernelVersion(4, 12)),
        (48...50, KernelVersion(4, 13)), (51...53, KernelVersion(4, 14)), (54...57, KernelVersion(4, 15)),
        (58...59, KernelVersion(4, 16)), (60...64, KernelVersion(4, 17)), (65...80, KernelVersion(4, 18)),
        (81...83, KernelVersion(4, 19)), (84...90, KernelVersion(4, 20)), (91...92, KernelVersion(5, 0)),
        (93...98, KernelVersion(5, 1)), (99...108, KernelVersion(5, 2)), (109...110, KernelVersion(5, 3)),
        (111...115, KernelVersion(5, 5)), (125...125, KernelVersion(5, 8)), (130...135, KernelVersion(5, 8)),
        (181...181, KernelVersion(5, 17)), (188...190, KernelVersion(5, 18)), (197...203, KernelVersion(5, 19)),
        (208...208, .atomicTime),
    ]

    /// Without `bpf_`, as `<linux/bpf.h>` has them.
    static let helperNames: [Int32: String] = [
        1: "map_lookup_elem", 2: "map_update_elem", 3: "map_delete_elem", 4: "probe_read", 5: "ktime_get_ns",
        6: "trace_printk", 7: "get_prandom_u32", 8: "get_smp_processor_id", 9: "skb_store_bytes", 12: "tail_call",
        13: "clone_redirect", 18: "skb_vlan_push", 19: "skb_vlan_pop", 23: "redirect", 25: "perf_event_output",
        26: "skb_load_bytes", 34: "get_hash_recalc", 38: "skb_change_tail", 39: "skb_pull_data",
        44: "xdp_adjust_head", 51: "redirect_map", 54: "xdp_adjust_meta", 65: "xdp_adjust_tail",
        68: "skb_load_bytes_relative", 69: "fib_lookup", 111: "skb_output", 112: "probe_read_user",
        113: "probe_read_kernel", 125: "ktime_get_boot_ns", 130: "ringbuf_output", 131: "ringbuf_reserve",
        132: "ringbuf_submit", 133: "ringbuf_discard", 181: "loop", 188: "xdp_get_buff_len",
        189: "xdp_load_bytes", 190: "xdp_store_bytes", 201: "dynptr_read", 202: "dynptr_write", 203: "dynptr_data",
        208: "ktime_get_tai_ns",
    ]
}

extension MapDeclaration.Kind {
    /// The version the kind of map came with.
    var minimumKernel: KernelVersion {
        switch self {
        case .hash, .array: KernelVersion(3, 19)
        case .perCPUHash, .perCPUArray: KernelVersion(4, 6)
        case .lruHash: KernelVersion(4, 10)
        case .longestPrefixMatch: KernelVersion(4, 11)
        case .ringBuffer: KernelVersion(5, 8)
        }
    }
}
