#if os(Linux)
    import BPFKernel
    import Foundation
    import Testing
    import TestSupport

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct RunningKernelTests {
        private static let internalHelpers = [
            "bpf_skb_load_helper_8", "bpf_skb_load_helper_16", "bpf_skb_load_helper_32", "bpf_skb_get_pay_offset",
            "bpf_skb_get_nlattr", "bpf_skb_get_nlattr_nest", "bpf_get_raw_cpu_id", "bpf_user_rnd_u32",
        ]

        @Test func distancesAgreeWithAwk() throws {
            let names = Self.internalHelpers
            let distances = try RunningKernel.callDistances(of: names)
            #expect(distances.count == names.count)
            for name in names {
                let line = try run("awk", ["$3 == \"\(name)\" || $3 == \"__bpf_call_base\"", "/proc/kallsyms"]).text
                var addresses: [Substring: UInt64] = [:]
                for line in line.split(separator: "\n") {
                    let fields = line.split(separator: " ")
                    if addresses[fields[2]] == nil { addresses[fields[2]] = UInt64(fields[0], radix: 16) }
                }
                let address = try #require(addresses[Substring(name)])
                let base = try #require(addresses["__bpf_call_base"])
                #expect(distances[name].map(Int64.init) == Int64(bitPattern: address &- base))
            }
        }

        @Test func namesTheUnknownSymbol() {
            // Longer and shorter than names there are.
            for name in ["bpf_skb_load_helper_", "bpf_skb_load_helper_8_", "", "no_such_function_anywhere"] {
                #expect(throws: KernelError(.unknownSymbol(name), in: .readSymbols)) {
                    try RunningKernel.callDistances(of: ["bpf_user_rnd_u32", name])
                }
            }
        }

        @Test func readsTheKernelsTypes() throws {
            let types = try RunningKernel.typeInformation()
            #expect(types == [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/sys/kernel/btf/vmlinux"))))
            #expect(types.count > 1 << 20)
        }
    }
#endif
