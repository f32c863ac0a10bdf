// A tc program whose decision is a function of another file.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

extern int matches(struct __sk_buff *skb);
int runs;

SEC("classifier")
int decide(struct __sk_buff *skb) {
    runs++;
    return matches(skb) ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
