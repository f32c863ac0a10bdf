import BPFObject
import ExtendedBPF
import Testing
import TestSupport

/// Tables and maps, as libbpf makes them in the kernel.
@Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
struct DataTests {
    @Test func tablesAndMapsAreThere() throws {
        let file = try ObjectFolder(tablesObject())
        let text = try withPins(
            file,
            """
            bpftool prog load "$1" $pin pinmaps /sys/fs/bpf/maps
            for byte in 0 1 2 3; do run "abcdefghijk\\000\\000\\00$byte"; done
            bpftool map dump pinned /sys/fs/bpf/maps/runs
            bpftool prog show pinned $pin
            """)
        #expect(
            fields(text).filter { $0.hasPrefix("returned") }.map { $0.dropFirst(9) } == [
                "1100", "1200", "1300", "1400",
            ])
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("[{ \"key\": 0, \"value\": 4 } ]"), "\(text)")
    }

    /// bpftool shows the contents by the types of the object: 16-bit numbers at 0, 32-bit ones aligned behind them.
    @Test func contentsHaveTheirTypes() throws {
        let file = try ObjectFolder(tablesObject())
        let text = try withPins(
            file,
            """
            bpftool prog load "$1" $pin
            maps=$(bpftool -j prog show pinned $pin | sed 's/.*"map_ids":\\[\\([0-9,]*\\)\\].*/\\1/; s/,/ /g')
            for map in $maps; do bpftool -j map show id $map; bpftool map dump id $map; done
            """)
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(
            words.contains("\".rodata\": [{ \"first\": [9999,100,200,300,400 ] },{ \"second\": [9999,1000 ] } ]"),
            "\(text)")
        // BPF_F_RDONLY_PROG and BPF_F_MMAPABLE.
        #expect(words.contains("\"type\":\"array\",\"name\":\"X.rodata\",\"flags\":1152,"), "\(text)")
        #expect(words.contains("\"bytes_value\":20,\"max_entries\":1,"), "\(text)")
        #expect(words.contains("\"frozen\":1"), "\(text)")
    }

    /// iproute2 has its own way of opening objects and goes through libbpf for the rest.
    @Test func tcLoadsThem() throws {
        let file = try ObjectFolder(tablesObject())
        let script = """
            mount -t bpf bpf /sys/fs/bpf
            ip link set lo up
            tc qdisc add dev lo clsact
            tc filter add dev lo ingress bpf da obj "$1" sec classifier
            tc filter show dev lo ingress
            """
        let result = try run("unshare", ["-n", "-m", "sh", "-ec", script, "sh", file.path])
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        #expect(result.text.contains("name tables"), "\(result.text)")
    }

    static let maps: [(MapDeclaration, String)] = [
        (
            MapDeclaration(name: "m", kind: .hash, keySize: 8, valueSize: 1, maxEntries: 16),
            "hash m flags 0 key 8 value 1 entries 16"
        ),
        (
            MapDeclaration(
                name: "m", kind: .hash, keySize: 13, valueSize: 24, maxEntries: 1000,
                flags: [.noPreallocation, .readOnlyForPrograms]),
            "hash m flags 129 key 13 value 24 entries 1000"
        ),
        (
            MapDeclaration(name: "m", kind: .array, keySize: 4, valueSize: 8, maxEntries: 3),
            "array m flags 0 key 4 value 8 entries 3"
        ),
        (
            MapDeclaration(name: "m", kind: .perCPUHash, keySize: 2, valueSize: 8, maxEntries: 3),
            "percpu_hash m flags 0 key 2 value 8 entries 3"
        ),
        (
            MapDeclaration(name: "m", kind: .perCPUArray, keySize: 4, valueSize: 8, maxEntries: 3),
            "percpu_array m flags 0 key 4 value 8 entries 3"
        ),
        (
            MapDeclaration(name: "m", kind: .lruHash, keySize: 6, valueSize: 4, maxEntries: 64),
            "lru_hash m flags 0 key 6 value 4 entries 64"
        ),
        (
            MapDeclaration(name: "m", kind: .longestPrefixMatch, keySize: 20, valueSize: 4, maxEntries: 64),
            "lpm_trie m flags 1 key 20 value 4 entries 64"
        ),
        (
            MapDeclaration(name: "m", kind: .ringBuffer, maxEntries: 8192),
            "ringbuf m flags 0 key 0 value 0 entries 8192"
        ),
    ]

    /// Nothing is said on standard error: libbpf warns when the kernel does not take a map's types.
    @Test(arguments: maps)
    func libbpfMakesEachKindOfMap(map: MapDeclaration, description: String) throws {
        let function = Function(
            name: "user",
            instructions: [
                Instruction(.loadWide, dstReg: .r1, srcReg: .r1), .move64(.r0, 0), .exit,
            ], references: [0: .map("m")])
        let object = Object(
            program: Program(functions: [function], maps: [map]), section: "socket", source: oneLine,
            contextType: "__sk_buff")
        let file = try ObjectFolder(object)
        let tool = file.folder.path("show-maps")
        _ = try output("gcc", ["-Wall", "-Werror", "-o", tool, corpusC("show-maps.c"), "-lbpf"])
        let result = try run(tool, [file.path])
        #expect(result.errors == "")
        // Of an array in pages of its own libbpf needs no types.
        let hasTypes = map.kind == .ringBuffer ? 0 : 1
        #expect(result.text == description + " types \(hasTypes)\n")
    }
}
