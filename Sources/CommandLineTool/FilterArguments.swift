import ArgumentParser
import PacketFilter

/// The arguments that say where a filter comes from.
protocol FilterArguments {
    var expression: [String] { get }
    var expressionFile: String? { get }
    var input: String? { get }
    var inputFormName: String? { get }
    var linkType: String? { get }
    var snapshotLength: String? { get }
    var netmask: String? { get }
    var withoutPcapOptimizer: Bool { get }
    var isVerbose: Bool { get }
    /// The hook whose packets expressions are about.
    var hook: Hook { get throws }
}

/// tcpdump's, which stands for 0 too.
private let defaultSnapshotLength: UInt32 = 262_144

extension FilterArguments {
    /// The value of an option that `text` names, or nil where the option is not given.
    ///
    /// - Throws: `ValidationError` with the values there are.
    func choice<Value: CaseIterable & RawRepresentable<String>>(_ text: String?, of option: String) throws -> Value? {
        guard let text else { return nil }
        if let value = Value(rawValue: text) { return value }
        let values = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(text)' is no value of \(option), which takes \(values).")
    }

    func validateFilter() throws {
        let sources = [!expression.isEmpty, expressionFile != nil, input != nil]
        if sources.count(where: { $0 }) > 1 {
            throw ValidationError("The filter comes from an expression, from -F or from --input, one of them.")
        }
        if input != nil, linkType != nil || snapshotLength != nil || netmask != nil || withoutPcapOptimizer {
            throw ValidationError("-y, -s, --netmask and --no-pcap-optimizer are for expressions, --input has none.")
        }
        let inputForm: ClassicForm? = try choice(inputFormName, of: "--input-form")
        if inputForm != nil, input == nil { throw ValidationError("--input-form needs --input beside it.") }
        if let snapshotLength, UInt32(snapshotLength).map({ $0 <= Int32.max }) != true {
            throw ValidationError("The snapshot length '\(snapshotLength)' is not a number of 0 to \(Int32.max).")
        }
        if let netmask, ipv4Address(netmask) == nil {
            throw ValidationError("The netmask '\(netmask)' is not of the form 255.255.255.0.")
        }
    }

    /// The filter the arguments ask for.
    func filter(on console: Console) throws -> PacketFilter {
        if let (bytes, form) = try program(on: console) { return try PacketFilter(reading: bytes, form: form) }
        let text =
            if let expressionFile {
                try withoutComments(console.read(expressionFile), from: expressionFile)
            } else {
                expression.joined(separator: " ")
            }
        let hook = try hook
        do {
            let linkType = try packetStart(on: hook)
            // Before it is compiled, for a hint can say why libpcap refuses it too.
            if isVerbose { console.reportHints(on: text, linkType: linkType) }
            return try filter(text, linkType: linkType)
        } catch  where netmask == nil && "\(error)".contains("netmask not known") {
            throw ToolError("\(error); give it with --netmask")
        } catch  where isForEthernetOnly(text, on: hook) {
            throw ToolError(
                "\(error); the expression is one for Ethernet, and packets on the \(hook) hook begin with their IP header"
            )
        } catch {
            throw ToolError(error, refusing: text)
        }
    }

    /// The bytes that `--input` names and the form they are in, which `-v` tells where it is guessed; nil without it.
    func program(on console: Console) throws -> (bytes: [UInt8], form: ClassicForm)? {
        guard let input else { return nil }
        let bytes = try console.read(input)
        if let form: ClassicForm = try choice(inputFormName, of: "--input-form") { return (bytes, form) }
        let form = try ClassicForm.guess(bytes)
        if isVerbose {
            console.report("cbpf2ebpf: \(input == "-" ? "standard input" : input) is read as \(form.rawValue)\n")
        }
        return (bytes, form)
    }

    /// What packets begin with: what -y says, else what the hook shows.
    private func packetStart(on hook: Hook) throws -> LinkType {
        if let linkType { return try LinkType(linkType) }
        return hook.linkLayer == .rawIP ? .rawIP : .ethernet
    }

    /// Whether what the hook's packets begin with is why libpcap has refused an expression.
    private func isForEthernetOnly(_ text: String, on hook: Hook) -> Bool {
        guard linkType == nil, hook.linkLayer == .rawIP else { return false }
        return (try? filter(text, linkType: .ethernet)) != nil
    }

    private func filter(_ text: String, linkType: LinkType) throws -> PacketFilter {
        let length = snapshotLength.flatMap { UInt32($0) } ?? 0
        return try PacketFilter(
            text, linkType: linkType, snapshotLength: length == 0 ? defaultSnapshotLength : length,
            netmask: netmask.flatMap(ipv4Address),
            optimized: !withoutPcapOptimizer)
    }

    /// Comments become spaces, as in tcpdump, so that positions in messages stay true.
    private func withoutComments(_ bytes: [UInt8], from file: String) throws(ToolError) -> String {
        var isComment = false
        let text = bytes.map { byte in
            if byte == UInt8(ascii: "#") { isComment = true }
            if byte == UInt8(ascii: "\n") { isComment = false }
            return isComment ? UInt8(ascii: " ") : byte
        }
        guard let text = String(validating: text, as: UTF8.self) else {
            throw ToolError("\(file) is not UTF-8, an expression is")
        }
        return text
    }
}

/// The number that a dotted address writes, the first part its most significant byte.
func ipv4Address(_ text: String) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part in
        // UInt8 would take a sign too.
        part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt8(part) : nil
    }
    guard parts.count == 4 else { return nil }
    return parts.reduce(UInt32?(0)) { number, part in
        guard let number, let part else { return nil }
        return number << 8 | UInt32(part)
    }
}
