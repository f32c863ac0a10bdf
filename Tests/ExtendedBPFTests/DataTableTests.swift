import ExtendedBPF
import Testing

@Suite struct DataTableTests {
    @Test func elementsAreStoredInTheOrderOfTheMachine() {
        let elements: [UInt64] = [0x0123_4567_89ab_cdef, 0xfe]
        let table = { DataTable(name: "t", elementSize: $0, elements: elements) }
        #expect(table(.byte).bytes(.little) == [0xef, 0xfe])
        #expect(table(.byte).bytes(.big) == [0xef, 0xfe])
        #expect(table(.halfword).bytes(.little) == [0xef, 0xcd, 0xfe, 0])
        #expect(table(.halfword).bytes(.big) == [0xcd, 0xef, 0, 0xfe])
        #expect(table(.word).bytes(.little) == [0xef, 0xcd, 0xab, 0x89, 0xfe, 0, 0, 0])
        #expect(table(.word).bytes(.big) == [0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0xfe])
        #expect(
            table(.doubleword).bytes(.little)
                == [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0xfe, 0, 0, 0, 0, 0, 0, 0])
        #expect(
            table(.doubleword).bytes(.big)
                == [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 0xfe])
        for size in Size.allCases { #expect(table(size).size == 2 * size.bytes) }
        #expect(DataTable(name: "t", bytes: [1, 2]) == DataTable(name: "t", elementSize: .byte, elements: [1, 2]))
    }

    @Test func tablesStandAtMultiplesOfTheirElements() {
        let layout = DataLayout(of: [
            DataTable(name: "a", bytes: [1, 2, 3]), DataTable(name: "b", elementSize: .doubleword, elements: [4]),
            DataTable(name: "c", elementSize: .halfword, elements: [5]),
        ])
        #expect(layout.offsets == [0, 8, 16])
        #expect(layout.size == 18)
        #expect(layout.offset(of: "c") == 16)
        #expect(layout.offset(of: "d") == nil)
        #expect(layout.bytes(.little) == [1, 2, 3, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0])
        #expect(layout.bytes(.big) == [1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 5])
    }

    @Test func triesGetTheFlagTheyNeed() {
        let trie = MapDeclaration(
            name: "m", kind: .longestPrefixMatch, keySize: 8, valueSize: 4, maxEntries: 1, flags: .readOnlyForPrograms)
        #expect(trie.flags == [.noPreallocation, .readOnlyForPrograms])
        #expect(MapDeclaration(name: "m", kind: .hash, keySize: 8, valueSize: 4, maxEntries: 1).flags == [])
    }
}
