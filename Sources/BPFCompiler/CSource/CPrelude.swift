/// What the C of every filter begins with: the types, the packet's bytes, helper functions.
enum CPrelude {
    /// A helper function of the kernel that the C calls.
    enum Helper: Int32, CaseIterable {
        case randomNumber = 7
        case processorID = 8
        case loadBytes = 26

        fileprivate var declaration: String {
            switch self {
            case .randomNumber: "static u32 (*bpf_get_prandom_u32)(void) = (void *)7;\n"
            case .processorID: "static u32 (*bpf_get_smp_processor_id)(void) = (void *)8;\n"
            case .loadBytes:
                "static long (*bpf_skb_load_bytes)(const void *skb, u32 offset, void *to, u32 len) = (void *)26;\n"
            }
        }
    }

    static func text(for hook: Hook, helpers: Set<Helper>) -> String {
        let helpers = Helper.allCases.filter(helpers.contains).map(\.declaration).joined()
        return start + header(for: hook) + helpers + "\n" + (hook == .xdp ? xdpBytes : socketBufferBytes)
    }

    private static let start = #"""
        typedef unsigned char u8;
        typedef unsigned short u16;
        typedef unsigned int u32;
        typedef unsigned long long u64;

        #define SEC(name) __attribute__((section(name), used))
        /* The compiler forgets what it knows of a value, so that it leaves in the checks that the verifier wants. */
        #define KEEP(value) __asm__ volatile("" : "+r"(value))
        #if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        #define NTOH16(n) ((u32)__builtin_bswap16((u16)(n)))
        #define NTOH32(n) __builtin_bswap32(n)
        #else
        #define NTOH16(n) ((u32)(u16)(n))
        #define NTOH32(n) (n)
        #endif
        /* The big-endian number at a place. */
        #define LOAD8(at) ((u32)*(const u8 *)(at))
        #define LOAD16(at) NTOH16(*(const u16 *)(at))
        #define LOAD32(at) NTOH32(*(const u32 *)(at))
        /* The same from a place that a copy may not have at a multiple of its size, as the verifier wants it. */
        #define PARTS16(at) (LOAD8(at) << 8 | LOAD8((at) + 1))
        #define PARTS32(at) (PARTS16(at) << 16 | PARTS16((at) + 2))


        """#

    /// The hook's part of `<linux/bpf.h>`. Where a distribution has the headers of each processor in a folder of its own,
    /// clang does not find them for the target bpf.
    private static func header(for hook: Hook) -> String {
        let types =
            hook == .xdp
            ? """
            struct xdp_md {
                u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index;
            };
            enum xdp_action { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
            """
            : """
            struct __sk_buff {
                u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority;
                u32 ingress_ifindex, ifindex, tc_index, cb[5], hash, tc_classid, data, data_end;
            };
            """
        return """
            #if __has_include(<asm/types.h>)
            #include <linux/bpf.h>
            #else
            /* What is needed of <linux/bpf.h>, which includes a header that is not found here. */
            \(types)
            #endif

            """
    }

    private static let xdpBytes = """
        /* The packet's length. Pointers are kept from becoming numbers before their difference is known. */
        static __attribute__((always_inline, unused)) u32 length_of(struct xdp_md *ctx)
        {
            u64 start = ctx->data, end = ctx->data_end;

            KEEP(start);
            KEEP(end);
            end -= start;
            KEEP(end);
            return end;
        }

        /* The packet's `size` bytes from `offset` on, or 0 where it does not have so many. */
        static __attribute__((always_inline, unused)) const u8 *packet(struct xdp_md *ctx, u64 offset, u64 size)
        {
            const u8 *at = (const u8 *)(long)ctx->data;

            KEEP(offset);
            if (offset > 0xffff - size)
                return 0;
            at += offset;
            KEEP(at);
            return at + size <= (const u8 *)(long)ctx->data_end ? at : 0;
        }

        """

    private static let socketBufferBytes = """
        /* The packet's `size` bytes from `offset` on, a copy where they are outside its first part, or 0. */
        static __attribute__((always_inline, unused)) const u8 *packet(
            struct __sk_buff *ctx, u64 offset, u64 size, u8 *copy)
        {
            const u8 *at = (const u8 *)(long)ctx->data;

            KEEP(offset);
            if (offset <= 0xffff - size) {
                at += offset;
                KEEP(at);
                if (at + size <= (const u8 *)(long)ctx->data_end)
                    return at;
            }
            return bpf_skb_load_bytes(ctx, offset, copy, size) ? 0 : copy;
        }

        """
}
