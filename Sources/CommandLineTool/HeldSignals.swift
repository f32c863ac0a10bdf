#if os(Linux)
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// The signals by which people and systems end a command, held back so that it ends in its own time.
    struct HeldSignals {
        fileprivate var set = sigset_t()
        /// Which they are.
        let numbers: [CInt]

        fileprivate init(_ signals: [CInt]) {
            numbers = signals.filter { !Self.isIgnored($0) }
            sigemptyset(&set)
            for signal in numbers { sigaddset(&set, signal) }
        }

        /// Whether whoever started the process wants it to outlive the signal, as nohup does.
        fileprivate static func isIgnored(_ signal: CInt) -> Bool {
            var action = sigaction()
            guard sigaction(signal, nil, &action) == 0 else { return false }
            return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
        }

        /// Waits for one of them; false where none has come in `time`.
        func arrive(within time: Duration) -> Bool {
            var set = set
            let (seconds, attoseconds) = time.components
            var limit = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
            return sigtimedwait(&set, nil, &limit) > 0
        }
    }

    /// Calls `body` with the signals held back on this thread.
    ///
    /// One that comes meanwhile and is not waited for takes its effect behind it.
    ///
    /// - Parameter cleansUp: Whether something would be left behind if the process ended at once, as SIGQUIT asks for.
    func withSignalsHeld<Value>(cleansUp: Bool = false, _ body: (HeldSignals) throws -> Value) throws -> Value {
        var signals = HeldSignals([SIGINT, SIGTERM, SIGHUP] + (cleansUp ? [SIGQUIT] : []))
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &signals.set, &before)
        // Swift's runtime takes SIGQUIT for a crash: for the seconds of its backtrace the process would stay, and what it
        // holds attached with it. Whoever sends it wants the end at once.
        if !HeldSignals.isIgnored(SIGQUIT) { signal(SIGQUIT, SIG_DFL) }
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return try body(signals)
    }
#endif
