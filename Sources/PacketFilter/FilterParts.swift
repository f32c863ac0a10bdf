import BPFCompiler
import BPFObject

extension PacketFilter {
    /// Compiles the filter as a part of a program that does more than decide about packets.
    ///
    /// - Parameter view: As for ``Target/vlan``.
    /// - Returns: The part, and the lines that its line marks count.
    /// - Throws: As ``compile(for:named:options:)``.
    func part(
        on hook: Hook, showing view: VLANView?, options: CompilerOptions
    ) throws -> (part: FilterPart, source: SourceText) {
        let target = FilterPart.target(on: hook, showing: view)
        let shown = target.showing(vlan: try self.view(for: target, options))
        let options = try withPacketArgument(options, of: hook)
        let part = try Compiler.part(
            classic, orForIP: forIP(on: hook), on: hook, showing: shown.vlan, options: options)
        return (part, try compiled(part.program, for: shown, options, loopRounds: part.loopRounds).source)
    }
}
