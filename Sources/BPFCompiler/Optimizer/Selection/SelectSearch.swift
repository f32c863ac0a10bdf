import ClassicBPF
import ExtendedBPF

extension Selector {
    /// Calls the routine that is coded out for an extension.
    ///
    /// - Throws: ``CompilerError`` where there is none for the hook, for the kernel, or for the view.
    mutating func emitSearch(
        _ ext: Extension, _ a: Value, _ x: Value, into result: MachineRegister
    ) throws(CompilerError) {
        guard let routine = Routine(ext, for: target.hook) else {
            throw CompilerError(.unavailableExtension(ext, target.hook), at: origin)
        }
        // Attributes are those of netlink messages, which have no Ethernet header that a tag could be part of.
        if routine != .poff, let view = target.vlan, view.movesBytes(on: target.hook) {
            throw CompilerError(.searchInView(ext, view), at: origin)
        }
        let kernel = options.kernel(for: target.hook)
        if routine == .poff, kernel < .payloadHeaders {
            throw CompilerError(
                .needsKernel(feature: "the extension poff", .payloadHeaders, target: kernel), at: origin)
        }
        append(.move64(.r0, .r0), dst: MachineRegister(.r1), src: context)
        emitArgument(a, in: MachineRegister(.r2))
        emitArgument(x, in: MachineRegister(.r3))
        var call = make(.call(localAt: 0), routine.reference)
        call.argumentCount = 3
        function.blocks[current].instructions.append(call)
        append(.move32(.r0, .r0), dst: result, src: .result)
        setResult(graph.failure)
    }

    private mutating func emitArgument(_ value: Value, in argument: MachineRegister) {
        if let constant = graph.instruction(value)?.constant {
            append(.move32(.r0, constant), dst: argument)
        } else {
            append(.move32(.r0, .r0), dst: argument, src: register(of: value))
        }
    }
}
