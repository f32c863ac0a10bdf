#if os(Linux)
    @testable import BPFKernel
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

        @Test func theVersionIsTheShells() throws {
            let script = "IFS=.- ; set -- $(uname -r); echo $(($1 << 16 | $2 << 8 | ($3 > 255 ? 255 : $3)))"
            #expect(try run("sh", ["-c", script]).text == "\(RunningKernel.versionCode)\n")
        }

        /// The third number has one byte, as in the kernels 4.9.256 and later.
        @Test(
            arguments: [
                ("6.18.44-fc-v595", 0x06122c), ("6.1.0-18-amd64", 0x060100), ("4.9.337", 0x0409ff), ("5.10", 0x050a00),
                ("6.19.0rc1+", 0x061300), ("7", 0x070000), ("", 0),
            ] as [(String, UInt32)])
        func aReleaseHasThreeNumbers(release: String, code: UInt32) {
            #expect(RunningKernel.versionCode(ofRelease: release) == code)
        }

        @Test func readsTheKernelsTypes() throws {
            let types = try RunningKernel.typeInformation()
            #expect(types == [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/sys/kernel/btf/vmlinux"))))
            #expect(types.count > 1 << 20)
        }
    }
#endif
