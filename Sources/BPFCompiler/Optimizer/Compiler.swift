import ClassicBPF
import ExtendedBPF

/// Makes optimised programs of filters: through a graph of values to machine instructions.
public enum Compiler {
    /// Returns `filter` as a program for `target`.
    ///
    /// Line 1 of the result's line marks is what belongs to no classic instruction, line *n* + 2 the classic
    /// instruction *n*.
    ///
    /// - Parameters:
    ///   - filter: The filter; on hooks that look at packets passing in the kernel, for packets with an Ethernet header.
    ///   - ipFilter: On those hooks, the filter for packets that begin with their IP header; nil where none matches.
    ///   - target: The hook, and what the filter's two answers become there.
    ///   - name: The name of the entry function, a C identifier.
    ///   - options: How the program is made.
    /// - Throws: ``CompilerError`` at the first instruction that the target has nothing for.
    public static func compile(
        _ filter: ClassicBPF.Program, orForIP ipFilter: ClassicBPF.Program? = nil, for target: Target,
        named name: String = "filter", options: CompilerOptions = CompilerOptions()
    ) throws(CompilerError) -> ExtendedBPF.Program {
        guard Translator.isIdentifier(name) else { throw CompilerError(.invalidName(name)) }
        try options.checkKernel(for: target.hook)
        if target.hook.context == .tracing {
            return try TracingEntry(target, options).compile(filter, orForIP: ipFilter, named: name)
        }
        let optimizer = Optimizer(passes: options.passes)
        let graph = optimizer.lower(filter, for: target, options).graph
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

    static func function(
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
