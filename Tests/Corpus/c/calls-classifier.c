// A tc program whose decision is two functions of other files. Including the header twice does no harm.
#include HEADER
#include HEADER
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

extern int excepts(struct __sk_buff *skb);
int runs;

SEC("classifier")
int decide(struct __sk_buff *skb) {
    runs++;
    return matches(skb) && !excepts(skb) ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
