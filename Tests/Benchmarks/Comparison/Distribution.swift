import Foundation

/// Samples of a time in nanoseconds, as what a noisy machine does not move: the middle one, and how far they lie apart.
struct Distribution {
    /// The middle sample.
    var median: Double
    /// Half the distance between the quartiles.
    var spread: Double

    /// - Precondition: There is a sample.
    init(_ samples: [Double]) {
        let sorted = samples.sorted()
        func quantile(_ part: Double) -> Double {
            let place = part * Double(sorted.count - 1)
            let (below, above) = (Int(place.rounded(.down)), Int(place.rounded(.up)))
            return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
        }
        median = quantile(0.5)
        spread = (quantile(0.75) - quantile(0.25)) / 2
    }

    /// Whether this is more than `limit` by more than noise: the medians differ by more than twice the pooled spread,
    /// the root of the mean of both spreads' squares.
    func exceeds(_ limit: Distribution, by allowance: Double = 0) -> Bool {
        median - limit.median - allowance > 2 * pooledSpread(limit)
    }

    private func pooledSpread(_ other: Distribution) -> Double {
        ((spread * spread + other.spread * other.spread) / 2).squareRoot()
    }
}

extension Distribution: CustomStringConvertible {
    var description: String { String(format: "%.1f ± %.1f", median, spread) }
}

/// The geometric mean; nil of nothing.
func geometricMean(_ ratios: [Double]) -> Double? {
    ratios.isEmpty ? nil : exp(ratios.map(log).reduce(0, +) / Double(ratios.count))
}
