// swift-tools-version: 6.1
import PackageDescription

// The arrows of this list are the design: a target imports what its line names and nothing else.
// `swift build --explicit-target-dependency-import-check error` holds the sources to it.
let package = Package(
    name: "cbpf2ebpf",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "cbpf2ebpf", targets: ["cbpf2ebpf"]),
        .library(name: "PacketFilter", targets: ["PacketFilter"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.4.0"),
    ],
    targets: [
        // The two machines.
        .target(name: "ClassicBPF"),
        .target(name: "ExtendedBPF"),

        // What reads, writes, runs and translates them.
        .target(name: "BPFAssembly", dependencies: ["ClassicBPF", "ExtendedBPF"]),
        .target(name: "BPFInterpreter", dependencies: ["ClassicBPF", "ExtendedBPF"]),
        .target(name: "BPFCompiler", dependencies: ["ClassicBPF", "ExtendedBPF"]),
        .target(name: "BPFObject", dependencies: ["ExtendedBPF"]),

        // The outside world: libpcap and the Linux kernel.
        .systemLibrary(
            name: "CPcap", pkgConfig: "libpcap",
            providers: [.apt(["libpcap-dev"]), .brew(["libpcap"])]),
        .target(name: "Pcap", dependencies: ["CPcap", "ClassicBPF"]),
        .target(name: "CLinuxBPF"),
        .target(
            name: "BPFKernel",
            dependencies: [
                "CLinuxBPF", "ExtendedBPF", .product(name: "SystemPackage", package: "swift-system"),
            ]),

        // What people use.
        .target(
            name: "PacketFilter",
            dependencies: [
                "ClassicBPF", "ExtendedBPF", "BPFAssembly", "BPFInterpreter", "BPFCompiler", "BPFObject",
                "Pcap", .target(name: "BPFKernel", condition: .when(platforms: [.linux])),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .target(
            name: "CommandLineTool",
            dependencies: [
                "PacketFilter",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "cbpf2ebpf", dependencies: ["CommandLineTool"],
            linkerSettings: [
                // Half a millisecond less to start: 40,000 places in a position-independent executable with the Swift
                // runtime in it have to be relocated first, and symbols be read past.
                .unsafeFlags(
                    ["-Xclang-linker", "-no-pie", "-Xlinker", "-s"],
                    .when(platforms: [.linux], configuration: .release)
                )
            ]),
        .executableTarget(name: "match-capture", dependencies: ["PacketFilter"], path: "examples/MatchCapture"),

        // Tests; the Corpus folder holds their data and is read by path.
        .target(
            name: "TestSupport", dependencies: ["ClassicBPF", "ExtendedBPF", "Pcap"], path: "Tests/TestSupport"),
        .target(
            name: "FilterComparison",
            dependencies: ["BPFCompiler", "BPFInterpreter", "ClassicBPF", "ExtendedBPF", "Pcap", "TestSupport"],
            path: "Tests/FilterComparison"),
        .executableTarget(
            name: "compare-with-c",
            dependencies: [
                "PacketFilter", "BPFInterpreter", "ExtendedBPF", "TestSupport",
                .target(name: "BPFKernel", condition: .when(platforms: [.linux])),
            ], path: "Tests/Benchmarks/Comparison"),
        .executableTarget(
            name: "compare-with-interpreter",
            dependencies: ["FilterComparison"], path: "Tests/RandomFilters"),
        .executableTarget(
            name: "measure-compile-time", dependencies: ["PacketFilter"], path: "Tests/Benchmarks/CompileTime"),
        .executableTarget(
            name: "measure-counting", dependencies: ["PacketFilter", "BPFCompiler", "ExtendedBPF", "TestSupport"],
            path: "Tests/Benchmarks/Counting"),
        .executableTarget(
            name: "measure-forms", dependencies: ["BPFAssembly", "ClassicBPF", "ExtendedBPF"],
            path: "Tests/Benchmarks/Forms"),
        .testTarget(name: "ClassicBPFTests", dependencies: ["ClassicBPF", "CPcap", "TestSupport"]),
        .testTarget(name: "ExtendedBPFTests", dependencies: ["ExtendedBPF", "TestSupport"]),
        .testTarget(
            name: "BPFAssemblyTests",
            dependencies: [
                "BPFAssembly", "ClassicBPF", "ExtendedBPF", "CPcap", "Pcap", "TestSupport",
                .target(name: "BPFKernel", condition: .when(platforms: [.linux])),
            ]),
        .testTarget(
            name: "BPFInterpreterTests",
            dependencies: [
                "BPFInterpreter", "ClassicBPF", "ExtendedBPF", "CPcap", "Pcap", "TestSupport",
                .target(name: "BPFKernel", condition: .when(platforms: [.linux])),
            ]),
        .testTarget(
            name: "BPFCompilerTests",
            dependencies: [
                "BPFCompiler", "BPFAssembly", "BPFInterpreter", "ClassicBPF", "ExtendedBPF", "FilterComparison", "Pcap",
                "TestSupport",
            ]),
        .testTarget(name: "BPFObjectTests", dependencies: ["BPFObject", "ExtendedBPF", "TestSupport"]),
        .testTarget(name: "PcapTests", dependencies: ["Pcap", "ClassicBPF", "TestSupport"]),
        .testTarget(
            name: "BPFKernelTests",
            dependencies: ["BPFKernel", "BPFInterpreter", "ClassicBPF", "ExtendedBPF", "CPcap", "TestSupport"]),
        .testTarget(
            name: "PacketFilterTests",
            dependencies: [
                "PacketFilter", "BPFAssembly", "BPFCompiler", "BPFInterpreter", "BPFObject", "ClassicBPF",
                "ExtendedBPF", "Pcap", "CPcap", "TestSupport",
                .target(name: "BPFKernel", condition: .when(platforms: [.linux])),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .testTarget(
            name: "CommandLineToolTests",
            dependencies: [
                "CommandLineTool", "PacketFilter", "TestSupport",
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
