#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import TestSupport
    import Testing

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct MapTests {
        private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
            withUnsafeBytes(of: number) { Array($0) }
        }

        @Test func whatIsPutUnderAKeyIsFoundThere() throws {
            let map = try Map(MapDeclaration(name: "ages", kind: .hash, keySize: 3, valueSize: 2, maxEntries: 2))
            #expect(try map.value(of: [1, 2, 3]) == nil)
            try map.set([7, 8], of: [1, 2, 3])
            try map.set([9, 8], of: [1, 2, 3])
            try map.set([1, 1], of: [1, 2, 4])
            #expect(try map.value(of: [1, 2, 3]) == [9, 8])
            let error = #expect(throws: KernelError.self) { try map.set([0, 0], of: [0, 0, 0]) }
            #expect(error?.errno == .argListTooLong)
        }

        /// bpftool sees the same map.
        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
        func bpftoolFindsTheValues() throws {
            let map = try Map(
                MapDeclaration(name: "tracing_map", kind: .array, keySize: 4, valueSize: 8, maxEntries: 3))
            try map.set(Self.bytes(UInt64(0x0102)), of: Self.bytes(UInt32(2)))
            let text = try run("bpftool", ["map", "dump", "name", "tracing_map"]).text
            #expect(text.contains("key: 02 00 00 00  value: 02 01 00 00 00 00 00 00"), "\(text)")
            #expect(text.contains("Found 3 elements"), "\(text)")
        }

        /// A value for each processor, those that are not plugged in included.
        @Test func perCPUMapsHaveAValueForEachProcessor() throws {
            let map = try Map(
                MapDeclaration(name: "each", kind: .perCPUArray, keySize: 4, valueSize: 12, maxEntries: 1))
            let count = try RunningKernel.possibleProcessors()
            let value = try #require(try map.value(of: Self.bytes(UInt32(0))))
            #expect(value == [UInt8](repeating: 0, count: 16 * count))
            let other: [UInt8] = (0..<count).flatMap { number -> [UInt8] in
                [UInt8](repeating: UInt8(number + 1), count: 12) + [0, 0, 0, 0]
            }
            try map.set(other, of: Self.bytes(UInt32(0)))
            #expect(try map.value(of: Self.bytes(UInt32(0))) == other)
            let processors = try run("getconf", ["_NPROCESSORS_CONF"]).text
            #expect(Int(processors.trimmingCharacters(in: .whitespacesAndNewlines)).map { $0 <= count } == true)
        }

        @Test func sizesAreChecked() throws {
            let map = try Map(MapDeclaration(name: "sizes", kind: .hash, keySize: 4, valueSize: 2, maxEntries: 2))
            #expect(
                #expect(throws: KernelError.self) { _ = try map.value(of: [1]) }
                    == KernelError(.wrongSize(1, expected: 4), in: .lookUpElement))
            #expect(
                #expect(throws: KernelError.self) { try map.set([1], of: [1, 2, 3, 4]) }
                    == KernelError(.wrongSize(1, expected: 2), in: .updateElement))
            let error = #expect(throws: KernelError.self) {
                _ = try Map(MapDeclaration(name: "sizes", kind: .array, keySize: 3, valueSize: 2, maxEntries: 2))
            }
            #expect(error?.call == .createMap)
            #expect(error?.errno == .invalidArgument)
        }

        /// Programs name maps; the kernel keeps the map as long as the program.
        @Test func aProgramCountsInAMap() throws {
            let map = try Map(MapDeclaration(name: "count", kind: .array, keySize: 4, valueSize: 8, maxEntries: 1))
            var address = Instruction.loadWide(.r1, 0)
            address.srcReg = .r1
            let function = Function(
                name: "count",
                instructions: [
                    .store(.word, .r10, -4, 0), .move64(.r2, .r10), .alu64(.add, .r2, -4), address, .call(helper: 1),
                    .jump64(if: .r0, .equal, 0, 3), .load(.doubleword, .r1, .r0, 0), .alu64(.add, .r1, 1),
                    .store(.doubleword, .r0, 0, .r1), .move32(.r0, 0), .exit,
                ], references: [3: .map("count")])
            var request = LoadRequest(Program(functions: [function]), type: .socketFilter)
            let refusal = #expect(throws: KernelError.self) { _ = try BPFKernel.Program(loading: request) }
            #expect(refusal?.reason == .unresolvedReference(.map("count"), instruction: 3))
            request.maps["count"] = map.descriptor
            let loaded = try BPFKernel.Program(loading: request)
            _ = try loaded.run(on: [UInt8](repeating: 0, count: 64), repeat: 5)
            #expect(try map.value(of: [0, 0, 0, 0]) == Self.bytes(UInt64(5)))
        }
    }
#endif
