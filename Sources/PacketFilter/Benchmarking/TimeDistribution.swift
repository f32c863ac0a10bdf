/// Samples of a time, as what a noisy machine does not move: the middle one, and the quartiles around it.
public struct TimeDistribution: Hashable, Sendable {
    /// The middle sample, in nanoseconds.
    public var median: Double
    /// What a quarter of the samples is below, in nanoseconds.
    public var lowerQuartile: Double
    /// What a quarter of the samples is above, in nanoseconds.
    public var upperQuartile: Double

    /// Sums up samples in nanoseconds.
    ///
    /// - Precondition: There is a sample.
    package init(_ samples: [Double]) {
        let sorted = samples.sorted()
        func quantile(_ part: Double) -> Double {
            let place = part * Double(sorted.count - 1)
            let (below, above) = (Int(place.rounded(.down)), Int(place.rounded(.up)))
            return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
        }
        median = quantile(0.5)
        lowerQuartile = quantile(0.25)
        upperQuartile = quantile(0.75)
    }

    /// Half the distance between the quartiles, in nanoseconds.
    public var spread: Double { (upperQuartile - lowerQuartile) / 2 }

    /// Whether this is more than `limit` by more than noise: the medians differ by more than twice the pooled spread,
    /// the root of the mean of both spreads' squares.
    public func exceeds(_ limit: TimeDistribution, by allowance: Double = 0) -> Bool {
        let pooledSpread = ((spread * spread + limit.spread * limit.spread) / 2).squareRoot()
        return median - limit.median - allowance > 2 * pooledSpread
    }
}
