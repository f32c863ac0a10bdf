@testable import BPFCompiler
import BPFInterpreter
import ClassicBPF

/// Runs a graph on a packet, in the plainest way, so that passes can be held to what the classic filter decides.
///
/// What a graph takes from the packet it gets from the classic machine, by filters of one load each.
struct GraphEvaluator {
    private let graph: Graph
    private let packet: Packet
    private var values: [Value: UInt32] = [:]

    /// What the filter returns for `packet`, or nil if that takes more than `maximumBlocks` blocks.
    static func run(_ graph: Graph, on packet: Packet, maximumBlocks: Int = 10_000) throws -> UInt32? {
        var evaluator = GraphEvaluator(graph, packet)
        return try evaluator.run(maximumBlocks)
    }

    private init(_ graph: Graph, _ packet: Packet) {
        self.graph = graph
        self.packet = packet
    }

    private mutating func run(_ maximumBlocks: Int) throws -> UInt32? {
        var block = graph.blocks[0]
        for _ in 0..<maximumBlocks {
            for value in block.instructions {
                if let result = try execute(value) { return result }
            }
            switch block.terminator {
            case .return(let value): return values[value]!
            case .jump(let edge): block = enter(edge)
            case .branch(let comparison, let left, let right, let then, let otherwise):
                block = enter(holds(comparison, values[left]!, values[right]!) ? then : otherwise)
            // Filters are run before they are parted.
            case .unreachable, .loop: throw UnreachableEnd()
            }
        }
        return nil
    }

    private mutating func enter(_ edge: Edge) -> Graph.Block {
        let arguments = edge.arguments.map { values[$0]! }
        let block = graph.blocks[edge.target.number]
        for (parameter, argument) in zip(block.parameters, arguments) { values[parameter] = argument }
        return block
    }

    /// Computes a value, or returns the filter's result where a requirement is not met.
    private mutating func execute(_ value: Value) throws -> UInt32? {
        switch graph.instruction(value)! {
        case .constant(let number): values[value] = number
        case .arithmetic(let op, let left, let right):
            values[value] = try classic([
                .load(.immediate(values[right]!)), .transferAToX, .load(.immediate(values[left]!)),
                .arithmetic(op, .index), .result(.a),
            ])
        case .load(let size, let address): values[value] = try load(size, address)
        case .rawLoad(let size, let address):
            // The host of the tests' programs is little-endian.
            let number = try load(size, address)
            values[value] =
                switch size {
                case .byte: number
                case .half: UInt32(UInt16(number).byteSwapped)
                case .word: number.byteSwapped
                }
        case .classicLoad(let size, let address, _):
            if try !isThere(size, address) { return graph.failure }
            values[value] = try load(size, address)
        case .length: values[value] = packet.length
        case .member(let set, let number): values[value] = graph.sets[set].contains(values[number]!) ? 1 : 0
        case .tableLoad(.distances, let table, let index):
            guard case .table(let distances, _) = graph.tables[table].way else { throw UnreachableEnd() }
            values[value] = UInt32(distances[Int(values[index]!)])
        case .tableLoad(.numbers, let table, let place):
            let hash = graph.tables[table]
            values[value] = hash.slots[Int(values[place]! / hash.elementSize)]
        case .swapped(let size, let number): values[value] = values[number]!.swapped(size)
        case .metadata(let ext): values[value] = try classic([.load(.extension(ext)), .result(.a)])
        case .search(let ext, let a, let x):
            values[value] = try classic([
                .load(.immediate(values[x]!)), .transferAToX, .load(.immediate(values[a]!)), .load(.extension(ext)),
                .result(.a),
            ])
        case .requireBytes(let size, let address): return try isThere(size, address) ? nil : graph.failure
        case .requireEnd(let window, let end):
            let (last, overflows) = (window.index.map { values[$0]! } ?? 0).addingReportingOverflow(end)
            return overflows || last > packet.length ? graph.failure : nil
        case .requireNonzero(let divisor): return values[divisor]! == 0 ? graph.failure : nil
        case .requireInterface(let result): return packet.metadata.interface == nil ? values[result]! : nil
        }
        return nil
    }

    /// Whether a load finds its bytes: one outside the packet ends the classic filter with 0.
    private func isThere(_ size: Operation.Size, _ address: Graph.Address) throws -> Bool {
        try classic([
            .loadIndex(.immediate(address.index.map { values[$0]! } ?? 0)), .load(.indirect(size, address.offset)),
            .result(.constant(1)),
        ]) == 1
    }

    private func load(_ size: Operation.Size, _ address: Graph.Address) throws -> UInt32 {
        try classic([
            .loadIndex(.immediate(address.index.map { values[$0]! } ?? 0)), .load(.indirect(size, address.offset)),
            .result(.a),
        ])
    }

    private func classic(_ operations: [Operation]) throws -> UInt32 {
        try ClassicMachine().run(Program(operations.map { Instruction($0) }), on: packet)
    }

    private func holds(_ comparison: Operation.Comparison, _ left: UInt32, _ right: UInt32) -> Bool {
        switch comparison {
        case .equal: left == right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .anyBitSet: left & right != 0
        }
    }
}

/// An end was reached that the graph says is not.
private struct UnreachableEnd: Error {}
