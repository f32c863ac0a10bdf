import ClassicBPF

// Blocks, the ways between them and what they do.

extension CFunction {
    mutating func put(_ text: String) {
        output.append(String(repeating: "    ", count: depth) + text)
    }

    mutating func mark(_ classic: Int) {
        guard classic != origin, lines.indices.contains(classic) else { return }
        origin = classic
        put("/* \(CSource.comment(lines[classic].replacing("\t", with: " "))) */")
    }

    /// Writes a block and those that follow it here.
    mutating func emit(_ start: BlockID) throws(CompilerError) {
        var next: BlockID? = start
        while let id = next {
            let block = graph.blocks[id.number]
            for value in block.instructions { try emit(value) }
            mark(block.terminatorOrigin ?? block.origin)
            switch block.terminator {
            case .unreachable: preconditionFailure("a reachable block ends somehow")
            case .loop: preconditionFailure("loops are not parted for C")
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
    func isShort(_ edge: Edge) -> Bool {
        edge.arguments.isEmpty && (returned(edge.target) != nil || predecessorCounts[edge.target.number] > 1)
    }

    func returned(_ id: BlockID) -> UInt32? {
        let block = graph.blocks[id.number]
        guard case .return(let value) = block.terminator, block.parameters.isEmpty else { return nil }
        return graph.instruction(value)?.constant.flatMap { number in
            block.instructions.allSatisfy { graph.instruction($0)?.constant != nil } ? number : nil
        }
    }

    mutating func emitIf(_ condition: String, _ edge: Edge) throws(CompilerError) {
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
    mutating func follow(_ edge: Edge) -> BlockID? {
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

    mutating func jump(along edge: Edge) {
        assign(edge)
        put("goto \(label(edge.target));")
        if labelled.insert(edge.target).inserted { pending.append(edge.target) }
    }

    /// Gives the parameters of the edge's target their values, all at once.
    mutating func assign(_ edge: Edge) {
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

    mutating func emit(_ value: Value) throws(CompilerError) {
        let instruction = graph.instruction(value)!
        let classic = graph.origins[value.number]
        if instruction.constant != nil || isInline.contains(value) { return }
        mark(classic)
        switch instruction {
        case .constant: break
        case .arithmetic(let op, let left, let right): put("\(name(value)) = \(arithmetic(op, left, right));")
        case .load(let size, let address): emitLoad(value, size, address)
        case .length:
            put("\(name(value)) = \(hook == .xdp ? "length_of(ctx)" : "ctx->len");")
        case .metadata(let ext): put("\(name(value)) = \(try metadata(ext, classic));")
        case .requireEnd(let window, let end): emitCheck(window, end)
        case .requireNonzero(let divisor): put("if (\(operand(divisor)) == 0)\n\(indent(depth + 1))return 0;")
        case .tableLoad(.distances, let table, let index):
            put("\(name(value)) = \(Self.tableName(table))_distances[\(operand(index))];")
        case .tableLoad(.numbers, let table, let place):
            let size = graph.tables[table].elementSize
            put("\(name(value)) = \(Self.tableName(table))[\(operand(place)) / \(size)];")
        case .classicLoad: throw CompilerError(.headerAreaInC(hook), at: classic)
        case .search(let ext, _, _): throw CompilerError(.unavailableExtension(ext, hook), at: classic)
        case .rawLoad, .requireBytes, .requireInterface, .member, .swapped: preconditionFailure("not in a graph for C")
        }
    }

    func indent(_ depth: Int) -> String { String(repeating: "    ", count: depth) }

    mutating func emitCheck(_ window: Graph.Window, _ end: UInt32) {
        let pointer = windows[window]!
        let offset =
            window.index.map { window.start == 0 ? "(u64)\(name($0))" : "(u64)\(name($0)) + \(window.start)" }
            ?? "\(window.start)"
        let padding = padding(of: window)
        let copy = hook == .tc ? ", copy_\(pointer)\(padding == 0 ? "" : " + \(padding)")" : ""
        put("\(pointer) = packet(ctx, \(offset), \(end - window.start)\(copy));")
        put("if (!\(pointer))\n\(indent(depth + 1))return 0;")
    }

    /// How many bytes a copy of the window begins behind a multiple of 8, so that its widest load is at one of its size.
    func padding(of window: Graph.Window) -> UInt32 { paddings[window] ?? 0 }

    mutating func emitLoad(_ value: Value, _ size: Operation.Size, _ address: Graph.Address) {
        let window = window(of: size, address)
        let distance = address.offset - window.start
        let place = windows[window]! + (distance == 0 ? "" : " + \(distance)")
        let isAligned = hook == .xdp || (padding(of: window) + distance) % size.rawValue == 0
        put("\(name(value)) = \(isAligned ? "LOAD" : "PARTS")\(8 * size.rawValue)(\(place));")
    }

    mutating func metadata(_ ext: Extension, _ classic: Int) throws(CompilerError) -> String {
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
