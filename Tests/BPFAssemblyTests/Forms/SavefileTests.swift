import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

@Suite struct SavefileTests {
    /// What tcpdump.org's BPF Exam writes: revision 6, all attributes but the netmask.
    private static let revision6: [UInt8] =
        [0xa1, 0xb2, 0xc3, 0xcb] + Array("cBPF".utf8) + [1, 0, 0, 3, 0, 4, 0, 0, 0, 1, 0, 2]
        + [0, 0x28, 0, 0, 0, 0, 0, 12] + [0, 6, 0, 0, 0, 0, 0, 1]
        + [0, 1, 0, 7] + Array("EN10MB_".utf8) + [0, 2, 0, 2] + Array("ip".utf8) + [0, 3, 0, 1, 1]
        + [0, 5, 0, 3] + Array("né".utf8) + [0, 6, 0, 8, 0, 0, 0, 0, 0x65, 0, 0, 0] + [0, 0, 0, 0]

    @Test func revision6IsRead() throws {
        let file = try Savefile(Self.revision6)
        #expect(file.minorVersion == 0 && file.flags == [.modulo, .xor])
        #expect(file.snapshotLength == 262_144 && file.linkType == 1)
        #expect(file.instructions == [Instruction(code: 0x28, k: 12), Instruction(code: 6, k: 1)])
        #expect(file.linkTypeName == "EN10MB_" && file.filter == "ip" && file.comment == "né")
        #expect(file.isOptimizationRequested == true && file.netmask == nil && file.timestamp == 0x6500_0000)
        #expect(file.isTerminated)
        #expect(try file.bytes() == Self.revision6)
    }

    @Test func revision8IsWritten() throws {
        var file = Savefile(instructions: [Instruction(code: 6, k: 0xffff)])
        file.flags.insert(.random)
        file.netmask = 0xffff_ff00
        file.isOptimizationRequested = false
        file.filter = "udp"
        let expected: [UInt8] =
            [0xa1, 0xb2, 0xc3, 0xcb] + Array("cBPF".utf8) + [1, 1, 0, 0x13, 0, 4, 0, 0, 0, 1, 0, 1]
            + [0, 6, 0, 0, 0, 0, 0xff, 0xff]
            + [0, 4, 0, 4, 0xff, 0xff, 0xff, 0] + [0, 3, 0, 1, 0] + [0, 2, 0, 3] + Array("udp".utf8) + [0, 0, 0, 0]
        #expect(try file.bytes() == expected)
        #expect(try Savefile(expected) == file)
    }

    /// Types and flags without a meaning, and later minor versions, come out as they went in.
    @Test func whatIsNotKnownIsKept() throws {
        var bytes = Self.revision6
        bytes[9] = 7
        bytes[10] = 0xff
        bytes.removeLast(4)
        bytes += [0x12, 0x34, 0, 2, 9, 9]
        let file = try Savefile(bytes)
        #expect(file.minorVersion == 7 && file.flags.rawValue == 0xff03 && !file.isTerminated)
        #expect(file.attributes.last == Savefile.Attribute(type: 0x1234, value: [9, 9]))
        #expect(try file.bytes() == bytes)
    }

    @Test func attributesAreSetAndRemoved() throws {
        var file = Savefile(instructions: [Instruction(code: 6)])
        file.comment = "a"
        file.timestamp = 1 << 40
        file.linkTypeName = "RAW"
        file.comment = "b"
        #expect(file.attributes.count == 3 && file.comment == "b" && file.timestamp == 1 << 40)
        file.timestamp = nil
        #expect(file.attributes.count == 2 && file.timestamp == nil && file.linkTypeName == "RAW")
        #expect(try Savefile(file.bytes()) == file)
    }

    /// Cut anywhere, a file is refused, but where an attribute could begin.
    @Test func everyCutIsAnError() throws {
        let whole = [36, 47, 53, 58, 65, 77, 81]
        for count in 0..<Self.revision6.count {
            let cut = Array(Self.revision6.prefix(count))
            let isWhole = (try? Savefile(cut)) != nil
            #expect(isWhole == whole.contains(count), "\(count)")
        }
    }

    /// Every message, word for word.
    @Test(arguments: [
        (0, 0xa0, "byte 1: the byte is 0xa0, it must be 0xa1"),
        (8, 2, "byte 9: the major version is 2, it must be 1"),
        (19, 0, "byte 19: the number of instructions is 0, it must be at least 1"),
        (18, 0xff, "byte 82: the file ends within the 65282 instructions, 522195 bytes too early"),
        (39, 0xff, "byte 82: the file ends within the attribute of type 1, 214 bytes too early"),
        (40, 0x80, "byte 37: the name of the link type is not ASCII, it must be ASCII"),
        (51, 0xc3, "byte 48: the filter is not ASCII, it must be ASCII"),
        (57, 2, "byte 54: the wish to optimise is 2, it must be 0 or 1"),
        (63, 0x41, "byte 59: the comment is not UTF-8, it must be UTF-8"),
        (54, 4, "byte 54: the netmask has 1 bytes, it must have 4"),
        (54, 6, "byte 54: the timestamp has 1 bytes, it must have 8"),
        (54, 2, "byte 54: there is a second attribute of type 2, one is allowed"),
        (37, 0, "byte 37: the mark of the end has 7 bytes, it must have 0"),
        (66, 3, "byte 66: there is a second attribute of type 3, one is allowed"),
        (48, 3, "byte 48: the wish to optimise has 2 bytes, it must have 1"),
    ])
    func whatDoesNotFitIsRefused(offset: Int, byte: UInt8, message: String) {
        var bytes = Self.revision6
        bytes[offset] = byte
        let error = #expect(throws: AssemblyErrors.self) { try Savefile(bytes) }
        #expect(error.map { "\($0)" } == message)
    }

    @Test func nothingFollowsTheEnd() {
        let error = #expect(throws: AssemblyErrors.self) { try Savefile(Self.revision6 + [0]) }
        #expect(error.map { "\($0)" } == "byte 82: found more bytes, expected the end of the file")
    }

    @Test func randomlySpoiledFilesAreReadOrRefused() throws {
        var generator = SeededGenerator()
        for _ in 0..<20_000 {
            var bytes = Self.revision6
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0 ... .max, using: &generator)
            }
            guard let file = try? Savefile(bytes) else { continue }
            #expect(try file.bytes() == bytes)
        }
    }
}
