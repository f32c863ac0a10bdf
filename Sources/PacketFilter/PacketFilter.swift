import BPFAssembly
import BPFCompiler
import ClassicBPF
import ExtendedBPF
import Pcap

/// A packet filter: a classic BPF program and, if it came from one, the tcpdump expression.
///
///     let filter = try PacketFilter("icmp or udp")
///     let program = try filter.compile(for: .tc(match: .shot))
///     try program.object().write(to: "drop.o")
public struct PacketFilter: Hashable, Sendable {
    /// The classic program.
    public let classic: ClassicProgram
    /// The expression, or nil if the filter was given as bytecode.
    public let expression: String?
    /// What the expression takes packets to begin with, or nil if the filter was given as bytecode.
    public let linkType: LinkType?
    /// What made ``classic`` of the expression.
    let compiler: ExpressionCompiler?

    /// Compiles `expression` with libpcap. An empty expression matches every packet.
    ///
    /// - Parameters:
    ///   - linkType: What packets begin with.
    ///   - snapshotLength: How many bytes a match keeps, 1 … 2,147,483,647.
    ///   - netmask: The IPv4 netmask, its first part in the most significant byte, for `ip broadcast`.
    ///   - optimized: Whether libpcap optimises its code.
    /// - Throws: `PcapError` with libpcap's message.
    public init(
        _ expression: String, linkType: LinkType = .ethernet, snapshotLength: UInt32 = 262_144, netmask: UInt32? = nil,
        optimized: Bool = true
    ) throws {
        let compiler = ExpressionCompiler(
            linkType: linkType, snapshotLength: snapshotLength, optimizes: optimized, netmask: netmask)
        classic = try compiler.compile(expression)
        self.compiler = compiler
        self.expression = expression
        self.linkType = linkType
    }

    /// Takes a classic program as it is.
    public init(_ classic: ClassicProgram) {
        self.classic = classic
        expression = nil
        linkType = nil
        compiler = nil
    }

    /// Reads a classic program from the text that `tcpdump -ddd` prints.
    ///
    /// - Throws: `AssemblyError` with line and column, or `ValidationError` with the instruction.
    public init(decimal text: [UInt8]) throws {
        self.init(try ClassicProgram(try DecimalForm.parse(text)))
    }

    /// Compiles the filter.
    ///
    /// - Parameters:
    ///   - target: The hook, what the filter's two answers become there, and which view it is shown of the packet; where
    ///     the target says nothing of that, ``defaultView(for:)``.
    ///   - name: The program's name, a C identifier.
    ///   - options: How much is optimised, and for which instruction set.
    /// - Throws: ``CompilerError`` at the instruction that the target cannot run, ``PacketArgumentError`` where the
    ///   running kernel's types do not tell which argument of a tracepoint or function is the packet.
    public func compile(
        for target: Target, named name: String = "filter", options: CompilerOptions = CompilerOptions()
    ) throws -> CompiledProgram {
        let target = target.showing(vlan: try view(for: target, options))
        if options.level == .mirror {
            let program = try Translator.translate(classic, to: .loadable(target), named: name)
            return try CompiledProgram(filter: self, target: target, program: program).validated()
        }
        let options = try withPacketArgument(options, of: target.hook)
        let program = try Compiler.compile(
            classic, orForIP: forIP(on: target.hook), for: target, named: name, options: options)
        return try compiled(
            program, for: target, options, loopRounds: Compiler.loopRounds(of: classic, for: target, options: options))
    }

    /// The program, and what is to be said of it.
    func compiled(
        _ program: ExtendedProgram, for target: Target, _ options: CompilerOptions, loopRounds: Int?
    ) throws(Defect) -> CompiledProgram {
        // Where no packet can need more rounds nothing has to be said.
        let isEnough = expression != nil && loopRounds == Compiler.mostLoopRounds
        return try CompiledProgram(
            filter: self, target: target, program: program, byteOrder: options.byteOrder,
            loopRounds: isEnough ? nil : loopRounds,
            reachesWholePackets: Compiler.reachesWholePackets(for: target, options: options)
        ).validated()
    }

    /// The options with the argument of a tracepoint or function that is the packet.
    func withPacketArgument(_ options: CompilerOptions, of hook: Hook) throws -> CompilerOptions {
        guard hook.context == .tracing, options.socketBufferArgument == nil else { return options }
        var options = options
        options.socketBufferArgument = try Self.packetArgument(of: hook)
        return options
    }

    /// The filter for packets without an Ethernet header, or nil where `hook` shows none or no such packet can match.
    func forIP(on hook: Hook) -> ClassicProgram? {
        guard hook.context == .tracing, var compiler, let expression else { return nil }
        compiler.linkType = .rawIP
        return try? compiler.compile(expression)
    }

    /// What the kernel's own converter makes of the filter.
    ///
    /// - Throws: ``CompilerError`` at the instruction that the kernel refuses.
    public func kernelForm() throws -> KernelForm {
        KernelForm(filter: self, program: try Translator.translate(classic, to: .kernel))
    }

    /// What the optimiser makes of the filter, as text, and what each of its passes did, a line each.
    ///
    /// - Parameter passes: The passes to run, among ``optimizerPasses``.
    public func optimizerGraph(passes: [String] = PacketFilter.optimizerPasses) -> (text: String, notes: [String]) {
        Optimizer(passes: passes).describe(classic)
    }

    /// The filter as C, for review or to be embedded; for the hooks xdp and tc.
    ///
    /// - Parameters:
    ///   - target: The hook, and what the filter's two answers become there.
    ///   - name: The program's name, a C identifier.
    ///   - license: What the object made of it is to state.
    /// - Throws: ``CompilerError`` for another hook, or at the instruction that has no form in C.
    public func source(
        for target: Target, named name: String = "filter", license: String = PacketFilter.defaultLicense
    ) throws -> String {
        let lines = sourceLines
        return try CSource.text(
            classic, for: target, named: name, license: license, title: lines[0], lines: Array(lines.dropFirst()))
    }

    /// What the optimiser makes of the filter for a target, as text, and what each of its passes did, a line each.
    ///
    /// - Parameter options: How the program is made; among them the passes to run.
    public func optimizerGraph(
        for target: Target, options: CompilerOptions = CompilerOptions()
    ) -> (text: String, notes: [String]) {
        Compiler.describe(classic, for: target, options: options)
    }

    /// The names of the optimiser's passes, in the order they run.
    public static var optimizerPasses: [String] { Optimizer.passNames }

    /// The classic program as `tcpdump -d` shows it.
    public var listing: String { ClassicListing.text(classic) }

    /// The lines that the line marks of programs count: the expression, then the classic instructions.
    var sourceLines: [String] {
        let lines = ClassicListing.lines(classic)
        guard let expression else { return ["classic BPF program of \(classic.count) instructions"] + lines }
        // An expression from a file ends with a line feed.
        guard let end = expression.lastIndex(where: { !$0.isWhitespace }) else { return ["(every packet)"] + lines }
        return [String(expression[...end])] + lines
    }

    /// Whether `name` can be a program's: a C identifier.
    public static func isProgramName(_ name: String) -> Bool { Translator.isIdentifier(name) }

    /// The license that objects state unless told otherwise; it allows the helper functions that ask for the GPL.
    public static let defaultLicense = "Dual BSD/GPL"

    /// The version of this package.
    public static let version = "0.1.0"

    /// The name and version of the libpcap in use.
    public static var libpcapVersion: String { Library.version }
}

/// Something this package did wrong itself; please report it.
public struct Defect: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was found.
    public var description: String

    init(_ description: String) { self.description = description }
}
