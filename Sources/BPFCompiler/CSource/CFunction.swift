import ClassicBPF

/// Writes a graph as the body of a C function.
///
/// Blocks that are reached from one place stand there, the others behind labels. Values are variables, named after the
/// bytes they are loaded from; what is used once, in the block that computes it, stands where it is used.
struct CFunction {
    let graph: Graph
    let hook: Hook
    private let lines: [String]
    private(set) var helpers: Set<CPrelude.Helper> = []

    private let predecessorCounts: [Int]
    private var names: [Value: String] = [:]
    private var takenNames: [String: Int] = [:]
    private var variables: [String] = []
    private var windows: [Graph.Window: String] = [:]
    private var windowSizes: [Graph.Window: UInt32] = [:]
    private let isInline: Set<Value>
    private var pending: [BlockID] = []
    private var labelled: Set<BlockID> = []
    private var output: [String] = []
    private var depth = 1
    private var origin = -1

    init(_ graph: Graph, _ hook: Hook, _ lines: [String]) {
        self.graph = graph
        self.hook = hook
        self.lines = lines
        predecessorCounts = graph.predecessors.map(\.count)
        isInline = Self.inlineValues(graph)
    }

    /// The body with its braces.
    ///
    /// - Throws: ``CompilerError`` at an instruction that the hook has nothing for.
    mutating func text(named name: String) throws(CompilerError) -> String {
        nameEverything()
        try emit(.entry)
        while let block = pending.popLast() {
            output.append("\(label(block)):")
            try emit(block)
        }
        var declarations: [String] = []
        if !variables.isEmpty { declarations += variables.map { "    u32 \($0);" } }
        for (window, name) in windows.sorted(by: { $0.value < $1.value }) {
            if hook == .tc {
                declarations.append("    u8 copy_\(name)[\(windowSizes[window]!)];")
                helpers.insert(.loadBytes)
            }
            declarations.append("    const u8 *\(name);")
        }
        if hook == .tc { helpers.insert(.loadBytes) }
        if !usesContext { output.insert("    (void)ctx;", at: 0) }
        return (["{"] + declarations + (declarations.isEmpty ? [] : [""]) + output + ["}", ""]).joined(separator: "\n")
    }

    private var usesContext: Bool { output.contains { $0.contains("ctx") } }

    // MARK: Names

    private static func inlineValues(_ graph: Graph) -> Set<Value> {
        var uses: [Value: Int] = [:]
        var result: Set<Value> = []
        for block in graph.blocks {
            for value in block.instructions {
                for operand in graph.instruction(value)!.operands { uses[operand, default: 0] += 1 }
            }
            for operand in block.terminator.operands + block.terminator.edges.flatMap(\.arguments) {
                uses[operand, default: 0] += 1
            }
        }
        for block in graph.blocks {
            var local: Set<Value> = []
            for value in block.instructions {
                local.formUnion(graph.instruction(value)!.operands.filter(block.instructions.contains))
            }
            local.formUnion(block.terminator.operands.filter(block.instructions.contains))
            for value in local where uses[value] == 1 {
                if case .arithmetic? = graph.instruction(value) { result.insert(value) }
            }
        }
        // What a window is behind is named.
        for block in graph.blocks {
            for value in block.instructions {
                switch graph.instruction(value)! {
                case .load(_, let address): if let index = address.index { result.remove(index) }
                case .requireEnd(let window, _): if let index = window.index { result.remove(index) }
                default: break
                }
            }
        }
        return result
    }

    private mutating func nameEverything() {
        for id in DominatorTree(graph).order {
            let block = graph.blocks[id.number]
            for value in block.parameters { makeName(value, "joined") }
            for value in block.instructions where !isInline.contains(value) {
                switch graph.instruction(value)! {
                case .constant: break
                case .load(let size, let address):
                    let place = address.index.map { "\(names[$0] ?? "constant")_plus_\(address.offset)" }
                    makeName(value, "\(size)_at_\(place ?? "\(address.offset)")")
                case .arithmetic(.shiftLeft, _, let distance) where graph.instruction(distance)?.constant == 2:
                    makeName(value, "header_length")
                case .arithmetic: makeName(value, "number")
                case .length: makeName(value, "length")
                case .metadata(let ext): makeName(value, ext.name)
                case .requireEnd(let window, let end): nameWindow(window, end)
                default: break
                }
            }
        }
    }

    private mutating func makeName(_ value: Value, _ name: String) {
        takenNames[name, default: 0] += 1
        names[value] = takenNames[name] == 1 ? name : "\(name)__\(takenNames[name]!)"
        variables.append(names[value]!)
    }

    private mutating func nameWindow(_ window: Graph.Window, _ end: UInt32) {
        windowSizes[window] = max(windowSizes[window] ?? 0, end - window.start)
        guard windows[window] == nil else { return }
        windows[window] = window.index.map { "at_\(name($0))_plus_\(window.start)" } ?? "at_\(window.start)"
    }

    private func label(_ id: BlockID) -> String { "block_\(id.number)" }

    // MARK: Expressions

    private func name(_ value: Value) -> String {
        if let constant = graph.instruction(value)?.constant { return Self.text(constant) }
        return names[value]!
    }

    private static func text(_ constant: UInt32) -> String {
        constant < 10 ? "\(constant)" : constant > 0x7fff_ffff ? "0x\(String(constant, radix: 16))u"
            : "0x\(String(constant, radix: 16))"
    }

    /// A value as an operand.
    private func operand(_ value: Value) -> String {
        guard isInline.contains(value), case .arithmetic(let op, let left, let right)? = graph.instruction(value) else {
            return name(value)
        }
        return "(\(arithmetic(op, left, right)))"
    }

    private func arithmetic(_ op: Operation.ArithmeticOperator, _ left: Value, _ right: Value) -> String {
        // Numbers are of 32 bits without a sign, constants too.
        let first = graph.instruction(left)?.constant == nil ? operand(left) : "(u32)\(operand(left))"
        if op == .shiftLeft || op == .shiftRight {
            let distance = graph.instruction(right)?.constant.map { "\($0 & 31)" } ?? "(\(operand(right)) & 31)"
            return "\(first) \(op.symbolInC) \(distance)"
        }
        return "\(first) \(op.symbolInC) \(operand(right))"
    }

    private func condition(
        _ comparison: Operation.Comparison, _ left: Value, _ right: Value, isInverted: Bool
    ) -> String {
        let (left, right) = (operand(left), operand(right))
        switch (comparison, isInverted) {
        case (.equal, false): return "\(left) == \(right)"
        case (.equal, true): return "\(left) != \(right)"
        case (.greater, false): return "\(left) > \(right)"
        case (.greater, true): return "\(left) <= \(right)"
        case (.greaterOrEqual, false): return "\(left) >= \(right)"
        case (.greaterOrEqual, true): return "\(left) < \(right)"
        case (.anyBitSet, false): return "\(left) & \(right)"
        case (.anyBitSet, true): return "!(\(left) & \(right))"
        }
    }

    // MARK: Statements

    private mutating func put(_ text: String) {
        output.append(String(repeating: "    ", count: depth) + text)
    }

    private mutating func mark(_ classic: Int) {
        guard classic != origin, lines.indices.contains(classic) else { return }
        origin = classic
        put("/* \(CSource.comment(lines[classic].replacing("\t", with: " "))) */")
    }

    /// Writes a block and those that follow it here.
    private mutating func emit(_ start: BlockID) throws(CompilerError) {
        var next: BlockID? = start
        while let id = next {
            let block = graph.blocks[id.number]
            for value in block.instructions { try emit(value) }
            mark(block.terminatorOrigin ?? block.origin)
            switch block.terminator {
            case .unreachable: preconditionFailure("a reachable block ends somehow")
            case .return(let value):
                put("return \(operand(value));")
                next = nil
            case .jump(let edge): next = follow(edge)
            case .branch(let comparison, let left, let right, let then, let otherwise):
                if isShort(then) || !isShort(otherwise) && depth < 6 {
                    try emitIf(condition(comparison, left, right, isInverted: false), then)
                    next = follow(otherwise)
                } else {
                    try emitIf(condition(comparison, left, right, isInverted: true), otherwise)
                    next = follow(then)
                }
            }
        }
    }

    /// Whether following the edge is one statement.
    private func isShort(_ edge: Edge) -> Bool {
        edge.arguments.isEmpty && (returned(edge.target) != nil || predecessorCounts[edge.target.number] > 1)
    }

    private func returned(_ id: BlockID) -> UInt32? {
        let block = graph.blocks[id.number]
        guard case .return(let value) = block.terminator, block.parameters.isEmpty else { return nil }
        return graph.instruction(value)?.constant.flatMap { number in
            block.instructions.allSatisfy { graph.instruction($0)?.constant != nil } ? number : nil
        }
    }

    private mutating func emitIf(_ condition: String, _ edge: Edge) throws(CompilerError) {
        if isShort(edge) {
            put("if (\(condition))")
            depth += 1
            _ = follow(edge)
            depth -= 1
            return
        }
        put("if (\(condition)) {")
        depth += 1
        if depth > 6, predecessorCounts[edge.target.number] == 1 {
            // Too deep to stand here.
            jump(along: edge)
        } else if let block = follow(edge) {
            try emit(block)
        }
        depth -= 1
        put("}")
    }

    /// Goes along an edge; returns the block that is to be written here.
    private mutating func follow(_ edge: Edge) -> BlockID? {
        if edge.arguments.isEmpty, let number = returned(edge.target) {
            put("return \(Self.text(number));")
            return nil
        }
        if predecessorCounts[edge.target.number] == 1 {
            assign(edge)
            return edge.target
        }
        jump(along: edge)
        return nil
    }

    private mutating func jump(along edge: Edge) {
        assign(edge)
        put("goto \(label(edge.target));")
        if labelled.insert(edge.target).inserted { pending.append(edge.target) }
    }

    /// Gives the parameters of the edge's target their values, all at once.
    private mutating func assign(_ edge: Edge) {
        let parameters = graph.blocks[edge.target.number].parameters
        let moves = zip(parameters, edge.arguments).filter { names[$0.0] != names[$0.1] || names[$0.1] == nil }
        let targets = Set(moves.map { $0.0 })
        let isHandedOn = moves.contains { move in targets.contains(move.1) }
        guard isHandedOn else {
            for (parameter, argument) in moves { put("\(name(parameter)) = \(operand(argument));") }
            return
        }
        put("{")
        for (place, move) in moves.enumerated() { put("    u32 new_\(place) = \(operand(move.1));") }
        for (place, move) in moves.enumerated() { put("    \(name(move.0)) = new_\(place);") }
        put("}")
    }

    private mutating func emit(_ value: Value) throws(CompilerError) {
        let instruction = graph.instruction(value)!
        let classic = graph.origins[value.number]
        if instruction.constant != nil || isInline.contains(value) { return }
        mark(classic)
        switch instruction {
        case .constant: break
        case .arithmetic(let op, let left, let right): put("\(name(value)) = \(arithmetic(op, left, right));")
        case .load(let size, let address): emitLoad(value, size, address)
        case .length:
            put("\(name(value)) = \(hook == .xdp ? "ctx->data_end - ctx->data" : "ctx->len");")
        case .metadata(let ext): put("\(name(value)) = \(try metadata(ext, classic));")
        case .requireEnd(let window, let end): emitCheck(window, end)
        case .requireNonzero(let divisor): put("if (\(operand(divisor)) == 0)\n\(indent(depth + 1))return 0;")
        case .classicLoad: throw CompilerError(.headerAreaInC(hook), at: classic)
        case .search(let ext, _, _): throw CompilerError(.unavailableExtension(ext, hook), at: classic)
        case .rawLoad, .requireBytes, .requireInterface: preconditionFailure("not in a graph for C")
        }
    }

    private func indent(_ depth: Int) -> String { String(repeating: "    ", count: depth) }

    private mutating func emitCheck(_ window: Graph.Window, _ end: UInt32) {
        let pointer = windows[window]!
        let offset =
            window.index.map { window.start == 0 ? "(u64)\(name($0))" : "(u64)\(name($0)) + \(window.start)" }
            ?? "\(window.start)"
        let copy = hook == .tc ? ", copy_\(pointer)" : ""
        put("\(pointer) = packet(ctx, \(offset), \(end - window.start)\(copy));")
        put("if (!\(pointer))\n\(indent(depth + 1))return 0;")
    }

    private mutating func emitLoad(_ value: Value, _ size: Operation.Size, _ address: Graph.Address) {
        let window = windows.keys.filter {
            $0.index == address.index && $0.start <= address.offset
                && address.offset + size.rawValue <= $0.start + windowSizes[$0]!
        }.max { $0.start < $1.start }!
        let distance = address.offset - window.start
        let place = windows[window]! + (distance == 0 ? "" : " + \(distance)")
        put("\(name(value)) = LOAD\(8 * size.rawValue)(\(place));")
    }

    private mutating func metadata(_ ext: Extension, _ classic: Int) throws(CompilerError) -> String {
        switch (hook, ext) {
        case (_, .cpu):
            helpers.insert(.processorID)
            return "bpf_get_smp_processor_id()"
        case (_, .rand):
            helpers.insert(.randomNumber)
            return "bpf_get_prandom_u32()"
        case (.xdp, .ifidx): return "ctx->ingress_ifindex"
        case (.tc, .ifidx): return "ctx->ifindex"
        case (.tc, .proto): return "NTOH16(ctx->protocol)"
        case (.tc, .vlanTPID): return "NTOH16(ctx->vlan_proto)"
        case (.tc, .type): return "ctx->pkt_type"
        case (.tc, .mark): return "ctx->mark"
        case (.tc, .queue): return "ctx->queue_mapping"
        case (.tc, .rxhash): return "ctx->hash"
        case (.tc, .vlanTCI): return "ctx->vlan_tci"
        case (.tc, .vlanAvail): return "ctx->vlan_present"
        default: throw CompilerError(.unavailableExtension(ext, hook), at: classic)
        }
    }
}

extension Operation.ArithmeticOperator {
    fileprivate var symbolInC: String {
        switch self {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .modulo: "%"
        case .or: "|"
        case .and: "&"
        case .xor: "^"
        case .shiftLeft: "<<"
        case .shiftRight: ">>"
        }
    }
}
