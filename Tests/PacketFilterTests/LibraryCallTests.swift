#if os(Linux)
    import Foundation
    import PacketFilter
    import SystemPackage
    import TestSupport
    import Testing

    /// The library call that README shows, compiled and run.
    @Suite struct LibraryCallTests {
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root")) func theCallOfTheReadmeWorks() throws {
            let folder = try TemporaryFolder()
            let path = FilePath(folder.path("drop.o"))
            // README begins
            let filter = try PacketFilter("icmp or udp")
            let program = try filter.compile(for: .xdp(match: .drop))
            try program.object(named: "drop_icmp_udp").write(to: path)
            let loaded = try program.load()
            // README ends
            #expect(try loaded.information().type == .xdp)
            let object = try Data(contentsOf: folder.url("drop.o"))
            #expect(object.starts(with: [0x7f, 0x45, 0x4c, 0x46]))
            #expect(object.range(of: Data("drop_icmp_udp".utf8)) != nil)
        }

        @Test func theReadmeShowsThatCall() throws {
            let here = try lines(of: URL(filePath: #filePath))
            let start = try #require(here.firstIndex { $0 == "// README begins" })
            let end = try #require(here.firstIndex { $0 == "// README ends" })
            let readme = try lines(of: Corpus.folder.appending(path: "../../README.md"))
            let first = try #require(readme.firstIndex(of: here[start + 1]))
            #expect(readme[first..<(first + end - start - 1)] == here[(start + 1)..<end])
        }

        /// The lines without their indentation and comments, spaces made one, the object's path called `path`.
        private func lines(of file: URL) throws -> [String] {
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).map {
                line in
                let words = line.split(separator: " ")
                let code = words.first == "//" ? words[...] : words.prefix { $0 != "//" }
                return code.joined(separator: " ").replacing("\"drop.o\"", with: "path")
            }
        }
    }
#endif
