import SystemPackage

/// Where the verifier writes, for one attempt.
final class LogBuffer {
    /// `log_level`; 0 asks for no log.
    let level: UInt32
    /// The room in bytes.
    let size: UInt32
    /// The room, nil for none.
    let start: UnsafeMutableRawPointer?
    /// How much room the whole log needs; 0 where the kernel does not tell.
    var needed: UInt32 = 0

    /// No log.
    init() {
        (level, size, start) = (0, 0, nil)
    }

    /// An empty log.
    init(level: UInt32, size: UInt32) {
        self.level = level
        self.size = size
        let start = UnsafeMutableRawPointer.allocate(byteCount: Int(size), alignment: 8)
        start.storeBytes(of: 0, as: UInt8.self)
        self.start = start
    }

    deinit { start?.deallocate() }

    /// What has been written.
    var text: String {
        start.map { String(cString: $0.assumingMemoryBound(to: CChar.self)) } ?? ""
    }

    /// The room to begin with: most logs fit.
    private static let firstSize: UInt32 = 1 << 16

    /// The largest room that the kernel takes (5.2 and later).
    private static let largestSize = UInt32.max >> 2

    /// Calls `attempt` with ever more room until the whole log fits, and returns that log with the result.
    ///
    /// A log that was too small turns a refusal, and a success too, into `ENOSPC`. Kernels from 6.4 on say how much
    /// is needed, so the second attempt is the last; for others the room grows sixteenfold.
    static func collect<Value: Sendable>(
        level: UInt32, _ attempt: (LogBuffer) throws(Errno) -> Value
    ) -> (result: Result<Value, Errno>, log: String) {
        var size = firstSize
        while true {
            let log = LogBuffer(level: level, size: size)
            do throws(Errno) {
                return (.success(try attempt(log)), log.text)
            } catch {
                guard error == .noSpace, size < largestSize else { return (.failure(error), log.text) }
                let next = log.needed > size ? log.needed : size.multipliedReportingOverflow(by: 16).partialValue
                size = next > size ? min(next, largestSize) : largestSize
            }
        }
    }
}
