#if os(Linux)
    import Foundation
    import Glibc

    /// A control group of the second version, which goes with the last reference to this object.
    ///
    /// Processes in it have to have ended by then.
    public final class ControlGroup {
        /// Its folder.
        public let path: String
        /// The folder's descriptor.
        public let descriptor: CInt

        /// Makes a group below the root of all.
        ///
        /// - Throws: ``NetworkError`` where there are none on this machine, or no privilege to make one.
        public init() throws {
            let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            let roots = mounts.split(separator: "\n").map { $0.split(separator: " ") }
                .filter { $0.count > 2 && $0[2] == "cgroup2" }
            guard let root = roots.first?[1] else { throw NetworkError("no file system of type cgroup2 is mounted") }
            path = "\(root)/cbpf2ebpf-tests-\(UUID().uuidString)"
            guard mkdir(path, 0o755) == 0 else { throw NetworkError(call: "mkdir(\(path))") }
            descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw NetworkError(call: "open(\(path))") }
        }

        deinit {
            close(descriptor)
            // A folder of this kind is removed as it is, the files in it notwithstanding.
            rmdir(path)
        }
    }
#endif
