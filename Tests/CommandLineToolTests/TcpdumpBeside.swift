#if os(Linux)
    import Foundation
    import Glibc
    import TestSupport

    /// tcpdump beside the tool, in a process of its own.
    final class TcpdumpBeside {
        private let folder: TemporaryFolder
        private let process: pid_t

        /// Starts it and waits until it captures.
        init(_ arguments: [String]) throws {
            folder = try TemporaryFolder()
            let script = """
                cd "$1"; shift
                env --default-signal=INT tcpdump -Z root -U -B 8192 --immediate-mode "$@" >/dev/null 2>err </dev/null &
                until grep -qs 'listening on' err; do kill -0 $! || exit 1; sleep 0.02; done
                echo $!
                """
            let started = try run("sh", ["-c", script, "sh", folder.path("")] + arguments)
            guard started.status == 0, let number = pid_t(started.text.trimmingCharacters(in: .newlines)) else {
                throw Failure(text: (try? String(contentsOfFile: folder.path("err"), encoding: .utf8)) ?? "")
            }
            process = number
        }

        deinit { if isRunning { kill(process, SIGKILL) } }

        /// Whoever inherits the process may take seconds to notice that it has ended, and keep its number meanwhile.
        private var isRunning: Bool {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")) != nil
        }

        struct Failure: Error { var text: String }

        /// Waits until the file that it writes has so many packets, and ends it.
        func wait(forPackets count: Int, in file: String) throws {
            for _ in 0..<200 {
                let text = try run("tcpdump", ["-r", file, "--count"]).text
                if Int(text.prefix { $0.isNumber }) == count { break }
                usleep(20_000)
            }
            kill(process, SIGTERM)
            while isRunning { usleep(5000) }
        }
    }
#endif
