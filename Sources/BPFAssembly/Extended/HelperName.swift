/// The names of the helper functions that packet programs call.
enum HelperName {
    /// By number, as in `enum bpf_func_id`. Source: `<linux/bpf.h>`.
    static let byNumber: [Int32: String] = [
        1: "bpf_map_lookup_elem",
        5: "bpf_ktime_get_ns",
        7: "bpf_get_prandom_u32",
        8: "bpf_get_smp_processor_id",
        26: "bpf_skb_load_bytes",
        68: "bpf_skb_load_bytes_relative",
        113: "bpf_probe_read_kernel",
        130: "bpf_ringbuf_output",
        181: "bpf_loop",
        188: "bpf_xdp_get_buff_len",
        189: "bpf_xdp_load_bytes",
    ]

    /// By name, the number.
    static let numbers: [String: Int32] = Dictionary(uniqueKeysWithValues: byNumber.map { ($0.value, $0.key) })
}
