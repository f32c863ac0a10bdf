import ClassicBPF

/// Where a filter asks for several things that all have to hold, asks first what is cheap and seldom so.
///
/// A packet that fails one test fails, whatever the others say, and nothing but the result is ever seen of a filter: the
/// order is free. libpcap keeps that of the expression, in which `tcp dst port 443 and dst host 10.0.0.1` looks for the
/// port, behind a header of any length, before it looks at the address.
struct TestOrder {
    private var graph: Graph

    static func run(on graph: inout Graph) -> [String] {
        var pass = TestOrder(graph: graph)
        var count = 0
        // Those within others come later in the order; the others find them done.
        for sequence in Conjunctions(graph).sequences.reversed() where pass.reorder(sequence) { count += 1 }
        guard count > 0 else { return [] }
        pass.graph.localizeConstants()
        graph = pass.graph
        return ["asked the cheap and rare first in \(count) rows of tests"] + BlockMerging.run(on: &graph)
    }

    /// Tests that keep their places beside each other, because one load serves them all: what they cost together, and
    /// how often a packet passes.
    private struct Unit {
        var parts: [Conjunctions.Part]
        var cost: Double
        var pass: Double
        var defined: Set<Value>
        var read: Set<Value>

        /// What it costs to turn away a packet so: the less, the earlier.
        var price: Double { cost / max(1 - pass, 0.01) }
    }

    private mutating func reorder(_ sequence: Conjunctions.Sequence) -> Bool {
        guard let parts = Conjunctions.parts(of: sequence, in: graph) else { return false }
        let units = units(of: parts)
        let order = Self.sorted(units)
        guard order != Array(units.indices) else { return false }
        rewire(order.flatMap { units[$0].parts }, of: sequence)
        return true
    }

    /// The places of units in the order in which they are to come.
    private static func sorted(_ units: [Unit]) -> [Int] {
        var order: [Int] = []
        for (place, unit) in units.enumerated() {
            var target = order.count
            // Not far, so that rows of thousands do not take long.
            while target > 0, order.count - target < 16, unit.price * leastGain < units[order[target - 1]].price,
                unit.read.isDisjoint(with: units[order[target - 1]].defined)
            {
                target -= 1
            }
            order.insert(place, at: target)
        }
        return order
    }

    /// How much cheaper a test has to be to be asked before another: prices are guesses.
    private static let leastGain = 1.5

    private mutating func rewire(_ parts: [Conjunctions.Part], of sequence: Conjunctions.Sequence) {
        var parts = parts
        if parts[0].head != sequence.heads[0] {
            // Whatever leads to the first block leads to what now comes first.
            let head = sequence.heads[0]
            let body = graph.split(head, at: 0)
            let place = parts.firstIndex { $0.head == head }!
            parts[place].head = body
            parts[place].blocks[parts[place].blocks.firstIndex(of: head)!] = body
            graph.blocks[head.number].terminator = .jump(Edge(target: parts[0].head))
        }
        for (place, part) in parts.enumerated() {
            let next = place + 1 < parts.count ? parts[place + 1].head : sequence.end
            for block in part.blocks {
                graph.blocks[block.number].terminator = graph.blocks[block.number].terminator.mapEdges {
                    $0.target == part.exit ? Edge(target: next) : $0
                }
                // What required the bytes of a load may come later now.
                graph.requireLoads(in: block)
            }
        }
    }
}

// MARK: What tests cost

extension TestOrder {
    private func units(of parts: [Conjunctions.Part]) -> [Unit] {
        var units: [Unit] = []
        var tested: Range<UInt32>?
        for part in parts {
            let unit = unit(of: part)
            let bytes = testedBytes(by: part)
            if let bytes, let before = tested {
                let both = min(before.lowerBound, bytes.lowerBound)..<max(before.upperBound, bytes.upperBound)
                if both.count <= 4 {
                    var joined = units.removeLast()
                    joined.parts += unit.parts
                    // One more mask, if that.
                    joined.cost += 1
                    joined.pass *= unit.pass
                    joined.defined.formUnion(unit.defined)
                    joined.read.formUnion(unit.read)
                    units.append(joined)
                    tested = both
                    continue
                }
            }
            units.append(unit)
            tested = bytes
        }
        return units
    }

    private func unit(of part: Conjunctions.Part) -> Unit {
        var unit = Unit(parts: [part], cost: 0, pass: 0.5, defined: [], read: [])
        for id in part.blocks {
            let block = graph.blocks[id.number]
            unit.defined.formUnion(block.parameters)
            for value in block.instructions {
                let instruction = graph.instruction(value)!
                guard instruction.constant == nil else { continue }
                unit.defined.insert(value)
                unit.read.formUnion(instruction.operands)
                unit.cost += cost(of: instruction)
            }
            unit.read.formUnion(block.terminator.operands)
            for edge in block.terminator.edges { unit.read.formUnion(edge.arguments) }
            unit.cost += 1
        }
        if part.blocks.count == 1 { unit.pass = passing(part) }
        return unit
    }

    /// About as many instructions as it takes.
    private func cost(of instruction: Graph.Instruction) -> Double {
        switch instruction {
        case .requireBytes(_, let address): address.index == nil ? 0 : 4
        case .search: 50
        case .metadata: 3
        default: 1
        }
    }

    /// How often packets pass the one test of a part: the more bits have to be right, the less. A guess.
    private func passing(_ part: Conjunctions.Part) -> Double {
        guard case .branch(let comparison, let left, let right, let then, _) = graph.blocks[part.head.number].terminator
        else { return 1 }
        let passesTaken = then.target == part.exit
        let taken: Double
        switch comparison {
        // Many bits are those of an offset, which fragments behind the first have; a few are flags.
        case .equal: taken = equal(left)
        case .anyBitSet: taken = (graph.instruction(right)?.constant ?? 0).nonzeroBitCount > 8 ? 0.05 : 0.4
        case .greater, .greaterOrEqual: taken = 0.5
        }
        return passesTaken ? taken : 1 - taken
    }

    private func equal(_ value: Value) -> Double {
        switch graph.instruction(value) {
        case .load(.word, _): 0.02
        case .load(.half, _): 0.2
        case .load(.byte, _): 0.4
        default: 0.3
        }
    }

    /// Which bytes at fixed places the one test of a part looks at, or nil where it does anything else.
    private func testedBytes(by part: Conjunctions.Part) -> Range<UInt32>? {
        guard part.blocks.count == 1,
            case .branch(let comparison, var value, _, _, _) = graph.blocks[part.head.number].terminator,
            comparison == .equal || comparison == .anyBitSet
        else { return nil }
        if case .arithmetic(.and, let masked, _)? = graph.instruction(value) { value = masked }
        guard case .load(let size, let address)? = graph.instruction(value), address.index == nil,
            address.offset < .max - 4
        else { return nil }
        return address.offset..<address.offset + size.rawValue
    }
}

extension Graph {
    /// Gives every block its own copies of the constants it reads.
    fileprivate mutating func localizeConstants() {
        for id in reachableBlocks {
            var copies: [Value: Value] = [:]
            var own = Set(blocks[id.number].instructions)
            var added: [Value] = []
            let block = blocks[id.number]
            let read =
                block.instructions.flatMap { Array(instruction($0)!.operands) } + Array(block.terminator.operands)
                + block.terminator.edges.flatMap(\.arguments)
            for value in read where !own.contains(value) {
                guard let number = instruction(value)?.constant else { continue }
                let copy = makeInstruction(.constant(number), origin: block.origin)
                copies[value] = copy
                own.insert(value)
                added.append(copy)
            }
            guard !copies.isEmpty else { continue }
            let replace = { (value: Value) in copies[value] ?? value }
            for value in block.instructions { redefine(value, as: instruction(value)!.mapOperands(replace)) }
            blocks[id.number].terminator = block.terminator.mapValues(replace)
            blocks[id.number].instructions = added + block.instructions
        }
    }
}
