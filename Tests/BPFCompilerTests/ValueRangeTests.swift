@testable import BPFCompiler
import ClassicBPF
import TestSupport
import Testing

/// What is said of numbers holds for them: ranges of a few random numbers, what is computed from those, and what
/// comparisons show.
@Suite struct ValueRangeTests {
    @Test func rangesHoldWhatIsComputed() {
        var generator = SeededGenerator()
        for _ in 0..<20_000 {
            let (lefts, rights) = (numbers(&generator), numbers(&generator))
            let (left, right) = (range(of: lefts), range(of: rights))
            let op = generator.pick(Operation.ArithmeticOperator.allCases)
            let values = [Value(number: 0), Value(number: 1)]
            let result = ValueRange(.arithmetic(op, values[0], values[1])) { $0 == values[0] ? left : right }
            for l in lefts {
                for r in rights where r != 0 || (op != .divide && op != .modulo) {
                    #expect(result.holds(op.apply(l, r)), "\(l) \(op) \(r): \(result)")
                }
            }
        }
    }

    @Test func comparisonsShowWhatHolds() {
        var generator = SeededGenerator()
        for _ in 0..<20_000 {
            let (lefts, rights) = (numbers(&generator), numbers(&generator))
            let (left, right) = (range(of: lefts), range(of: rights))
            let comparison = generator.pick(Operation.Comparison.allCases)
            let decided = left.decides(comparison, right)
            for l in lefts {
                for r in rights {
                    let holds = comparison.holds(l, r)
                    #expect(decided == nil || decided == holds, "\(l) \(comparison) \(r): \(left) \(right)")
                    let refined = left.refined(comparison, right, holds: holds)
                    #expect(refined?.holds(l) == true, "\(l) \(comparison) \(r), \(holds): \(left) \(right)")
                }
            }
        }
    }

    /// One to three numbers.
    private func numbers(_ generator: inout SeededGenerator) -> [UInt32] {
        (0..<Int.random(in: 1...3, using: &generator)).map { _ in generator.interestingNumber() }
    }

    private func range(of numbers: [UInt32]) -> ValueRange {
        numbers.dropFirst().reduce(ValueRange(numbers[0])) { $0.or(ValueRange($1)) }
    }
}

extension ValueRange {
    fileprivate func holds(_ number: UInt32) -> Bool {
        bounds.contains(number) && number & ~possibleBits == 0 && certainBits & ~number == 0
    }
}
