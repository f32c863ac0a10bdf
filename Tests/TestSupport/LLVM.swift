import Foundation

/// The path of a tool of Debian's LLVM, such as `llvm-objdump` or `clang`, the newest installed; its plain name where
/// there is none.
///
/// Swift toolchains bring a clang of their own, without the target bpf, and come first in the search path.
public func llvm(_ tool: String) -> String {
    let folder = URL(filePath: "/usr/lib")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    let versions = names.compactMap { $0.hasPrefix("llvm-") ? Int($0.dropFirst("llvm-".count)) : nil }
    let paths = versions.sorted(by: >).map {
        folder.appending(path: "llvm-\($0)/bin/\(tool)").path(percentEncoded: false)
    }
    return paths.first(where: FileManager.default.isExecutableFile) ?? tool
}
