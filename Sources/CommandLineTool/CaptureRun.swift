#if os(Linux)
    import PacketFilter
    import SystemPackage

    extension CaptureCommand {
        /// Captures until there are enough packets, the time is over, a signal comes, the interface goes or the file can
        /// take no more.
        func capture(on console: Console) throws {
            if file == "-", console.outputIsTerminal {
                throw ToolError("packets are no text for a terminal: name a file with -w, or pipe them to a reader")
            }
            // From here on a signal is waited for, so that the file is whole whenever it comes.
            try withSignalsHeld(cleansUp: placeArguments.place.hook == .tc) { try capture(on: console, until: $0) }
        }

        private func capture(on console: Console, until signals: HeldSignals) throws {
            let filter = try PacketFilter(
                expression.joined(separator: " "), linkType: placeArguments.place.linkType)
            let length = snapshotLength == 0 ? nil : snapshotLength
            let capture = try PacketCapture(
                filter, at: placeArguments.place, snapshotLength: length ?? PacketCapture.usualSnapshotLength,
                bufferSize: bufferBytes ?? PacketCapture.usualBufferSize, vlan: placeArguments.vlan)
            let run = CaptureRun(
                capture, try writer(of: capture, console), limit: count, writesAtOnce: unbuffered, signals)
            // Who sends packets for a test waits for this line.
            console.report("capturing at \(placeArguments.name), Ctrl-C ends it\n")
            defer { run.report(on: console) }
            try run.run(until: placeArguments.duration.map { ContinuousClock.now + $0 })
            if run.isGone {
                throw ToolError("the \(placeArguments.whatGoes) is gone, or somebody has detached the program")
            }
        }

        private func writer(of capture: PacketCapture, _ console: Console) throws -> PcapngWriter {
            let text = expression.isEmpty ? nil : expression.joined(separator: " ")
            guard file == "-" else { return try PcapngWriter(path: FilePath(file), of: capture, filter: text) }
            return PcapngWriter(to: console.output, named: "standard output", of: capture, filter: text)
        }
    }

    /// A capture on its way into a file.
    private final class CaptureRun {
        private let capture: PacketCapture
        private let limit: Int
        private let signals: HeldSignals
        private var writer: PcapngWriter
        private var written = 0
        /// Whether nobody is to wait for packets that have been captured.
        private let writesAtOnce: Bool
        /// Whether the interface has gone.
        private(set) var isGone = false

        init(
            _ capture: PacketCapture, _ writer: consuming PcapngWriter, limit: Int?, writesAtOnce: Bool,
            _ signals: HeldSignals
        ) {
            self.capture = capture
            self.writesAtOnce = writesAtOnce || !writer.isRegularFile
            self.writer = writer
            self.limit = limit ?? .max
            self.signals = signals
        }

        /// Captures until something ends it, and finishes the file.
        func run(until end: ContinuousClock.Instant?) throws {
            // So that a reader sees at once what is coming.
            try writer.flush()
            var look = ContinuousClock.now + .seconds(1)
            while written < limit {
                let wasEmpty = try move() == 0
                let now = ContinuousClock.now
                if let end, now >= end { break }
                if now >= look {
                    try writer.flush()
                    isGone = !capture.isAttached
                    if isGone { break }
                    look = now + .seconds(1)
                } else if writesAtOnce, !wasEmpty {
                    try writer.flush()
                }
                // While packets come they are fetched by many at once; the kernel need not wake anybody for each.
                if wasEmpty { try capture.wait(atMost: min(end ?? look, look) - now, orFor: signals.numbers) }
                if signals.arrive(within: wasEmpty ? .zero : .milliseconds(1)) { break }
            }
            capture.detach()
            if written < limit { _ = try move() }
            try writer.finish(counts)
        }

        /// Moves the packets that are there to the file.
        private func move() throws -> Int {
            try capture.read { packet in
                try writer.write(packet)
                written += 1
                return written < limit
            }
        }

        private var counts: CaptureCounts {
            get throws { CaptureCounts(captured: UInt64(written), lost: try capture.counts().lost) }
        }

        func report(on console: Console) {
            guard let counts = try? counts else { return }
            // What is not in the file has not been captured, whatever kept it out.
            let lost = counts.lost == 0 ? "none lost" : "\(counts.lost) lost while the buffer was full"
            console.report("\(writer.packetCount) packets captured, \(lost)\n")
        }
    }
#endif
