import ClassicBPF
import ExtendedBPF

/// A filter compiled as a part of a program that does more than answer for it, such as one that counts.
///
/// The functions that the program is made of may be put into others: they leave room on the stack
/// (``stackSize``), tell their answer at hooks too where the kernel wants none, and have no instruction that ends more than
/// the filter.
public struct FilterPart: Hashable, Sendable {
    /// The filter: its entry returns 1 for a packet that matches, else 0, and at hooks that look at packets passing in
    /// the kernel 2 for one that it saw without an Ethernet header.
    public let program: ExtendedBPF.Program
    /// How many rounds its loops get, as ``Compiler/loopRounds(of:for:options:)`` tells of programs.
    public let loopRounds: Int?

    /// The bytes of stack that parts have: what calls a part has some too, and a part may be asked by another function.
    static let stackSize = 512 - 64

    /// The most slots of a part that is put into another function: a jump leads 32,767 far, and its ends may grow.
    private static let inlinedSlots = 15_000

    /// Whether it can be put into the function that asks it; else it is called, which costs more than most filters do.
    package var isInlinable: Bool { program.functions.count == 1 && program.entry.slotCount < Self.inlinedSlots }

    /// What an entry returns for a packet that matches and begins with its IP header, where others have an Ethernet header.
    static let rawIPMatch: UInt32 = 2

    /// What parts are compiled for: 1 for a match, else 0.
    public static func target(on hook: Hook, showing view: VLANView? = nil) -> Target {
        var target = Target(hook: hook, match: Verdict(value: 1), noMatch: Verdict(value: 0))
        target.vlan = view
        return target
    }

    /// - Precondition: No instruction of `program` ends the function it is in where a packet is too short.
    fileprivate init(_ program: ExtendedBPF.Program, loopRounds: Int?) {
        precondition(
            !program.functions.contains { $0.instructions.contains(where: \.isPacketLoad) },
            "a part would end the function that it is put into")
        self.program = program
        self.loopRounds = loopRounds
    }
}

extension FilterPart {
    /// The part with its functions and tables named after `name`.
    func renamed(_ name: String) -> FilterPart { FilterPart(program.renamed(name), loopRounds: loopRounds) }

    /// The part with its line marks counted from `firstLine` on.
    func countingLines(from firstLine: Int) -> FilterPart {
        var program = program
        for index in program.functions.indices {
            var lines = program.functions[index].lines
            if lines.first?.instruction != 0 { lines.insert(LineMark(instruction: 0, line: 1), at: 0) }
            program.functions[index].lines = lines.map {
                LineMark(instruction: $0.instruction, line: $0.line + firstLine - 1)
            }
        }
        return FilterPart(program, loopRounds: loopRounds)
    }
}

extension Compiler {
    /// Returns `filter` as a part of a program for `hook`.
    ///
    /// - Parameters:
    ///   - filter: As for ``compile(_:orForIP:for:named:options:)``, as are the others.
    ///   - view: The view of the packet that the filter is shown.
    /// - Throws: ``CompilerError`` at the first instruction that the hook has nothing for.
    public static func part(
        _ filter: ClassicBPF.Program, orForIP ipFilter: ClassicBPF.Program? = nil, on hook: Hook,
        showing view: VLANView? = nil, options: CompilerOptions = CompilerOptions()
    ) throws(CompilerError) -> FilterPart {
        var options = options
        options.role = .part
        let target = FilterPart.target(on: hook, showing: view)
        return FilterPart(
            try compile(filter, orForIP: ipFilter, for: target, options: options),
            loopRounds: loopRounds(of: filter, for: target, options: options))
    }
}
