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
        let compilation = Compilation(filter: filter, target: target, options: options)
        let graph = compilation.graph(readingBy: compilation.ways.first)
        guard graph.hasClassicLoads, graph.failure != 0, case .verdict(let match, let noMatch) = target.result else {
            return ExtendedBPF.Program(functions: [try compilation.function(named: name)])
        }
        // A classic load that finds nothing ends its function with 0. So that becomes one of its own.
        let callee = "\(name)_number"
        let number = Compilation(
            filter: filter, target: Target(hook: target.hook, result: .number), options: options)
        return ExtendedBPF.Program(functions: [
            VerdictWrapper.entry(named: name, calling: callee, match, noMatch),
            try number.function(named: callee),
        ])
    }
}

/// One filter on its way to a function for one target.
struct Compilation {
    let filter: ClassicBPF.Program
    let target: Target
    let options: CompilerOptions

    var ways: (first: PacketAccess, rest: PacketAccess?) {
        var failure: UInt32 = 0
        if case .verdict(_, let noMatch) = target.result { failure = noMatch.value }
        return PacketAccess.ways(for: target.hook, failure: failure, options.kernel(for: target.hook))
    }

    func graph(readingBy access: PacketAccess) -> Graph {
        var optimizer = Optimizer(passes: options.passes)
        if isThrifty {
            // What is known already would be kept, mostly on the stack.
            optimizer.passes.removeAll { $0 == ValueNumbering.name }
            optimizer.copySize = 4
        }
        return optimizer.lower(filter, for: target, access, options).graph
    }

    /// Whether to use little of the stack, at the cost of more instructions.
    private var isThrifty = false

    init(filter: ClassicBPF.Program, target: Target, options: CompilerOptions) {
        self.filter = filter
        self.target = target
        self.options = options
    }

    /// The bytes of stack a program has. Source: `MAX_BPF_STACK` of `<linux/filter.h>`.
    private static let stackSize = 512

    func function(named name: String) throws(CompilerError) -> Function {
        var function = try allocated()
        if function.stackSize > Self.stackSize {
            var thrifty = self
            thrifty.isThrifty = true
            function = try thrifty.allocated()
        }
        TailMerging.run(on: &function)
        BlockCleaning.run(on: &function)
        return try Emission.emit(function, BlockLayout.order(of: function), options.isa, named: name)
    }

    private func allocated() throws(CompilerError) -> MachineFunction {
        let ways = ways
        let rest = ways.rest.map { (graph(readingBy: $0), $0) }
        var function = try Selector.select(
            graph(readingBy: ways.first), readingBy: ways.first, rest, for: target, options)
        BlockCleaning.run(on: &function)
        DeadInstructions.remove(from: &function)
        BlockCleaning.run(on: &function)
        OperandExchange.run(on: &function)
        RegisterAllocator.allocate(&function, BlockLayout.order(of: function))
        return function
    }
}
