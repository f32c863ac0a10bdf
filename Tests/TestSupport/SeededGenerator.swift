import Foundation

/// A reproducible source of random numbers: SplitMix64.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// What the sequence starts from.
    public let seed: UInt64

    private var state: UInt64

    /// Starts the sequence of `seed`.
    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Starts the sequence of the environment variable `SEED`, or else a new one, and prints its seed.
    ///
    /// `SEED=N swift test --filter NAME` repeats a run.
    public init(for test: String = #function) {
        let given = ProcessInfo.processInfo.environment["SEED"].map { text -> UInt64 in
            guard let seed = UInt64(text) else { preconditionFailure("SEED=\(text) is no unsigned 64-bit number") }
            return seed
        }
        // Half the bits make a seed that is easily typed, and are plenty.
        self.init(seed: given ?? UInt64(UInt32.random(in: 0 ... .max)))
        print("seed \(seed) in \(test)")
    }

    /// The next number of the sequence.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

extension RandomNumberGenerator {
    /// Whether an event of the probability `percent` / 100 happens.
    public mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    /// One of `choices`, each as likely as the next.
    ///
    /// - Precondition: There is one.
    public mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: choices.indices, using: &self)]
    }
}
