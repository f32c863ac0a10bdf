// An XDP program whose decision is a function of another file; HEADER declares it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include HEADER

SEC("xdp")
int decide(struct xdp_md *ctx) {
    return matches(ctx) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
