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
        let lowered = compilation.lowered()
        if let origin = LoopBounds.irreducibleLoop(in: lowered.first.graph) {
            throw CompilerError(.irreducibleLoop, at: origin)
        }
        guard lowered.first.graph.needsFunction, case .verdict(let match, let noMatch) = target.result else {
            return Routine.link(
                [try compilation.function(named: name, lowered)], named: name, for: target.hook, options)
        }
        let callee = "\(name)_number"
        let number = Compilation(
            filter: filter, target: Target(hook: target.hook, result: .number, vlan: target.vlan), options: options)
        return Routine.link(
            [
                Routine.Caller(function: VerdictWrapper.entry(named: name, calling: callee, match, noMatch)),
                try number.function(named: callee),
            ], named: name, for: target.hook, options)
    }
}

extension Compiler {
    /// The most rounds that a loop gets: as many headers of eight bytes as a packet of 65,535 bytes has room for, which
    /// is enough for what libpcap makes loops for.
    public static let mostLoopRounds = LoopBounds.mostRounds

    /// How many rounds the loops of `filter` get on `target`, the least of them, or nil if it has none. A packet for
    /// which one would need more does not match.
    public static func loopRounds(
        of filter: ClassicBPF.Program, for target: Target, options: CompilerOptions = CompilerOptions()
    ) -> Int? {
        guard ControlFlow(filter).hasBackwardJumps else { return nil }
        let lowered = Compilation(filter: filter, target: target, options: options).lowered()
        return lowered.first.graph.rounds.values.min()
    }
}

extension Compiler {
    /// Whether programs for `target` read whatever packets have.
    ///
    /// Where they do not, they read what lies in the linear part of the kernel's buffer, headers at least, and a packet
    /// of which the filter asks for more does not match: as in a capture that was cut short there, `len` is the
    /// packet's own.
    public static func reachesWholePackets(
        for target: Target, options: CompilerOptions = CompilerOptions()
    ) -> Bool {
        PacketAccess.reachWholePackets(on: target.hook, options.kernel(for: target.hook))
    }
}

/// One filter on its way to a function for one target.
struct Compilation {
    let filter: ClassicBPF.Program
    let target: Target
    let options: CompilerOptions

    /// How packets are read, and how where that does not reach.
    var ways: (first: PacketAccess, rest: PacketAccess?) {
        var failure: UInt32 = 0
        if case .verdict(_, let noMatch) = target.result { failure = noMatch.value }
        let ways = PacketAccess.ways(for: target.hook, failure: failure, options.kernel(for: target.hook))
        guard options.isPart || target.hook.isFunction else { return ways }
        // The instructions end the function they are in, and Linux 6.18 loses its way there when it goes back from what
        // calls the function to see where a number came from ("verifier bug: static subprog unexpected regs").
        func copying(_ way: PacketAccess) -> PacketAccess { way == .instructions ? .copies(.socketBuffer) : way }
        return (copying(ways.first), ways.rest.map(copying))
    }

    /// The filter as instructions can be chosen for it.
    struct Lowered {
        /// For the first way of reading packets.
        var first: Part
        /// For the second, where there is one.
        var rest: Part?
        /// The tables of both.
        var tables: SearchTables

        /// A graph for a way, and what each pass did.
        struct Part {
            var access: PacketAccess
            var graph: Graph
            var notes: [String]
        }
    }

    /// The filter for each way of reading packets; what has nothing to do with that is done once.
    func lowered() -> Lowered {
        var optimizer = Optimizer(passes: options.passes)
        if isThrifty {
            // What is known already would be kept, mostly on the stack.
            optimizer.passes.removeAll { $0 == ValueNumbering.name }
            optimizer.copySize = 4
        }
        let (graph, notes) = optimizer.simplify(filter, for: target, options)
        var tables = SearchTables()
        func part(_ access: PacketAccess, isRare: Bool, _ before: [String]) -> Lowered.Part {
            let (graph, notes) = optimizer.lower(graph, for: target, access, isRare: isRare, options, &tables)
            return Lowered.Part(access: access, graph: graph, notes: before + notes)
        }
        if let prefix = prefixed(graph, notes, optimizer, &tables) {
            return Lowered(first: prefix, rest: part(ways.first, isRare: true, []), tables: tables)
        }
        let first = part(ways.first, isRare: false, notes)
        let rest = ways.rest.map { part($0, isRare: true, []) }
        return Lowered(first: first, rest: rest, tables: tables)
    }

    /// The simplified `graph` for reading packets through a copy of their first bytes, where that can be and pays.
    private func prefixed(
        _ graph: Graph, _ notes: [String], _ optimizer: Optimizer, _ tables: inout SearchTables
    ) -> Lowered.Part? {
        let kernel = options.kernel(for: target.hook)
        guard target.hook.host == .socket, kernel < .plainKernelMemory, !isThrifty, DominatorTree(graph).isAcyclic
        else { return nil }
        let prefix = PacketPrefix(
            holdsIndexed: kernel >= .computedStackLoads, hasInstructions: ways.first == .instructions)
        var more = tables
        let (lowered, done) = optimizer.lower(
            graph, for: target, .prefix(count: 0), isRare: false, options, &more, prefix)
        guard let count = prefix.count(for: lowered) else { return nil }
        tables = more
        return Lowered.Part(access: .prefix(count: count), graph: lowered, notes: notes + done)
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

    /// The bytes of stack the function may have: at tracing hooks the entry that calls it has some too, and so have the
    /// functions that look for the payload. The kernel takes each function's for a multiple of 32.
    private var stackLimit: Int {
        let callsPayloadSearch = (0..<filter.count).contains { filter.operation(at: $0) == .load(.extension(.poff)) }
        return (options.isPart ? CompilerOptions.stackSizeOfParts : Self.stackSize)
            - (target.hook.context == .tracing ? 32 : 0)
            - (callsPayloadSearch ? PayloadSearch.stackSize : 0)
    }

    private var hasLoops: Bool { ControlFlow(filter).hasBackwardJumps }

    /// The filter as a function.
    ///
    /// - Parameter lowered: What ``lowered()`` returns, where that is at hand.
    func function(named name: String, _ lowered: Lowered? = nil) throws(CompilerError) -> Routine.Caller {
        var lowered = lowered ?? self.lowered()
        var function = try allocated(lowered)
        if function.stackSize > stackLimit {
            var thrifty = self
            thrifty.isThrifty = true
            lowered = thrifty.lowered()
            function = try thrifty.allocated(lowered)
        }
        TailMerging.run(on: &function)
        BlockCleaning.run(on: &function)
        let order = BlockLayout.order(of: function, hasLoops: hasLoops)
        return Routine.Caller(
            function: try Emission.emit(function, order, options.isa, named: name), tables: lowered.tables)
    }

    private func allocated(_ lowered: Lowered) throws(CompilerError) -> MachineFunction {
        var function = try Selector.select(
            lowered.first.graph, readingBy: lowered.first.access,
            lowered.rest.map { ($0.graph, $0.access) }, for: target, options)
        BlockCleaning.run(on: &function)
        DeadInstructions.remove(from: &function)
        BlockCleaning.run(on: &function)
        OperandExchange.run(on: &function)
        RegisterAllocator.allocate(&function, BlockLayout.order(of: function, hasLoops: hasLoops))
        return function
    }
}
