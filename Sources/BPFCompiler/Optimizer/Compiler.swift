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
        let compilation = Compilation(filter: filter, target: target, options: options)
        let graph = compilation.graph(readingBy: compilation.ways.first)
        guard graph.hasClassicLoads, graph.failure != 0, case .verdict(let match, let noMatch) = target.result else {
            return ExtendedBPF.Program(functions: [try compilation.function(named: name)])
        }
        // A classic load that finds nothing ends its function with 0. So that becomes one of its own.
        let callee = "\(name)_number"
        let number = Compilation(
            filter: filter, target: Target(hook: target.hook, result: .number, vlan: target.vlan), options: options)
        return ExtendedBPF.Program(functions: [
            VerdictWrapper.entry(named: name, calling: callee, match, noMatch),
            try number.function(named: callee),
        ])
    }
}

/// One filter on its way to a function for one target.
private struct Compilation {
    let filter: ClassicBPF.Program
    let target: Target
    let options: CompilerOptions

    var ways: (first: PacketAccess, rest: PacketAccess?) {
        var failure: UInt32 = 0
        if case .verdict(_, let noMatch) = target.result { failure = noMatch.value }
        return PacketAccess.ways(for: target.hook, failure: failure)
    }

    func graph(readingBy access: PacketAccess) -> Graph {
        Optimizer(passes: options.passes).lower(filter, for: target, access, options).graph
    }

    func function(named name: String) throws(CompilerError) -> Function {
        let ways = ways
        let rest = ways.rest.map { (graph(readingBy: $0), $0) }
        var function = try Selector.select(
            graph(readingBy: ways.first), readingBy: ways.first, rest, for: target, options)
        BlockCleaning.run(on: &function)
        DeadInstructions.remove(from: &function)
        BlockCleaning.run(on: &function)
        OperandExchange.run(on: &function)
        RegisterAllocator.allocate(&function, BlockLayout.order(of: function))
        TailMerging.run(on: &function)
        BlockCleaning.run(on: &function)
        return try Emission.emit(function, BlockLayout.order(of: function), options.isa, named: name)
    }
}
