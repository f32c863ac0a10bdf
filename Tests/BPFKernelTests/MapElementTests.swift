#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import SystemPackage
    import TestSupport
    import Testing

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct MapElementTests {
        private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
            withUnsafeBytes(of: number) { Array($0) }
        }

        private static func sorted(_ elements: [(key: [UInt8], value: [UInt8])]) -> [[UInt8]] {
            elements.map { $0.key + $0.value }.sorted { $0.lexicographicallyPrecedes($1) }
        }

        @Test(arguments: [MapDeclaration.Kind.hash, .array, .perCPUHash])
        func batchesAreWhatSingleCallsSay(kind: MapDeclaration.Kind) throws {
            let copies = kind == .perCPUHash ? try RunningKernel.possibleProcessors() : 1
            let map = try Map(
                MapDeclaration(name: "many", kind: kind, keySize: 4, valueSize: 8, maxEntries: 1000))
            let elements = (0..<1000 as Range<UInt32>).map { number in
                (
                    key: Self.bytes(number),
                    value: (0..<copies).flatMap { Self.bytes(UInt64(number) * 7 + UInt64($0)) }
                )
            }
            try map.set(elements)
            for index in [0, 1, 500, 999] {
                #expect(try map.value(of: elements[index].key) == elements[index].value)
            }
            for size in [1, 7, 1000, 4096] {
                #expect(try Self.sorted(map.elements(batch: size)) == Self.sorted(elements))
            }
            #expect(try Set(map.keys()) == Set(elements.map(\.key)))
        }

        @Test func whatIsRemovedIsGone() throws {
            let map = try Map(MapDeclaration(name: "few", kind: .hash, keySize: 1, valueSize: 1, maxEntries: 3))
            try map.set([([1], [11]), ([2], [22]), ([3], [33])])
            #expect(try map.removeValue(of: [2]))
            #expect(try !map.removeValue(of: [2]))
            #expect(try Set(map.keys()) == [[1], [3]])
            let error = #expect(throws: KernelError.self) { try map.set([([4], [1]), ([5], [1])]) }
            #expect(
                error?.description
                    == "bpf(BPF_MAP_UPDATE_BATCH): argument list too long (7), the map is full, or an array has no such index"
            )
            let array = try Map(MapDeclaration(name: "all", kind: .array, keySize: 4, valueSize: 4, maxEntries: 3))
            #expect(throws: KernelError.self) { try array.removeValue(of: Self.bytes(UInt32(0))) }
        }

        /// bpftool sees that it is frozen.
        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
        func whatIsFrozenStays() throws {
            let map = try Map(
                MapDeclaration(
                    name: "frozen_test", kind: .array, keySize: 4, valueSize: 4, maxEntries: 1, flags: .shareable))
            let key = Self.bytes(UInt32(0))
            do {
                let shared = try SharedValues(of: map, isWritable: true)
                let error = #expect(throws: KernelError.self) { try map.freeze() }
                #expect(error?.errno == .resourceBusy)
                #expect(shared.count == 1)
            }
            try map.set([1, 2, 3, 4], of: key)
            try map.freeze()
            let error = #expect(throws: KernelError.self) { try map.set([0, 0, 0, 0], of: key) }
            #expect(
                error?.description
                    == "bpf(BPF_MAP_UPDATE_ELEM): operation not permitted (1), the map is frozen, or read-only")
            #expect(throws: KernelError.self) { _ = try SharedValues(of: map, isWritable: true) }
            #expect(try map.value(of: key) == [1, 2, 3, 4])
            #expect(try run("bpftool", ["map", "show", "name", "frozen_test"]).text.contains("frozen"))
        }

        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
        func sharedValuesAreTheMaps() throws {
            let map = try Map(
                MapDeclaration(
                    name: "shared_test", kind: .array, keySize: 4, valueSize: 12, maxEntries: 400, flags: .shareable))
            let shared = try SharedValues(of: map, isWritable: true)
            #expect(shared.stride == 16 && shared.count == 400)
            shared.withBytes { $0.storeBytes(of: 0x0403_0201, toByteOffset: 16 * 399, as: UInt32.self) }
            #expect(try map.value(of: Self.bytes(UInt32(399)))?.prefix(5) == [1, 2, 3, 4, 0])
            let lookup = try run("bpftool", ["map", "lookup", "name", "shared_test", "key", "143", "1", "0", "0"])
            #expect(lookup.text.contains("value: 01 02 03 04 00"), "\(lookup)")
            try map.set([UInt8](repeating: 9, count: 12), of: Self.bytes(UInt32(1)))
            #expect(shared.withBytes { $0[16] == 9 && $0[27] == 9 && $0[28] == 0 })
            let hash = try Map(MapDeclaration(name: "no", kind: .hash, keySize: 4, valueSize: 4, maxEntries: 1))
            let error = #expect(throws: KernelError.self) { _ = try SharedValues(of: hash) }
            #expect(error?.description.hasSuffix("only arrays made to be shared can be") == true, "\(error!)")
        }
    }
#endif
