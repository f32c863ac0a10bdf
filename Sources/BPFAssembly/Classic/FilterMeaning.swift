import ClassicBPF

/// What a filter decides, as an expression of pcap-filter(7) that names bytes of the packet by their place.
///
/// `ip` and its like are told apart from other tests, all else is shown as it is: `ip and ether[23] = 17`. Compiled, it
/// decides the same; what the filter returns for a match is not said.
public enum FilterMeaning {
    /// The longest expression that helps a reader, in bytes.
    static let sizeLimit = 2000

    /// The largest filter whose meaning is looked for, in instructions.
    static let countLimit = 512

    /// The expression for `program`; empty if every packet matches.
    ///
    /// It is nil where no expression could say it, as of loops, of extensions and of loads for nothing but their failure
    /// on short packets, and where it would be no help: for filters of more than 512 instructions, and where it would be
    /// longer than 2,000 bytes.
    ///
    /// - Parameter isEthernet: Whether packets begin with an Ethernet header.
    public static func expression(_ program: Program, isEthernet: Bool) -> String? {
        guard program.count <= countLimit, !ControlFlow(program).hasBackwardJumps else { return nil }
        var reader = Reader(program: program, link: isEthernet ? "ether" : "link")
        switch reader.decision(at: 0, State(program)) {
        case .always(true): return ""
        case .always(false): return "len < 0"
        case .text(let text, _, _): return text
        case .unknown: return nil
        }
    }

    /// A number the filter has computed, in the words of an expression.
    struct Term: Hashable {
        var text: String
        /// Whether it can stand beside an operator without parentheses.
        var isSimple: Bool
        var constant: UInt32?

        static func number(_ k: UInt32) -> Term {
            Term(text: k < 1000 ? "\(k)" : "0x\(String(k, radix: 16))", isSimple: true, constant: k)
        }

        var operand: String { isSimple ? text : "(\(text))" }
    }

    /// What A, X and M[] hold.
    struct State: Hashable {
        var a: Term? = .number(0)
        var x: Term? = .number(0)
        var cells: [Term?]
        /// The loads that no test has used yet. One that fails ends the filter, used or not.
        var unused: Set<String> = []

        init(_ program: Program) { cells = Array(repeating: nil, count: Int(RuleSet.memoryCells)) }
    }

    fileprivate enum Decision {
        case always(Bool)
        /// An expression, and the equality that all it matches fulfil, where it begins with one.
        case text(String, Shape, begins: Equality?)
        case unknown
    }

    /// That a number is a constant. Of two with the same number only one holds.
    struct Equality: Hashable {
        var left: String
        var right: UInt32

        func excludes(_ other: Equality?) -> Bool { other.map { $0.left == left && $0.right != right } ?? false }
    }

    /// How an expression is put together. `and` and `or` bind alike.
    fileprivate enum Shape {
        case test, conjunction, disjunction
    }

    private struct Place: Hashable {
        var index: Int
        var state: State
    }

    private struct Reader {
        let program: Program
        let link: String
        private var known: [Place: Decision] = [:]

        init(program: Program, link: String) {
            self.program = program
            self.link = link
        }

        /// What the filter decides from the instruction at `index` on. Each step goes forward, so that it goes no deeper
        /// than the filter has branches; those of a filter of sensible size.
        mutating func decision(at start: Int, _ before: State) -> Decision {
            var (index, state) = (start, before)
            while true {
                switch program.operation(at: index) {
                case .result(.constant(let k)): return k == 0 || state.unused.isEmpty ? .always(k != 0) : .unknown
                case .result(.a):
                    guard let a = state.a, state.unused.allSatisfy(a.text.contains) else { return .unknown }
                    return a.constant.map { .always($0 != 0) } ?? .text("\(a.text) != 0", .test, begins: nil)
                case .jump(let distance): index = program.jumpTarget(from: index, distance: distance)
                case .branch(let comparison, let operand, let jt, let jf):
                    let place = Place(index: index, state: state)
                    if let decision = known[place] { return decision }
                    guard known.count < 1000 else { return .unknown }
                    let decision = branch(
                        comparison, state.a, term(operand, state), at: index + 1, Int(jt), Int(jf), state)
                    known[place] = decision
                    return decision
                case let operation:
                    state.apply(operation, link)
                    index += 1
                }
            }
        }

        private func term(_ operand: Operation.Operand, _ state: State) -> Term? {
            switch operand {
            case .constant(let k): .number(k)
            case .index: state.x
            }
        }

        private mutating func branch(
            _ comparison: Operation.Comparison, _ left: Term?, _ right: Term?, at next: Int, _ jt: Int, _ jf: Int,
            _ state: State
        ) -> Decision {
            guard let left, let right else { return .unknown }
            let test = Test(comparison: comparison, left: left, right: right, link: link)
            var state = state
            state.unused = state.unused.filter { !left.text.contains($0) && !right.text.contains($0) }
            let then = decision(at: next + jt, state)
            let otherwise = decision(at: next + jf, state)
            return combined(test, then, otherwise)
        }

        private func combined(_ test: Test, _ then: Decision, _ otherwise: Decision) -> Decision {
            let result: Decision =
                switch (then, otherwise) {
                case (.unknown, _), (_, .unknown): .unknown
                case (.always(false), .always(false)): .always(false)
                // A load that the test would have made could fail.
                case (.always(true), .always(true)): test.readsPacket ? .unknown : .always(true)
                case (.always(true), .always): .text(test.text, .test, begins: test.equality)
                case (.always(false), .always): .text(test.inverse, .test, begins: nil)
                case (.always(true), _):
                    .text("\(test.text) or \(part(otherwise, .disjunction))", .disjunction, begins: nil)
                case (_, .always(true)):
                    .text("\(test.inverse) or \(part(then, .disjunction))", .disjunction, begins: nil)
                case (.always(false), _): unless(test, otherwise)
                case (_, .always(false)): both(test.text, then, begins: test.equality)
                default:
                    .text(
                        "\(factor(both(test.text, then))) or \(factor(unless(test, otherwise)))", .disjunction,
                        begins: nil)
                }
            if case .text(let text, _, _) = result, text.utf8.count > sizeLimit { return .unknown }
            return result
        }

        private func both(_ test: String, _ rest: Decision, begins equality: Equality? = nil) -> Decision {
            .text("\(test) and \(part(rest, .conjunction))", .conjunction, begins: equality)
        }

        /// `rest` where the test does not hold, which need not be said where `rest` begins with one that excludes it.
        private func unless(_ test: Test, _ rest: Decision) -> Decision {
            if case .text(_, _, let begins) = rest, test.equality?.excludes(begins) == true { return rest }
            return both(test.inverse, rest)
        }

        /// A decision as a part of a longer expression of the shape `whole`.
        private func part(_ decision: Decision, _ whole: Shape) -> String {
            guard case .text(let text, let shape, _) = decision else { return "" }
            return shape == .test || shape == whole ? text : "(\(text))"
        }

        private func factor(_ decision: Decision) -> String { part(decision, .test) }
    }
}
