/*
 * What the reference filters share: the two hooks they can be compiled for, and how they read packets.
 *
 *     clang -O2 -target bpf -mcpu=v3 -DHOOK_XDP -c tcp-port-80.c
 *
 * Every program returns 1 for packets that match and 0 for the others, and decides as libpcap's classic program for
 * the expression in its first line does: a packet that ends before a byte the classic program loads does not match.
 * At tc only the linear part of a packet is looked at; what lies behind it is taken for the end, as hand-written
 * programs that call no helper do.
 *
 * The structures are the kernel's promise to programs (struct xdp_md, struct __sk_buff), down to the fields used here.
 */
#ifndef FILTER_H
#define FILTER_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#if defined(HOOK_XDP)
struct context {
    u32 data, data_end;
};
#define SECTION "xdp"
#elif defined(HOOK_TC)
struct context {
    u32 len, others[18], data, data_end;
};
#define SECTION "classifier"
#else
#error "define HOOK_XDP or HOOK_TC"
#endif

#define NETWORK16(n) ((u16)__builtin_bswap16(n))
#define NETWORK32(n) ((u32)__builtin_bswap32(n))
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the comparisons are written for little-endian machines"
#endif

/* EtherType, as it is loaded. */
#define IPV4 NETWORK16(0x0800)
#define IPV6 NETWORK16(0x86dd)
#define ARP NETWORK16(0x0806)
#define RARP NETWORK16(0x8035)

/* The number at a place; packets are not aligned. */
#define LOAD8(at) (*(const u8 *)(at))
#define LOAD16(at) (*(const u16 *)(at))
#define LOAD32(at) (*(const u32 *)(at))

/* Keeps the compiler from taking a pointer or a number apart again: what was added to it stays added. */
#define KEEP(value) asm("" : "+r"(value))

/*
 * The program. Its body sees `packet`, the first byte, `end`, the one behind the last, and the `context`, and returns
 * whether the packet matches. The compiler is not to know the results, so that the register for them is set once at
 * the start and once where all matches meet, not before every branch.
 */
#define FILTER                                                                                                     \
    static inline __attribute__((always_inline)) int match(PARAMETERS);                                            \
    __attribute__((section(SECTION), used)) int filter(const struct context *context)                              \
    {                                                                                                              \
        int result = 0, yes = 1;                                                                                   \
        KEEP(result);                                                                                              \
        if (match((const u8 *)(u64)context->data, (const u8 *)(u64)context->data_end, context)) {                  \
            asm volatile("" : "+r"(yes));                                                                          \
            result = yes;                                                                                          \
        }                                                                                                          \
        return result;                                                                                             \
    }                                                                                                              \
    static inline __attribute__((always_inline)) int match(PARAMETERS)

#define PARAMETERS UNUSED const u8 *packet, UNUSED const u8 *end, UNUSED const struct context *context
#define UNUSED __attribute__((unused))

#endif
