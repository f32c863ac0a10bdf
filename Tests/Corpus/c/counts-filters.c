// A program for tc that counts by what two functions of other files answer. To see where it stores, the verifier has to
// go back to what they can answer; Linux 6.18 loses its way there in functions with the instructions for classic loads.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "first.h"
#include "second.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, __u64);
} totals SEC(".maps");

SEC("tc")
int count(struct __sk_buff *ctx) {
    __u64 slots[4] = {};
    volatile __u64 *bytes = slots;
    if (first(ctx)) bytes[1] += ctx->len;
    if (second(ctx)) bytes[2] += ctx->len;
    __u32 key = first(ctx) + 2 * second(ctx);
    __u64 *total = bpf_map_lookup_elem(&totals, &key);
    if (total) *total += bytes[key & 3];
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
