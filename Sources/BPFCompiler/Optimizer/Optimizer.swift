import ClassicBPF

/// Brings filters into static single assignment form and simplifies them there.
///
/// What it makes can be read (``describe(_:)``).
public struct Optimizer: Hashable, Sendable {
    /// The passes to run, by name, in this order, over and over until none changes anything.
    public var passes: [String]

    /// The most bytes that are copied as one where packets are read through copies.
    var copySize: UInt32 = 64

    /// All passes there are, by name, in the order they are run unless told otherwise.
    public static let passNames = all.map { $0.name }

    private static let all: [any Pass.Type] = [
        ParameterPruning.self, ConstantFolding.self, ValueNumbering.self, Facts.self, JumpThreading.self,
        RedundantBranches.self, BlockMerging.self, DeadCode.self,
    ]

    /// An optimiser of the passes called `passes`.
    ///
    /// - Precondition: Every one of them is among ``passNames``.
    public init(passes: [String] = Optimizer.passNames) {
        precondition(passes.allSatisfy(Self.passNames.contains), "every pass has a name of the list")
        self.passes = passes
    }

    /// The filter as a graph after all passes, as text, and what each pass did, a line each, in order.
    public func describe(_ filter: Program) -> (text: String, notes: [String]) {
        let (graph, notes) = optimize(filter)
        return (GraphPrinter.text(graph), notes)
    }

    func optimize(_ filter: Program) -> (graph: Graph, notes: [String]) {
        var graph = GraphBuilder.build(filter)
        verify(graph, after: "building")
        let notes = runPasses(on: &graph)
        return (graph, notes)
    }

    /// The graph of `filter` with everything that `target` asks of it but for how packets are read.
    func simplify(
        _ filter: Program, for target: Target, _ options: CompilerOptions
    ) -> (graph: Graph, notes: [String]) {
        var graph = GraphBuilder.build(filter)
        verify(graph, after: "building")
        var notes: [String] = []
        // Addresses are looked at while each load stands behind its requirement; constants are known by then.
        notes += ParameterPruning.run(on: &graph) + ConstantFolding.run(on: &graph)
        InterfaceLowering.run(on: &graph)
        if case .verdict(let match, let noMatch) = target.result {
            VerdictLowering.run(on: &graph, match: match.value, noMatch: noMatch.value)
        }
        let loops = options.loops(on: target.hook)
        if loops == .called {
            LoopBounds.state(in: &graph)
        } else {
            // A view puts the filter there twice, with addresses that cost more in one of them.
            LoopBounds.run(
                on: &graph, share: (target.vlan ?? .bytes) == .bytes ? 1 : 4, areFollowed: loops == .bounded)
        }
        let rounds = graph.rounds
        notes += VLANLowering.run(
            on: &graph, target.vlan ?? .bytes, target.hook, target.hook.headerAreas(options),
            areFollowed: loops == .bounded)
        graph.rounds = rounds
        verify(graph, after: "lowering")
        notes += runPasses(on: &graph)
        notes += TestOrder.run(on: &graph)
        notes += CommonTests.run(on: &graph) + Ranges.run(on: &graph)
        verify(graph, after: "ranges")
        return (graph, notes)
    }

    /// The simplified `graph` in two parts, what comes before second rounds of its loops and a round, or nil if it has none.
    func part(_ graph: Graph) -> (main: Graph, round: Graph)? {
        guard var (main, round) = LoopParting.part(graph) else { return nil }
        verify(main, after: "parting")
        verify(round, after: "parting")
        // What first rounds start with is known there.
        for pass: any Pass.Type in [ParameterPruning.self, ConstantFolding.self, BlockMerging.self, DeadCode.self] {
            _ = (pass.run(on: &main), pass.run(on: &round))
            verify(main, after: pass.name)
            verify(round, after: pass.name)
        }
        _ = runPasses(on: &main)
        return (main, round)
    }

    /// The simplified `graph` as instructions for `target` can be chosen for it, packets being read by `access`.
    ///
    /// - Parameters:
    ///   - isRare: Whether few packets are read that way, so that it is to be small and not quick.
    ///   - tables: The tables of the function so far, to which those for the graph are added.
    ///   - prefix: What knows which loads are left to the kernel's instructions all the same.
    func lower(
        _ graph: Graph, for target: Target, _ access: PacketAccess, isRare: Bool, _ options: CompilerOptions,
        _ tables: inout SearchTables, _ prefix: PacketPrefix? = nil
    ) -> (graph: Graph, notes: [String]) {
        var graph = graph
        let leastSet = isRare ? Self.smallestSet : Self.quickestSet
        var notes = EqualityChains.run(on: &graph, leastSet: options.hasTables(on: target.hook) ? leastSet : nil)
        verify(graph, after: "searches")
        let areApart =
            if let permit = access.permit {
                ClassicLoads.run(on: &graph, permit)
            } else {
                prefix?.leaveOthers(of: &graph) ?? false
            }
        if areApart, passes.contains(ValueNumbering.name) { notes += ValueNumbering.run(on: &graph) }
        if options.byteOrder == .little { notes += NetworkOrder.run(on: &graph) }
        notes += SetLowering.run(on: &graph, &tables, options.byteOrder)
        notes += DeadCode.run(on: &graph)
        notes += BoundsChecks.run(
            on: &graph,
            BoundsChecks.Limits(
                windowSize: access.windowSize < 32_000 ? min(copySize, access.windowSize) : access.windowSize,
                packetSize: target.hook.context == .xdp ? 0xffff : .max,
                aligned: access.isAligned))
        if options.byteOrder == .little, access == .pointers { notes += TestMerging.run(on: &graph) }
        notes += DeadCode.run(on: &graph)
        verify(graph, after: "bounds")
        return (graph, notes)
    }

    func runPasses(on graph: inout Graph) -> [String] {
        var notes: [String] = []
        // Each pass makes the graph smaller or leaves it, so this ends; the bound is there to prove it.
        for _ in 0..<Self.maximumRounds {
            var hasChanged = false
            for name in passes {
                let pass = Self.all.first { $0.name == name }!
                let done = pass.run(on: &graph)
                notes += done.map { "\(name): \($0)" }
                hasChanged = hasChanged || !done.isEmpty
                verify(graph, after: name)
            }
            if !hasChanged { break }
        }
        return notes
    }

    private static let maximumRounds = 16

    /// From how many tests on a set is smaller than a tree.
    private static let smallestSet = 8
    /// From how many on it is also no slower.
    private static let quickestSet = 12

    /// In debug builds, finds what a pass left wrong.
    private func verify(_ graph: Graph, after pass: String) {
        assert(
            GraphVerifier.problem(in: graph) == nil,
            "after \(pass): \(GraphVerifier.problem(in: graph) ?? "")\n\(GraphPrinter.text(graph))")
    }
}

extension Hook {
    /// How loads reach the areas of negative offsets.
    fileprivate func headerAreas(_ options: CompilerOptions) -> AddressLowering.Areas {
        if let permit = options.permit(on: self) { return .classicLoads(by: .instruction(permit)) }
        if hasPacketLoads { return .classicLoads(by: .helpers) }
        return switch options.linkLayer ?? linkLayer {
        case .ethernet: .offsets(linkLayer: 0, network: 14)
        case .rawIP: .offsets(linkLayer: nil, network: 0)
        }
    }
}
