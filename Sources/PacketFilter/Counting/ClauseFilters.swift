import BPFAssembly
import BPFCompiler
import Pcap

/// A part of an expression between one `and` or `or` and the next.
public typealias ExpressionClause = BPFAssembly.ExpressionClause

/// The filters by whose counts the clauses of an expression are told apart: for each, the packets for which it holds by
/// itself, and those for which the expression holds as far as the clause's end.
///
///     let filters = try ClauseFilters(of: "ip and udp and port 53")
///     let counter = try PacketCounter(filters.counted, at: place, vlan: filters.view(on: place.hook))
///     for clause in filters.clauses(of: try counter.counts()) { print(clause.clause.text, clause.soFar.packets) }
public struct ClauseFilters: Hashable, Sendable {
    /// The whole expression.
    public let whole: PacketFilter
    /// The filters, each expression once, which is its name.
    public let counted: [CountedFilter]
    private let places: [Place]

    private struct Place: Hashable {
        var clause: ExpressionClause
        var alone: Int
        var soFar: Int
    }

    /// How often a clause has held.
    public struct Count: Hashable, Sendable {
        /// The clause.
        public var clause: ExpressionClause
        /// The packets for which it holds by itself (``ExpressionClause/alone``).
        public var alone: FilterCount
        /// The packets for which all holds up to its end (``ExpressionClause/soFar``).
        public var soFar: FilterCount
    }

    /// Finds the clauses of `expression` and compiles what is to be counted.
    ///
    /// What no packet can match, which libpcap's optimiser refuses to compile, is counted too, and stays 0.
    ///
    /// - Parameters:
    ///   - linkType: What packets begin with.
    ///   - netmask: The IPv4 netmask, for `ip broadcast`.
    /// - Throws: `PcapError` with libpcap's message; ``CountingError`` for an expression without clauses.
    public init(of expression: String, linkType: LinkType = .ethernet, netmask: UInt32? = nil) throws {
        func compile(_ text: String) throws -> PacketFilter {
            do {
                return try PacketFilter(text, linkType: linkType, netmask: netmask)
            } catch let error as PcapError where error.isOfNoMatch {
                return try PacketFilter(text, linkType: linkType, netmask: netmask, optimized: false)
            }
        }
        whole = try compile(expression)
        let clauses = try FilterExpression(expression).clauses
        if clauses.isEmpty { throw CountingError(.noClause) }
        var counted: [CountedFilter] = []
        var indices: [String: Int] = [:]
        func index(of text: String) throws -> Int {
            if let index = indices[text] { return index }
            // What are too many is told before what takes long to compile.
            guard counted.count < CountingLayout.maximumFilterCount(with: nil) else {
                throw CountingError(.tooManyClauses(clauses.count))
            }
            counted.append(CountedFilter(text, try compile(text)))
            indices[text] = counted.count - 1
            return counted.count - 1
        }
        var places: [Place] = []
        for clause in clauses {
            places.append(Place(clause: clause, alone: try index(of: clause.alone), soFar: try index(of: clause.soFar)))
        }
        self.counted = counted
        self.places = places
    }

    /// The view of a packet's VLAN tag that all of them are to be shown: the whole expression's.
    public func view(on hook: Hook) -> VLANView { whole.defaultView(for: FilterPart.target(on: hook)) }

    /// What has been counted of each clause, in their order.
    ///
    /// - Parameter counts: Those of a counter of ``counted``.
    public func clauses(of counts: Counts) -> [Count] {
        places.map {
            Count(clause: $0.clause, alone: counts.filters[$0.alone], soFar: counts.filters[$0.soFar])
        }
    }
}

extension PcapError {
    /// Whether libpcap's optimiser has found that no packet can match.
    fileprivate var isOfNoMatch: Bool {
        if case .invalidExpression(let message) = reason { message.contains("rejects all packets") } else { false }
    }
}
