/// Makes sentences of a grammar, such that after some of them every rule and alternative has been used.
///
/// Beyond a depth only the shortest ways are taken, so every sentence ends.
public struct SentenceGenerator {
    /// Makes the text of a rule in the grammar's place: to fulfil what no grammar can say, a count or a label that
    /// exists. It is told what has been made before.
    public typealias Replacement = (_ soFar: [UInt8], _ random: inout SeededGenerator) -> [UInt8]

    /// The grammar.
    public let grammar: Grammar
    /// By name of the rule, what is made in its place.
    public var replacements: [String: Replacement] = [:]
    /// What decides; its seed makes the same sentences again.
    public var random: SeededGenerator

    private let heights: [String: Int]
    private let countingRules: Set<String>
    private let repeatedRules: Set<String>
    private let depthLimit: Int
    /// By number of a choice and number of the way, the choices that the way leads to.
    private let innerChoices: [[[Int]]]
    private var uses: [[Int]]
    private var reachedRules: Set<String> = []
    private var sentence: [UInt8] = []
    private var counts: [String: Int] = [:]
    private var texts: [String: [UInt8]] = [:]

    /// Makes a generator that takes the shortest way out from `depthLimit` rules inside each other on.
    public init(_ grammar: Grammar, random: SeededGenerator, depthLimit: Int = 12) {
        self.grammar = grammar
        self.random = random
        self.depthLimit = depthLimit
        heights = grammar.heights()
        countingRules = grammar.referredRules(again: false)
        repeatedRules = grammar.referredRules(again: true)
        innerChoices = grammar.innerChoices()
        uses = grammar.choiceSizes().map { [Int](repeating: 0, count: $0) }
    }

    /// A further sentence.
    public mutating func next() -> [UInt8] {
        sentence = []
        counts = [:]
        make(.rule(grammar.start), depth: 0)
        return sentence
    }

    /// The rules of the file that no sentence has used yet, replaced ones counted as used with all they consist of.
    public var missingRules: [String] {
        let replaced = grammar.reached(from: Set(replacements.keys))
        return grammar.order.filter { !reachedRules.contains($0) && !replaced.contains($0) }
    }

    /// The rules with alternatives that no sentence has used yet; see ``missingRules``.
    public var rulesWithMissingAlternatives: [String] {
        let replaced = grammar.reached(from: Set(replacements.keys))
        return grammar.order.filter { name in
            !replaced.contains(name) && grammar.choices(in: grammar.rules[name]!).contains { uses[$0].contains(0) }
        }
    }

    private mutating func make(_ element: Grammar.Element, depth: Int) {
        switch element {
        case .sequence(let parts): for part in parts { make(part, depth: depth) }
        case .choice(let id, let parts):
            let index = pick(
                id, parts.map { grammar.height(of: $0, heights) }, innerChoices[id], isDeep: depth >= depthLimit)
            make(parts[index], depth: depth)
        case .repetition(let id, let minimum, let maximum, let part):
            // Used in three ways: as few as can be, one more, and many more.
            let ways = maximum.map { min(3, $0 - minimum + 1) } ?? 3
            let way = pick(id, Array(0..<ways), innerChoices[id], isDeep: depth >= depthLimit)
            let count =
                way < 2
                ? minimum + way : Int.random(in: minimum + 2...min(maximum ?? .max, minimum + 6), using: &random)
            for _ in 0..<count { make(part, depth: depth) }
        case .counted(let rule, let part):
            for _ in 0..<(counts[rule] ?? 0) { make(part, depth: depth) }
        case .again(let rule): sentence += texts[rule] ?? []
        case .rule(let name): makeRule(name, depth: depth)
        case .text(let bytes, let isExact):
            sentence += isExact ? bytes : bytes.map { 0x61...0x7a ~= $0 | 0x20 && random.chance(10) ? $0 ^ 0x20 : $0 }
        case .bytes(let range):
            sentence.append(
                random.chance(30)
                    ? random.pick([range.lowerBound, range.upperBound]) : .random(in: range, using: &random))
        }
    }

    private mutating func makeRule(_ name: String, depth: Int) {
        reachedRules.insert(name)
        let start = sentence.count
        // Numbers that count are small but for a few, or sentences would have no end.
        let limit = random.chance(2) ? Int.max : 24
        for _ in 0..<1000 {
            sentence.removeSubrange(start...)
            if let replacement = replacements[name] {
                sentence += replacement(sentence, &random)
            } else {
                make(grammar.rules[name]!, depth: depth + 1)
            }
            if repeatedRules.contains(name) { texts[name] = Array(sentence[start...]) }
            guard countingRules.contains(name) else { return }
            counts[name] = grammar.count(sentence[start...])
            if let count = counts[name], count <= limit, count <= 70_000 { return }
        }
        preconditionFailure("\(grammar.name): \(name) gives no small numbers")
    }

    /// One of the ways on, rather one that has been used less or that leads to another that never has been.
    private mutating func pick(_ id: Int, _ heights: [Int], _ inner: [[Int]], isDeep: Bool) -> Int {
        var candidates = Array(heights.indices)
        if isDeep {
            let least = heights.min()!
            candidates = candidates.filter { heights[$0] == least }
        } else if random.chance(50) {
            let leading = candidates.filter { way in inner[way].contains { uses[$0].contains(0) } }
            let least = candidates.map { uses[id][$0] }.min()!
            candidates = leading.isEmpty || least == 0 ? candidates.filter { uses[id][$0] == least } : leading
        }
        let index = random.pick(candidates)
        uses[id][index] += 1
        return index
    }
}

extension Grammar {
    /// By name, how many rules inside each other the shortest sentence of a rule needs.
    func heights() -> [String: Int] {
        var heights: [String: Int] = [:]
        var changed = true
        while changed {
            changed = false
            for (name, value) in rules {
                let height = min(1_000_000, height(of: value, heights) + 1)
                if height < heights[name] ?? 1_000_000 {
                    heights[name] = height
                    changed = true
                }
            }
        }
        return heights
    }

    func height(of element: Element, _ heights: [String: Int]) -> Int {
        switch element {
        case .choice(_, let parts): parts.map { height(of: $0, heights) }.min()!
        case .sequence(let parts): parts.map { height(of: $0, heights) }.max()!
        case .repetition(_, let minimum, _, let part): minimum == 0 ? 0 : height(of: part, heights)
        case .counted(_, let part): height(of: part, heights)
        case .rule(let name): heights[name] ?? 1_000_000
        case .again, .text, .bytes: 0
        }
    }

    /// By number of the choice or repetition, how many ways there are.
    func choiceSizes() -> [Int] {
        var sizes = [Int](repeating: 1, count: choiceCount)
        func look(_ element: Element) {
            switch element {
            case .choice(let id, let parts):
                sizes[id] = parts.count
                parts.forEach(look)
            case .sequence(let parts): parts.forEach(look)
            case .repetition(let id, let minimum, let maximum, let part):
                sizes[id] = maximum.map { min(3, $0 - minimum + 1) } ?? 3
                look(part)
            case .counted(_, let part): look(part)
            case .again, .rule, .text, .bytes: break
            }
        }
        rules.values.forEach(look)
        return sizes
    }

    /// By number of the choice or repetition and number of the way, those that it leads to.
    func innerChoices() -> [[[Int]]] {
        var inner = choiceSizes().map { [[Int]](repeating: [], count: $0) }
        func look(_ element: Element) {
            switch element {
            case .choice(let id, let parts):
                for (way, part) in parts.enumerated() {
                    inner[id][way] = reachableChoices(from: part)
                    look(part)
                }
            case .sequence(let parts): parts.forEach(look)
            case .repetition(let id, let minimum, _, let part):
                for way in inner[id].indices where way > 0 || minimum > 0 {
                    inner[id][way] = reachableChoices(from: part)
                }
                look(part)
            case .counted(_, let part): look(part)
            case .again, .rule, .text, .bytes: break
            }
        }
        rules.values.forEach(look)
        return inner
    }

    /// The numbers of the choices and repetitions in `element` and in all rules that it leads to.
    private func reachableChoices(from element: Element) -> [Int] {
        var found = Set(choices(in: element))
        var waiting = Self.namesUsed(element)
        var seen = Set(waiting)
        while let name = waiting.popLast() {
            guard let value = rules[name] else { continue }
            found.formUnion(choices(in: value))
            for next in Self.namesUsed(value) where seen.insert(next).inserted { waiting.append(next) }
        }
        return found.sorted()
    }

    /// The numbers of the choices and repetitions that stand in `element` itself.
    func choices(in element: Element) -> [Int] {
        switch element {
        case .choice(let id, let parts): [id] + parts.flatMap(choices)
        case .sequence(let parts): parts.flatMap(choices)
        case .repetition(let id, _, _, let part): [id] + choices(in: part)
        case .counted(_, let part): choices(in: part)
        case .again, .rule, .text, .bytes: []
        }
    }

    /// `names` and the rules that only they lead to.
    func reached(from names: Set<String>) -> Set<String> {
        var others: Set<String> = [start]
        var waiting = names.contains(start) ? [] : [start]
        while let name = waiting.popLast() {
            for next in Self.namesUsed(rules[name]!) where !names.contains(next) && others.insert(next).inserted {
                waiting.append(next)
            }
        }
        return Set(order).subtracting(others).union(names)
    }
}
