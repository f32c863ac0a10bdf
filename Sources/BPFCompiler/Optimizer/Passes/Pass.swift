/// A change of a graph that leaves what the filter decides as it is.
protocol Pass: Sendable {
    /// The pass's name on the command line.
    static var name: String { get }

    /// Changes `graph`, and says in a few words each what it did.
    static func run(on graph: inout Graph) -> [String]
}
