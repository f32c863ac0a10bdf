import ClassicBPF
import ExtendedBPF

/// Makes optimised programs of filters: through a graph of values to machine instructions.
public enum Compiler {
    /// Returns `filter` as a program for `target`.
    ///
    /// Line 1 of the result's line marks is what belongs to no classic instruction, line *n* + 2 the classic
    /// instruction *n*.
    ///
    /// - Parameter name: The name of the entry function, a C identifier.
    /// - Throws: ``CompilerError`` at the first instruction that the target has nothing for.
    public static func compile(
        _ filter: ClassicBPF.Program, for target: Target, named name: String = "filter",
        options: CompilerOptions = CompilerOptions()
    ) throws(CompilerError) -> ExtendedBPF.Program {
        guard Translator.isIdentifier(name) else { throw CompilerError(.invalidName(name)) }
        let optimizer = Optimizer(passes: options.passes)
        let graph = optimizer.lower(filter, for: target, options).graph
        if let origin = LoopBounds.irreducibleLoop(in: graph) { throw CompilerError(.irreducibleLoop, at: origin) }
        guard graph.hasClassicLoads, graph.failure != 0, case .verdict(let match, let noMatch) = target.result else {
            return ExtendedBPF.Program(functions: [try function(of: graph, for: target, options, named: name)])
        }
        // A classic load that finds nothing ends its function with 0. So that becomes one of its own.
        let number = Target(hook: target.hook, result: .number)
        let callee = "\(name)_number"
        return ExtendedBPF.Program(functions: [
            VerdictWrapper.entry(named: name, calling: callee, match, noMatch),
            try function(
                of: optimizer.lower(filter, for: number, options).graph, for: number, options, named: callee),
        ])
    }

    /// How many rounds the loops of `filter` get on `target`, the least of them, or nil if it has none. A packet for
    /// which one would need more does not match.
    public static func loopRounds(
        of filter: ClassicBPF.Program, for target: Target, options: CompilerOptions = CompilerOptions()
    ) -> Int? {
        guard ControlFlow(filter).hasBackwardJumps else { return nil }
        return Optimizer(passes: options.passes).lower(filter, for: target, options).graph.rounds.values.min()
    }

    private static func function(
        of graph: Graph, for target: Target, _ options: CompilerOptions, named name: String
    ) throws(CompilerError) -> Function {
        var function = try Selector.select(graph, for: target, options)
        BlockCleaning.run(on: &function)
        DeadInstructions.remove(from: &function)
        BlockCleaning.run(on: &function)
        RegisterAllocator.allocate(&function, BlockLayout.order(of: function))
        TailMerging.run(on: &function)
        BlockCleaning.run(on: &function)
        return try Emission.emit(function, BlockLayout.order(of: function), options.isa, named: name)
    }
}
