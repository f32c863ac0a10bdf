import Foundation
import PacketFilter

extension TimeDistribution {
    /// As the tables have it: the median ± half the distance between the quartiles.
    var text: String { String(format: "%.1f ± %.1f", median, spread) }
}

/// The geometric mean; nil of nothing.
func geometricMean(_ ratios: [Double]) -> Double? {
    ratios.isEmpty ? nil : exp(ratios.map(log).reduce(0, +) / Double(ratios.count))
}
