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
        let graph = Optimizer(passes: options.passes).lower(filter, for: target, options).graph
        var function = try Selector.select(graph, for: target, options)
        BlockCleaning.run(on: &function)
        DeadInstructions.remove(from: &function)
        BlockCleaning.run(on: &function)
        RegisterAllocator.allocate(&function, BlockLayout.order(of: function))
        TailMerging.run(on: &function)
        BlockCleaning.run(on: &function)
        let entry = try Emission.emit(function, BlockLayout.order(of: function), options.isa, named: name)
        return ExtendedBPF.Program(functions: [entry])
    }
}
