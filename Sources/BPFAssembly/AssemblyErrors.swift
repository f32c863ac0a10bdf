/// All that keeps a text from being read, in the order of their places.
///
/// A reader goes on behind an error where it can tell how, so that a person sees all of them at once.
public struct AssemblyErrors: Error, Hashable, Sendable {
    /// The errors, 1 to ``limit``.
    public private(set) var errors: [AssemblyError]
    /// Whether there are more than could be kept.
    public private(set) var hasMore = false

    /// The most errors that are kept.
    public static let limit = 20

    /// Makes a list of one error.
    public init(_ error: AssemblyError) { errors = [error] }
}

extension AssemblyErrors: CustomStringConvertible {
    /// A line for each error.
    public var description: String {
        errors.map(\.description).joined(separator: "\n") + (hasMore ? "\nthere are more errors" : "")
    }
}

/// Collects errors while a text is read.
struct ErrorCollector {
    private(set) var collected: AssemblyErrors?

    /// Whether it makes no sense to go on, because no further error would be kept.
    var isFull: Bool { collected?.hasMore ?? false }

    mutating func add(_ error: AssemblyError) {
        if collected == nil {
            collected = AssemblyErrors(error)
        } else {
            collected!.add(error)
        }
    }

    /// Throws what has been collected, if anything.
    func finish() throws(AssemblyErrors) {
        guard var all = collected else { return }
        all.sort()
        throw all
    }
}

extension AssemblyErrors {
    fileprivate mutating func add(_ error: AssemblyError) {
        if errors.count < Self.limit {
            errors.append(error)
        } else {
            hasMore = true
        }
    }

    /// Some errors are only seen when all of the text has been read.
    fileprivate mutating func sort() {
        errors.sort { ($0.line, $0.column) < ($1.line, $1.column) }
    }
}
