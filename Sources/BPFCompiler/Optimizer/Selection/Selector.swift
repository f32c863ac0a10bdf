import ClassicBPF
import ExtendedBPF

/// Chooses machine instructions for a lowered graph. Registers stay virtual.
///
/// `r0` holds what the filter returns when it fails, from the start and again after every call, so that failing is one
/// jump to an `exit`; where every load is a call of a kind, it does not. The files beside this one choose for arithmetic, branches, the context and the packet.
struct Selector {
    let graph: Graph
    let target: Target
    let options: CompilerOptions
    let access: PacketAccess
    var function = MachineFunction()
    /// The machine block that is being filled.
    var current = 0
    /// The classic instruction that is being read.
    var origin = -1
    /// Where the packet's parts are found at this point.
    var cursors = Cursors()

    private var registers: [MachineRegister?]
    private var blocks: [Int?]
    private var entryCursors: [Cursors?]
    /// By what it returns, the block that does so.
    private var exits: [Int: Int] = [:]
    private var failureBlock: Int?
    /// Where a packet goes of which the first way of reading does not find enough.
    private var missBlock: Int?
    /// Whether there is another way for such packets.
    private(set) var hasRest = false
    /// Whether the rest of the block is never reached.
    var isAbandoned = false
    /// The first blocks of loops that have not been come by yet.
    private var loopsAhead: [BlockID] = []
    private let tree: DominatorTree
    /// Where the addresses of tables are.
    var tables: TableAddresses
    /// The first blocks of all loops.
    let loops: Set<BlockID>
    private var pointers: [Graph.Window: MachineRegister] = [:]
    /// Where on the stack copies of the packet are.
    private(set) var places: StackPlaces
    /// Where packets are read through the kernel's own buffer: by window, how far it is asked for at most.
    private(set) var ends: [Graph.Window: UInt32] = [:]
    /// The context's register.
    private(set) var context = MachineRegister.result
    /// How loops are called, where a helper function runs them.
    var loopCall = LoopCall()
    /// The packet's start, or the register that moves on from there.
    var data: MachineRegister?
    /// The end of the packet's directly reachable part.
    var dataEnd: MachineRegister?
    /// What is known of the kernel's own buffer, where packets are read through that.
    var kernelBuffer = KernelBufferRegisters()
    /// Where the copy of the packet's first bytes is, where packets are read through that.
    var prefix = PrefixPlace()
    /// Where on the stack loads by helper functions get their bytes, in turn; see SelectHeaderAreas.swift.
    var areaCopy: Int?
    /// The bytes of stack that hold nothing any more, from its end on.
    private var freeStackSize = 0

    /// Chooses instructions for `graph`.
    ///
    /// - Parameter roundName: The name of the function that a helper function calls for each round of a loop.
    /// - Throws: ``CompilerError`` at a classic instruction for which the hook has nothing.
    static func select(
        _ graph: Graph, readingBy access: PacketAccess, _ rest: (graph: Graph, access: PacketAccess)?,
        roundsBy roundName: String, for target: Target, _ options: CompilerOptions
    ) throws(CompilerError) -> MachineFunction {
        var selector = Selector(graph, access, target, options)
        selector.loopCall.roundName = roundName
        selector.hasRest = rest != nil
        try selector.run()
        guard let rest, let block = selector.missBlock else { return selector.function }
        return try selector.goOn(with: rest.graph, rest.access, in: block)
    }

    /// Chooses instructions for the same filter in another way, as the blocks from `block` on of the same function.
    private func goOn(
        with graph: Graph, _ access: PacketAccess, in block: Int
    ) throws(CompilerError) -> MachineFunction {
        var selector = Selector(graph, access, target, options)
        selector.function = function
        selector.exits = exits
        if case .prefix = self.access { selector.freeStackSize = function.stackSize }
        selector.loopCall = loopCall
        selector.current = block
        let blocksBefore = function.blocks.count
        if graph.hasEndingLoads {
            selector.context = MachineRegister(.r6)
            selector.append(.move64(.r0, .r0), dst: selector.context, src: context)
        } else {
            selector.context = context
        }
        try selector.emitBlocks()
        selector.function.blocks[block].isRare = true
        for number in blocksBefore..<selector.function.blocks.count { selector.function.blocks[number].isRare = true }
        return selector.function
    }

    private init(_ graph: Graph, _ access: PacketAccess, _ target: Target, _ options: CompilerOptions) {
        self.graph = graph
        self.target = target
        self.options = options
        self.access = access
        tree = DominatorTree(graph)
        tables = TableAddresses(of: graph, tree)
        loops = Set(LoopBounds.loops(in: graph, tree).keys)
        registers = Array(repeating: nil, count: graph.definitions.count)
        blocks = Array(repeating: nil, count: graph.blocks.count)
        entryCursors = Array(repeating: nil, count: graph.blocks.count)
        switch access {
        case .copies, .probes, .kernelBuffer(copying: true): places = StackPlaces(graph)
        default: places = StackPlaces()
        }
        switch access {
        case .kernelBuffer, .probes, .prefix: ends = Self.ends(of: graph)
        case .pointers, .copies, .instructions: break
        }
        // What loops share lies first.
        if let state = graph.loop, !graph.isRound { places.base = state.size }
    }

    private mutating func run() throws(CompilerError) {
        current = function.makeBlock()
        emitPrologue()
        try emitBlocks()
    }

    private mutating func emitBlocks() throws(CompilerError) {
        _ = function.reserveStack(max(0, places.size - freeStackSize))
        emitSharedNumbers()
        loopsAhead = Array(loops)
        for id in tree.order {
            if id == .entry {
                blocks[0] = current
            } else {
                // A block that only returns may have been replaced by an exit wherever it was led to.
                guard let entry = entryCursors[id.number] else { continue }
                current = machineBlock(id)
                cursors = entry
            }
            let block = graph.blocks[id.number]
            tables.begin(id)
            isAbandoned = false
            if let place = loopsAhead.firstIndex(of: id) {
                loopsAhead.remove(at: place)
                beginRound(block)
            }
            for value in block.instructions where !isAbandoned {
                origin = graph.origins[value.number]
                try emit(value)
            }
            origin = block.terminatorOrigin ?? block.origin
            if !isAbandoned { emit(block.terminator) }
        }
    }

    private mutating func emitPrologue() {
        if keepsResult { setResult(graph.failure) }
        if graph.isRound {
            context = emitRoundPrologue()
            return emitAccessPrologue()
        }
        reserveSharedState()
        // The classic loads want the context in a register of its own.
        context = graph.hasEndingLoads ? MachineRegister(.r6) : function.makeRegister()
        append(.move64(.r0, .r0), dst: context, src: MachineRegister(.r1))
        emitAccessPrologue()
    }

    // MARK: Blocks

    /// The machine block that a block of the graph begins with.
    mutating func machineBlock(_ id: BlockID) -> Int {
        if let block = blocks[id.number] { return block }
        blocks[id.number] = function.makeBlock()
        return blocks[id.number]!
    }

    /// The machine block that returns `number`.
    mutating func exit(with number: UInt32) -> Int {
        if let block = exits[Int(number)], keepsResult || number != graph.failure { return block }
        if number == graph.failure, !keepsResult { return failureAfterCall }
        let block = function.makeBlock()
        exits[Int(number)] = block
        if number == graph.failure {
            function.blocks[block].terminator = .exit
        } else {
            let end = plainExit
            inBlock(block) { $0.setResult(number) }
            function.blocks[block].terminator = .jump(end)
        }
        return block
    }

    /// The machine block that only returns.
    private var plainExit: Int {
        mutating get {
            if let block = exits[Int(graph.failure)] { return block }
            exits[Int(graph.failure)] = function.makeBlock()
            return exits[Int(graph.failure)]!
        }
    }

    /// Whether `r0` holds what the filter returns when it fails.
    var keepsResult: Bool { access.permit == nil }

    /// Where a requirement that is not met leads.
    var failureExit: Int {
        mutating get { exit(with: graph.failure) }
    }

    /// Where a check leads that does not find enough of the packet.
    var missExit: Int {
        mutating get {
            guard hasRest else { return failureExit }
            if let missBlock { return missBlock }
            missBlock = function.makeBlock()
            return missBlock!
        }
    }

    /// Where a call that says "there is nothing" leads, `r0` being its result.
    var failureAfterCall: Int {
        mutating get {
            if let failureBlock { return failureBlock }
            let block = function.makeBlock()
            failureBlock = block
            function.blocks[block].isRare = true
            inBlock(block) { $0.setResult($0.graph.failure) }
            function.blocks[block].terminator = .jump(plainExit)
            return block
        }
    }

    /// The register that points into `window`.
    mutating func pointerRegister(of window: Graph.Window) -> MachineRegister {
        if let register = pointers[window] { return register }
        pointers[window] = function.makeRegister()
        return pointers[window]!
    }

    /// Runs `body` with another block to fill.
    mutating func inBlock(_ block: Int, _ body: (inout Selector) -> Void) {
        let before = current
        current = block
        body(&self)
        current = before
    }

    /// Ends the block that is being filled.
    mutating func end(with terminator: MachineTerminator) {
        function.blocks[current].terminator = terminator
        function.blocks[current].origin = origin
    }

    /// Ends the block with a conditional jump to `block` and goes on filling the one that is reached otherwise.
    mutating func jump(to block: Int, if condition: MachineCondition) {
        let next = function.makeBlock()
        end(with: .branch(condition, then: block, otherwise: next))
        current = next
    }

    /// Whether a number of 32 bits is above `limit`, which is not negative.
    func isAbove(_ limit: Int32, _ number: MachineRegister) -> MachineCondition {
        MachineCondition(
            comparison: .greater, is64: !options.isa.hasJump32, left: number, right: .constant(limit))
    }

    // MARK: Edges

    /// The machine block that `edge` leads to, with moves on the way where the target wants some.
    mutating func way(along edge: Edge) -> Int {
        if edge.arguments.isEmpty, let result = returned(by: edge.target) { return exit(with: result) }
        let moves = moves(along: edge)
        let target = machineBlock(edge.target)
        // A round that copies to the stack leaves another state there, from which on later ones are compared anew.
        let forgets = hasMayGoto && (copies ? loops.contains(edge.target) : loopsAhead.contains(edge.target))
        guard !moves.isEmpty || forgets else { return target }
        let block = function.makeBlock()
        function.blocks[block].instructions = moves
        inBlock(block) {
            if forgets { $0.forgetParameters(handedAlong: edge) }
            $0.end(with: .jump(target))
        }
        return block
    }

    /// The number that a block returns, if that is all it does.
    private func returned(by id: BlockID) -> UInt32? {
        let block = graph.blocks[id.number]
        guard case .return(let value) = block.terminator, let number = graph.instruction(value)?.constant,
            block.instructions.allSatisfy({ graph.instruction($0)?.constant != nil })
        else { return nil }
        return number
    }

    /// What gives the target's parameters and cursors what they are to hold.
    private mutating func moves(along edge: Edge) -> [MachineInstruction] {
        let (entry, adjustments) = cursors.merged(into: entryCursors[edge.target.number])
        entryCursors[edge.target.number] = entry
        var moves = adjustments.map { register, distance in
            make(.alu64(.add, .r0, Int32(distance)), dst: register)
        }
        let parameters = graph.blocks[edge.target.number].parameters
        let targets = parameters.map { register(of: $0) }
        // A parameter that is also handed on would be overwritten too soon.
        let isHandedOn = edge.arguments.enumerated().contains { place, argument in
            registers[argument.number].map { $0 != targets[place] && targets.contains($0) } ?? false
        }
        var late: [MachineInstruction] = []
        for (target, argument) in zip(targets, edge.arguments) {
            if let constant = graph.instruction(argument)?.constant {
                late.append(make(.move32(.r0, constant), dst: target))
            } else if isHandedOn {
                let copy = function.makeRegister()
                moves.append(make(.move32(.r0, .r0), dst: copy, src: register(of: argument)))
                late.append(make(.move32(.r0, .r0), dst: target, src: copy))
            } else if register(of: argument) != target {
                late.append(make(.move32(.r0, .r0), dst: target, src: register(of: argument)))
            }
        }
        return moves + late
    }

    // MARK: Instructions

    /// Appends an instruction; the register fields of `instruction` itself do not count.
    mutating func append(
        _ instruction: ExtendedBPF.Instruction, dst: MachineRegister? = nil, src: MachineRegister? = nil,
        _ reference: Reference? = nil
    ) {
        function.blocks[current].instructions.append(make(instruction, dst: dst, src: src, reference))
    }

    /// Appends a call of the helper function `number`, which reads `r1` to that many.
    mutating func appendCall(_ number: Int32, arguments: Int) {
        var call = make(.call(helper: number))
        call.argumentCount = arguments
        function.blocks[current].instructions.append(call)
    }

    func make(
        _ instruction: ExtendedBPF.Instruction, dst: MachineRegister? = nil, src: MachineRegister? = nil,
        _ reference: Reference? = nil
    ) -> MachineInstruction {
        MachineInstruction(instruction: instruction, dst: dst, src: src, reference: reference, origin: origin)
    }

    /// `r0 = number`.
    mutating func setResult(_ number: UInt32) {
        append(.move32(.r0, number), dst: .result)
    }

    /// The register of a value, made where it has none yet.
    mutating func register(of value: Value) -> MachineRegister {
        if let register = registers[value.number] { return register }
        registers[value.number] = function.makeRegister()
        return registers[value.number]!
    }

    /// A register that holds `value`; a constant is put into one here.
    mutating func operand(_ value: Value) -> MachineRegister {
        guard let constant = graph.instruction(value)?.constant else { return register(of: value) }
        let register = function.makeRegister()
        append(.move32(.r0, constant), dst: register)
        return register
    }

    /// The largest number that the verifier, too, knows `value` not to exceed.
    ///
    /// It does not follow byte swaps, multiplications and parameters.
    func verifiedBound(_ value: Value) -> UInt32 {
        switch graph.instruction(value) {
        case .constant(let number): return number
        case .rawLoad(.byte, _), .load(.byte, _): return 0xff
        case .rawLoad(.half, _): return 0xffff
        case .arithmetic(.and, let left, let right): return min(verifiedBound(left), verifiedBound(right))
        case .arithmetic(.shiftRight, let left, let right):
            return graph.instruction(right)?.constant.map { verifiedBound(left) >> ($0 & 31) } ?? .max
        case .arithmetic(.shiftLeft, let left, let right):
            guard let distance = graph.instruction(right)?.constant.map({ $0 & 31 }) else { return .max }
            let bound = verifiedBound(left)
            return bound.leadingZeroBitCount >= Int(distance) ? bound << distance : .max
        case .arithmetic(.add, let left, let right):
            let (sum, overflows) = verifiedBound(left).addingReportingOverflow(verifiedBound(right))
            return overflows ? .max : sum
        default: return .max
        }
    }
}
