import ExtendedBPF

/// The members of `struct __sk_buff` that programs read. The raw value is the distance in bytes from its start.
///
/// Source: `<linux/bpf.h>`; every member is a u32.
enum ContextField: Int16 {
    case len = 0
    case packetType = 4
    case mark = 8
    case queueMapping = 12
    case `protocol` = 16
    case vlanPresent = 20
    case vlanTCI = 24
    case vlanProto = 28
    case ifindex = 40
    case hash = 68
    case data = 76
    case dataEnd = 80

    /// `dst = context->field`, the context being in `context`.
    func load(into dst: Register, from context: Register) -> Instruction {
        .load(.word, dst, context, rawValue)
    }
}

/// The helper functions that programs call. The raw value is the number in `<linux/bpf.h>`.
enum HelperFunction: Int32 {
    /// `bpf_map_lookup_elem`
    case mapLookup = 1
    /// `bpf_ktime_get_ns`
    case monotonicTime = 5
    /// `bpf_get_prandom_u32`
    case randomNumber = 7
    /// `bpf_get_smp_processor_id`
    case processorID = 8
    /// `bpf_skb_load_bytes`
    case socketBufferCopy = 26
    /// `bpf_skb_load_bytes_relative`
    case relativeCopy = 68
    /// `bpf_ringbuf_reserve`
    case ringReserve = 131
    /// `bpf_ringbuf_submit`
    case ringSubmit = 132
    /// `bpf_loop`
    case loop = 181
    /// `bpf_xdp_get_buff_len`
    case xdpBufferLength = 188
    /// `bpf_xdp_load_bytes`
    case xdpCopy = 189
    /// `bpf_dynptr_read`
    case dynptrRead = 201
    /// `bpf_ktime_get_tai_ns`
    case atomicTime = 208
}
