import BPFAssembly
import Pcap

/// A place in an expression that is in order for libpcap but hardly what its author means.
public typealias Hint = BPFAssembly.ExpressionHint
/// The syntax tree of an expression.
public typealias FilterExpression = BPFAssembly.FilterExpression

extension PacketFilter {
    /// Where the author of `expression` has gone wrong, in the order of the text; nothing if it is no expression.
    ///
    /// - Parameter linkType: What packets begin with.
    public static func hints(for expression: String, linkType: LinkType = .ethernet) -> [Hint] {
        guard let tree = try? FilterExpression(expression) else { return [] }
        let beginsWithIP = linkType == .rawIP || linkType.name == "IPV4" || linkType.name == "IPV6"
        return tree.hints(for: beginsWithIP ? .ip : .header)
    }

    /// Where in `expression` the reasons stand for which libpcap refused it with `error`, and what could stand there.
    ///
    /// libpcap itself says no place, and only that there is one; here are up to 20, none of which comes of another. Nil if
    /// the expression is in order but for what its words mean.
    public static func syntaxErrors(in expression: String, refusedWith error: any Error) -> AssemblyErrors? {
        guard let error = error as? PcapError, case .invalidExpression = error.reason else { return nil }
        return FilterExpression.errors(in: Array(expression.utf8))
    }
}
