// A program for XDP or, with TC defined, for tc: two functions of other files decide. The headers declare them.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "first.h"
#include "second.h"

#ifdef TC
SEC("classifier")
int decide(struct __sk_buff *ctx) {
#else
SEC("xdp")
int decide(struct xdp_md *ctx) {
#endif
    return 4 + 2 * first(ctx) + second(ctx);
}

char LICENSE[] SEC("license") = "GPL";
