#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The processor time this thread has taken, in nanoseconds. What other threads were given meanwhile is not in it,
/// interrupts may be.
package func processorTime() -> Double {
    var time = timespec()
    // Fails for clocks that are not there only, and Linux has this one.
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}
