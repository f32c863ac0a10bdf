import Foundation
import TestSupport

/// The measurements at one hook as a Markdown table and the means of its columns.
struct Report {
    var hook: ReferenceFilter.Hook
    var measurements: [Measurement]

    /// The aims, as our figure over the other.
    enum Aim {
        /// Size over cbpfc's, by geometric mean without lists.
        static let size = 0.55
        /// Executed instructions over C's, by geometric mean.
        static let executed = 0.85
        /// Instructions the verifier looks at over those of the program, each filter without lists.
        static let verified = 1.2
    }

    var markdown: String {
        let head = """
            ## \(hook)

            | filter | size | C | cbpfc | cbpfc C | hand | run, match | C | run, other | C | verified/size | C | misses |
            |---|---|---|---|---|---|---|---|---|---|---|---|---|

            """
        return head + measurements.map(\.line).joined(separator: "\n") + "\n\n" + means
    }

    private var means: String {
        let pairs = measurements.compactMap { measurement in (try? measurement.ours.get()).map { (measurement, $0) } }
        let plain = pairs.filter { !$0.0.row.isList }
        let sizes = plain.compactMap { pair in pair.0.row.others.map { Double(pair.1.size) / Double($0.cbpfc) } }
        let sizesOfC = plain.map { Double($1.size) / Double($0.reference.size) }
        let executed = pairs.flatMap { pair -> [Double] in
            guard let ours = pair.1.executed, let theirs = pair.0.reference.executed else { return [] }
            return [Double(ours.match) / Double(theirs.match), Double(ours.other) / Double(theirs.other)]
        }
        let verified = plain.compactMap(\.1.verifiedRatio)
        let missed = measurements.filter { !$0.misses.isEmpty }.count
        return """
            - size over cbpfc's, without lists: \(mean(sizes, aim: Aim.size))
            - size over this C's, without lists: \(mean(sizesOfC, aim: nil))
            - instructions run over this C's: \(mean(executed, aim: Aim.executed))
            - verified over size, without lists: \(mean(verified, aim: Aim.verified))
            - filters that miss an aim: \(missed) of \(measurements.count)

            """
    }
}

extension Measurement {
    /// What our program misses, in the order of the columns.
    var misses: [String] {
        guard case .success(let ours) = ours else { return ["no program"] }
        var misses: [String] = []
        if let aim = row.sizeAim, ours.size > aim { misses.append("size > \(aim)") }
        if let mine = ours.executed, let theirs = reference.executed {
            if mine.match > theirs.match { misses.append("run, match") }
            if mine.other > theirs.other { misses.append("run, other") }
        }
        if !row.isList, let ratio = ours.verifiedRatio, ratio > Report.Aim.verified { misses.append("verified") }
        return misses
    }

    fileprivate var line: String {
        let mine = try? ours.get()
        let number = { (number: Int?) in number.map(String.init) ?? "–" }
        let ratio = { (number: Double?) in number.map { String(format: "%.2f", $0) } ?? "–" }
        var misses = misses.joined(separator: ", ")
        if case .failure(let missing) = ours { misses = missing.reason }
        let name = "`\(row.name)`"
        let cells = [
            name, number(mine?.size), number(reference.size), number(row.others?.cbpfc), number(row.others?.cbpfcC),
            number(row.others?.hand), number(mine?.executed?.match), number(reference.executed?.match),
            number(mine?.executed?.other), number(reference.executed?.other), ratio(mine?.verifiedRatio),
            ratio(reference.verifiedRatio), misses.isEmpty ? "" : "**\(misses)**",
        ].map { $0.replacing("|", with: "\\|") }
        return "| " + cells.joined(separator: " | ") + " |"
    }
}

extension Figures {
    var verifiedRatio: Double? { verified.map { Double($0) / Double(size) } }
}

/// The geometric mean and whether it reaches the aim.
private func mean(_ ratios: [Double], aim: Double?) -> String {
    guard let mean = geometricMean(ratios) else { return "nothing to measure" }
    let text = String(format: "%.2f", mean)
    guard let aim else { return text }
    return text + String(format: mean > aim ? ", **missing the aim of %.2f**" : ", aim %.2f", aim)
}
