extension Grammar {
    /// Whether `sentence` is one of the grammar.
    ///
    /// - Precondition: No rule begins with itself, directly or through others.
    /// - Complexity: At least O(*n*); for short sentences.
    public func recognizes(_ sentence: [UInt8]) -> Bool {
        var recognizer = Recognizer(grammar: self, sentence: sentence, keptRules: referredRules(again: true))
        return recognizer.ends(of: .rule(start), from: State(position: 0)).contains { $0.position == sentence.count }
    }

    /// A place in the sentence and the texts of rules that have been read on the way there and are asked for later.
    fileprivate struct State: Hashable {
        var position: Int
        var texts: [String: Range<Int>] = [:]
    }

    /// Follows all ways at once.
    private struct Recognizer {
        private struct Question: Hashable {
            var rule: String
            var state: State
        }

        let grammar: Grammar
        let sentence: [UInt8]
        let keptRules: Set<String>
        private var answers: [Question: Set<State>] = [:]

        init(grammar: Grammar, sentence: [UInt8], keptRules: Set<String>) {
            self.grammar = grammar
            self.sentence = sentence
            self.keptRules = keptRules
        }

        /// Where `element` can end that begins at `state`.
        mutating func ends(of element: Element, from state: State) -> Set<State> {
            switch element {
            case .choice(_, let parts): return parts.reduce(into: []) { $0.formUnion(ends(of: $1, from: state)) }
            case .sequence(let parts): return parts.reduce([state]) { ends(of: $1, from: $0) }
            case .repetition(_, let minimum, let maximum, let part):
                return ends(of: part, minimum, maximum, from: state)
            case .counted(let rule, let part):
                guard let text = state.texts[rule], let count = grammar.count(sentence[text]), count <= sentence.count
                else { return [] }
                return ends(of: part, count, count, from: state)
            case .again(let rule):
                guard let text = state.texts[rule], sentence[state.position...].starts(with: sentence[text]) else {
                    return []
                }
                return [State(position: state.position + text.count, texts: state.texts)]
            case .rule(let name):
                let question = Question(rule: name, state: state)
                if let answer = answers[question] { return answer }
                var answer = ends(of: grammar.rules[name]!, from: state)
                if keptRules.contains(name) {
                    answer = Set(
                        answer.map { end in
                            var end = end
                            end.texts[name] = state.position..<end.position
                            return end
                        })
                }
                answers[question] = answer
                return answer
            case .text(let bytes, let isExact):
                let found = sentence[state.position...].prefix(bytes.count)
                let fits = found.elementsEqual(bytes) { $0 == $1 || !isExact && lower($0) == lower($1) }
                return fits ? [State(position: state.position + bytes.count, texts: state.texts)] : []
            case .bytes(let range):
                guard state.position < sentence.count, range.contains(sentence[state.position]) else { return [] }
                return [State(position: state.position + 1, texts: state.texts)]
            }
        }

        private mutating func ends(of element: Element, from states: Set<State>) -> Set<State> {
            states.reduce(into: []) { $0.formUnion(ends(of: element, from: $1)) }
        }

        private mutating func ends(of part: Element, _ minimum: Int, _ maximum: Int?, from state: State) -> Set<State> {
            var last: Set<State> = [state]
            var found: Set<State> = minimum == 0 ? last : []
            var count = 0
            while count < maximum ?? .max, !last.isEmpty {
                last = ends(of: part, from: last)
                count += 1
                if count < minimum { continue }
                last.subtract(found)
                found.formUnion(last)
            }
            return found
        }

        private func lower(_ byte: UInt8) -> UInt8 { 0x41...0x5a ~= byte ? byte | 0x20 : byte }
    }
}
