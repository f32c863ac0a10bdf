import FilterComparison
import Foundation

/// Starts a worker for each processor, and tells what one was at that died.
struct Supervisor {
    private let options: Options
    private let folder: URL

    init(_ options: Options) {
        self.options = options
        folder = URL.temporaryDirectory.appending(path: "compare-with-interpreter-\(UUID().uuidString)")
    }

    /// Whether all programs decide as their filters do.
    func run() -> Bool {
        let start = Date()
        print("seed \(options.seed), \(options.programs) programs, \(options.packets) packets each")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let count = ProcessInfo.processInfo.activeProcessorCount
            let workers = try (0..<count).map { try self.start($0, of: count) }
            // Each is waited for, so that nothing is left behind.
            let results = workers.enumerated().map { isFine($1, number: $0) }
            print(String(format: "%.0f s", Date().timeIntervalSince(start)))
            return results.allSatisfy { $0 }
        } catch {
            print("✘ no worker: \(error)")
            return false
        }
    }

    private func place(_ number: Int) -> URL { folder.appending(path: "\(number)") }

    private func start(_ number: Int, of count: Int) throws -> Process {
        try Data(count: 8).write(to: place(number))
        let worker = Process()
        worker.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        worker.arguments = [
            "--programs", "\(options.programs)", "--packets", "\(options.packets)", "--seed", "\(options.seed)",
            "--part", "\(number)/\(count)", "--place", place(number).path,
        ]
        try worker.run()
        return worker
    }

    private func isFine(_ worker: Process, number: Int) -> Bool {
        worker.waitUntilExit()
        guard worker.terminationReason == .uncaughtSignal else { return worker.terminationStatus == 0 }
        let bytes = (try? Data(contentsOf: place(number))) ?? Data()
        let program = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        print("✘ signal \(worker.terminationStatus) at program \(program), --seed \(options.seed) --only \(program)")
        print(RandomCase(seed: options.seed, number: program))
        return false
    }
}
