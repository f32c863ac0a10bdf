import ClassicBPF

/// Writes a graph as the body of a C function.
///
/// Blocks that are reached from one place stand there, the others behind labels. Values are variables, named after the
/// bytes they are loaded from; what is used once, in the block that computes it, stands where it is used.
struct CFunction {
    let graph: Graph
    let hook: Hook
    let lines: [String]
    var helpers: Set<CPrelude.Helper> = []

    let predecessorCounts: [Int]
    var names: [Value: String] = [:]
    var takenNames: [String: Int] = [:]
    var variables: [String] = []
    var windows: [Graph.Window: String] = [:]
    var windowSizes: [Graph.Window: UInt32] = [:]
    /// By window, what is said of ``padding(of:)``.
    var paddings: [Graph.Window: UInt32] = [:]
    let isInline: Set<Value>
    var pending: [BlockID] = []
    var labelled: Set<BlockID> = []
    var output: [String] = []
    var depth = 1
    var origin = -1

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
        if hook == .tc { choosePaddings() }
        try emit(.entry)
        while let block = pending.popLast() {
            output.append("\(label(block)):")
            try emit(block)
        }
        var declarations: [String] = []
        if !variables.isEmpty { declarations += variables.map { "    u32 \($0);" } }
        for (window, name) in windows.sorted(by: { $0.value < $1.value }) {
            if hook == .tc {
                let size = windowSizes[window]! + padding(of: window)
                declarations.append("    u8 copy_\(name)[\(size)] __attribute__((aligned(8)));")
            }
            declarations.append("    const u8 *\(name);")
        }
        if hook == .tc { helpers.insert(.loadBytes) }
        if !usesContext { output.insert("    (void)ctx;", at: 0) }
        return (["{"] + declarations + (declarations.isEmpty ? [] : [""]) + output + ["}", ""]).joined(separator: "\n")
    }

    var usesContext: Bool { output.contains { $0.contains("ctx") } }

    // MARK: Names

    static func inlineValues(_ graph: Graph) -> Set<Value> {
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

    mutating func nameEverything() {
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
                case .tableLoad(.distances, _, _): makeName(value, "distance")
                case .tableLoad(.numbers, _, _): makeName(value, "found")
                case .requireEnd(let window, let end): nameWindow(window, end)
                default: break
                }
            }
        }
    }

    func window(of size: Operation.Size, _ address: Graph.Address) -> Graph.Window {
        windows.keys.filter {
            $0.index == address.index && $0.start <= address.offset
                && address.offset + size.rawValue <= $0.start + windowSizes[$0]!
        }.max { $0.start < $1.start }!
    }

    mutating func choosePaddings() {
        var widest: [Graph.Window: Operation.Size] = [:]
        for block in graph.blocks {
            for value in block.instructions {
                guard case .load(let size, let address)? = graph.instruction(value) else { continue }
                let window = window(of: size, address)
                guard size.rawValue > widest[window]?.rawValue ?? 0 else { continue }
                widest[window] = size
                paddings[window] = (0 &- (address.offset - window.start)) & (size.rawValue - 1)
            }
        }
    }

    mutating func makeName(_ value: Value, _ name: String) {
        takenNames[name, default: 0] += 1
        names[value] = takenNames[name] == 1 ? name : "\(name)__\(takenNames[name]!)"
        variables.append(names[value]!)
    }

    mutating func nameWindow(_ window: Graph.Window, _ end: UInt32) {
        windowSizes[window] = max(windowSizes[window] ?? 0, end - window.start)
        guard windows[window] == nil else { return }
        windows[window] = window.index.map { "at_\(name($0))_plus_\(window.start)" } ?? "at_\(window.start)"
    }

    func label(_ id: BlockID) -> String { "block_\(id.number)" }
}
