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
        if let origin = lowered.irreducibleLoop { throw CompilerError(.irreducibleLoop, at: origin) }
        guard lowered.main.first.graph.needsFunction, case .verdict(let match, let noMatch) = target.result else {
            return Routine.link(
                try compilation.functions(named: name, lowered), named: name, for: target.hook, options)
        }
        let callee = "\(name)_number"
        let number = Compilation(
            filter: filter, target: Target(hook: target.hook, result: .number, vlan: target.vlan), options: options)
        return Routine.link(
            [Routine.Caller(function: VerdictWrapper.entry(named: name, calling: callee, match, noMatch))]
                + (try number.functions(named: callee)), named: name, for: target.hook, options)
    }
}

extension Compiler {
    /// The most rounds that a loop gets: as many headers of eight bytes as a packet of 65,535 bytes has room for, which
    /// is enough for what libpcap makes loops for.
    public static let mostLoopRounds = LoopBounds.mostRounds

    /// How many rounds the loops of `filter` get on `target`, the least of them, or nil if it has none. A packet for
    /// which one would need more does not match; where a helper function runs them, nor does one for which loops in each
    /// other need 8,388,608 together.
    public static func loopRounds(
        of filter: ClassicBPF.Program, for target: Target, options: CompilerOptions = CompilerOptions()
    ) -> Int? {
        guard ControlFlow(filter).hasBackwardJumps else { return nil }
        let lowered = Compilation(filter: filter, target: target, options: options).lowered()
        return lowered.main.first.graph.rounds.values.min().map { min($0, mostLoopRounds) }
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
        // In functions that programs call, Linux 6.18 loses its way at the instructions when it goes back from there to see
        // where a number came from ("verifier bug: static subprog unexpected regs"). Functions that a helper function calls
        // cannot have them.
        let permit = target.hook.isFunction || callsRounds ? nil : options.permit(on: target.hook)
        return PacketAccess.ways(for: target.hook, failure: failure, options.kernel(for: target.hook), permit)
    }

    /// Whether a helper function runs the loops of the filter.
    private var callsRounds: Bool { hasLoops && options.loops(on: target.hook) == .called }

    /// The filter as instructions can be chosen for it.
    struct Lowered {
        /// The filter, or what of it comes before second rounds of its loops.
        var main: Ways
        /// What a helper function calls for each round of a loop, where one does.
        var round: Ways?
        /// The classic instruction that jumps back into a loop which is entered in other places too.
        var irreducibleLoop: Int?

        /// Both.
        var parts: [Ways] { [main] + (round.map { [$0] } ?? []) }

        /// A graph for each way of reading packets.
        struct Ways {
            /// For the first way.
            var first: Part
            /// For the second, where there is one.
            var rest: Part?
            /// The tables of both.
            var tables: SearchTables
        }

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
        if callsRounds, LoopBounds.irreducibleLoop(in: graph) == nil, let (main, round) = optimizer.part(graph) {
            // Where an index can be anything, the kernel's instructions are needed.
            if graph.hasEndingLoads { return bounded.lowered() }
            return Lowered(main: ways(main, notes, optimizer), round: ways(round, [], optimizer))
        }
        return Lowered(
            main: prefixed(graph, notes, optimizer) ?? ways(graph, notes, optimizer),
            irreducibleLoop: hasLoops ? LoopBounds.irreducibleLoop(in: graph) : nil)
    }

    /// The simplified `graph` for each way of reading packets.
    private func ways(_ graph: Graph, _ notes: [String], _ optimizer: Optimizer) -> Lowered.Ways {
        var tables = SearchTables()
        let first = part(graph, ways.first, isRare: false, notes, optimizer, &tables)
        let rest = ways.rest.map { part(graph, $0, isRare: true, [], optimizer, &tables) }
        return Lowered.Ways(first: first, rest: rest, tables: tables)
    }

    private func part(
        _ graph: Graph, _ access: PacketAccess, isRare: Bool, _ before: [String], _ optimizer: Optimizer,
        _ tables: inout SearchTables
    ) -> Lowered.Part {
        let (graph, notes) = optimizer.lower(graph, for: target, access, isRare: isRare, options, &tables)
        return Lowered.Part(access: access, graph: graph, notes: before + notes)
    }

    /// The simplified `graph` for reading packets through a copy of their first bytes, where that can be and pays, and
    /// the others.
    private func prefixed(_ graph: Graph, _ notes: [String], _ optimizer: Optimizer) -> Lowered.Ways? {
        let kernel = options.kernel(for: target.hook)
        guard target.hook.host == .socket, kernel < .plainKernelMemory, !isThrifty, DominatorTree(graph).isAcyclic
        else { return nil }
        let prefix = PacketPrefix(holdsIndexed: kernel >= .computedStackLoads, permit: ways.first.permit)
        var tables = SearchTables()
        let (lowered, done) = optimizer.lower(
            graph, for: target, .prefix(count: 0), isRare: false, options, &tables, prefix)
        guard let count = prefix.count(for: lowered) else { return nil }
        let first = Lowered.Part(access: .prefix(count: count), graph: lowered, notes: notes + done)
        let rest = part(graph, ways.first, isRare: true, [], optimizer, &tables)
        return Lowered.Ways(first: first, rest: rest, tables: tables)
    }

    /// Whether to use little of the stack, at the cost of more instructions.
    private var isThrifty = false

    /// The same with loops that are bounded, as before there was a helper function for them.
    private var bounded: Compilation {
        var options = options
        options.boundsLoops = true
        var bounded = Compilation(filter: filter, target: target, options: options)
        bounded.isThrifty = isThrifty
        return bounded
    }

    /// Whether the filter has loops.
    private let hasLoops: Bool

    init(filter: ClassicBPF.Program, target: Target, options: CompilerOptions) {
        self.filter = filter
        self.target = target
        self.options = options
        hasLoops = ControlFlow(filter).hasBackwardJumps
    }

    /// The bytes of stack a program has. Source: `MAX_BPF_STACK` of `<linux/filter.h>`.
    private static let stackSize = 512

    /// The bytes of stack the function may have: at tracing hooks the entry that calls it has some too, and so have the
    /// functions that look for the payload. The kernel takes each function's for a multiple of 32.
    private var stackLimit: Int {
        let callsPayloadSearch = (0..<filter.count).contains { filter.operation(at: $0) == .load(.extension(.poff)) }
        return (options.role == .part ? FilterPart.stackSize : Self.stackSize)
            - (target.hook.context == .tracing ? 32 : 0)
            - (callsPayloadSearch ? PayloadSearch.stackSize : 0)
    }

    /// The filter as a function, and the one for the rounds of its loops, where a helper function calls that.
    ///
    /// - Parameter lowered: What ``lowered()`` returns, where that is at hand.
    func functions(named name: String, _ lowered: Lowered? = nil) throws(CompilerError) -> [Routine.Caller] {
        var lowered = lowered ?? self.lowered()
        var functions = try allocated(lowered, named: name)
        if !fitsStack(functions) {
            var thrifty = self
            thrifty.isThrifty = true
            lowered = thrifty.lowered()
            functions = try thrifty.allocated(lowered, named: name)
        }
        if functions.count > 1, !fitsStack(functions) {
            return try bounded.functions(named: name)
        }
        var result: [Routine.Caller] = []
        for (machine, ways) in zip(functions, lowered.parts) {
            var function = machine
            TailMerging.run(on: &function)
            BlockCleaning.run(on: &function)
            let order = BlockLayout.order(of: function, hasLoops: hasLoops && lowered.round == nil)
            let name = result.isEmpty ? name : Self.roundName(of: name)
            result.append(
                Routine.Caller(
                    function: try Emission.emit(function, order, options.isa, named: name), tables: ways.tables))
        }
        return result
    }

    /// The filter as one function.
    ///
    /// - Precondition: No helper function calls rounds of loops.
    func function(named name: String) throws(CompilerError) -> Routine.Caller {
        try functions(named: name)[0]
    }

    /// The name of the function for the rounds of the loops of the function `name`.
    private static func roundName(of name: String) -> String { "\(name)_round" }

    /// Whether functions that call each other have enough stack.
    private func fitsStack(_ functions: [MachineFunction]) -> Bool {
        if functions.count == 1 { return functions[0].stackSize <= stackLimit }
        // Where the kernel makes a loop of the call of a helper function, it takes 24 bytes for that.
        return functions.reduce(24) { $0 + ($1.stackSize + 31) & ~31 } <= stackLimit
    }

    private func allocated(_ lowered: Lowered, named name: String) throws(CompilerError) -> [MachineFunction] {
        let roundName = Self.roundName(of: name)
        var result: [MachineFunction] = []
        for ways in lowered.parts {
            // There may be no way to a second round.
            if let main = result.first, !main.refers(to: .function(roundName)) { break }
            var function = try Selector.select(
                ways.first.graph, readingBy: ways.first.access, ways.rest.map { ($0.graph, $0.access) },
                roundsBy: roundName, for: target, options)
            BlockCleaning.run(on: &function)
            DeadInstructions.remove(from: &function)
            BlockCleaning.run(on: &function)
            OperandExchange.run(on: &function)
            let order = BlockLayout.order(of: function, hasLoops: hasLoops && lowered.round == nil)
            RegisterAllocator.allocate(&function, order)
            result.append(function)
        }
        return result
    }
}
