import CPcap

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One call of `pcap_compile`: what goes in and what comes out.
struct Compilation {
    let handle: OpaquePointer
    let text: UnsafePointer<CChar>
    let optimizes: Int32
    let netmask: UInt32
    var program = bpf_program()
    /// 0 if `program` is to be used and freed.
    var status: Int32 = -1

    mutating func run() {
        status = Library.compiler.withLock { _ in
            pcap_compile(handle, &program, text, optimizes, netmask)
        }
    }
}

/// The stack libpcap compiles on.
///
/// Its recursion follows the chain of branches, 192 bytes each, with no check; 10,000 `host` primitives overrun 8 MiB.
/// libpcap takes memory for branches from an arena that ends at 64 MiB, so the chain is bounded: the deepest found by
/// trial used 42 MB. The system commits only the pages that are touched.
private let stackSize = 256 << 20

/// Runs `compilation` on a thread of its own with a stack that no expression can overrun.
///
/// Returns whether there was such a thread. Starting one takes some 100 µs.
func runOnLargeStack(_ compilation: inout Compilation) -> Bool {
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return false }
    defer { pthread_attr_destroy(&attributes) }
    guard pthread_attr_setstacksize(&attributes, stackSize) == 0 else { return false }
    return withUnsafeMutablePointer(to: &compilation) { pointer in
        #if canImport(Darwin)
            var thread: pthread_t?
            guard pthread_create(&thread, &attributes, start, pointer) == 0, let thread else { return false }
        #else
            var thread = pthread_t()
            guard pthread_create(&thread, &attributes, start, pointer) == 0 else { return false }
        #endif
        return pthread_join(thread, nil) == 0
    }
}

#if canImport(Darwin)
    private func start(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        argument.assumingMemoryBound(to: Compilation.self).pointee.run()
        return nil
    }
#else
    private func start(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        argument?.assumingMemoryBound(to: Compilation.self).pointee.run()
        return nil
    }
#endif
