#if os(Linux)
    import Glibc

    /// The counts at regular moments, without end.
    public struct CountUpdates: AsyncSequence, Sendable {
        /// What there is at each of them.
        public typealias Element = Counts

        let counter: PacketCounter
        let interval: Duration

        /// Begins to wait.
        public func makeAsyncIterator() -> Iterator { Iterator(counter, interval) }

        /// Waits for one moment after another.
        public struct Iterator: AsyncIteratorProtocol {
            private let counter: PacketCounter
            private let interval: Duration
            private var next: ContinuousClock.Instant

            init(_ counter: PacketCounter, _ interval: Duration) {
                self.counter = counter
                self.interval = interval
                next = .now + interval
            }

            /// Waits for the next moment and returns what has been counted by then. Moments that went by unasked for are
            /// left out. Nil where the interface is gone.
            ///
            /// - Throws: ``KernelError``, or that the task was cancelled.
            public mutating func next() async throws -> Counts? {
                guard counter.isAttached else { return nil }
                try await Task.sleep(until: next, clock: .continuous)
                let counts = try counter.counts()
                while next <= .now { next += interval }
                return counts
            }
        }
    }

    extension PacketCounter {
        /// What has been counted by each of the moments that are `interval` apart, the first of them that far from now.
        ///
        /// - Precondition: `interval` is more than 0.
        public func updates(every interval: Duration = .seconds(1)) -> CountUpdates {
            precondition(interval > .zero, "moments are apart")
            return CountUpdates(counter: self, interval: interval)
        }
    }

    /// The time of day.
    func secondsSince1970() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec / 1000) / 1e6
    }
#endif
