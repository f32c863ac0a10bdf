// An XDP program whose decision is a function of another file.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#ifndef RESULT
#define RESULT _Bool
#endif

extern RESULT matches(struct xdp_md *ctx);

SEC("xdp")
int decide(struct xdp_md *ctx) {
    return matches(ctx) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
