import FilterComparison
import Foundation

/// Checks one program after the other, and leaves in a file which it is at: should the compiler die, that tells of what.
struct Worker {
    private let options: Options
    private let place: FileHandle?

    init(_ options: Options) {
        self.options = options
        place = options.place.flatMap { FileHandle(forWritingAtPath: $0) }
    }

    /// How many programs may differ before it is enough.
    private static let mostDifferences = 3

    /// Whether every program of `numbers` decides as its filter does.
    func check(_ numbers: some Sequence<UInt64>) -> Bool {
        var (differences, compiled) = (0, 0)
        for number in numbers {
            if let place {
                try? place.seek(toOffset: 0)
                place.write(withUnsafeBytes(of: number) { Data($0) })
            }
            var test = RandomCase(seed: options.seed, number: number)
            var isCompiled = false
            if let difference = test.difference(packets: options.packets, &isCompiled) {
                print(
                    "✘ program \(number), --seed \(options.seed) --only \(number): \(difference)\n\(test)")
                fflush(nil)
                differences += 1
                if differences == Self.mostDifferences { return false }
            }
            compiled += isCompiled ? 1 : 0
        }
        print("\(compiled) programs compiled and compared, \(differences) decide otherwise")
        return differences == 0 && compiled > 0
    }
}
