import ClassicBPF

/// Why a filter cannot become a program, and at which classic instruction.
public struct CompilerError: Error, Hashable, Sendable {
    /// What is in the way.
    public enum Reason: Hashable, Sendable {
        /// The filter breaks a rule of the kernel, whose filters these programs mirror.
        case notAKernelFilter(ValidationError.Reason)
        /// A jump became too long for the signed 16 bits of an eBPF offset.
        case jumpTooFar(distance: Int)
        /// The hook has no way to supply the extension.
        case unavailableExtension(Extension, Hook)
        /// What the filter or the hook needs came with a kernel later than the one the program is for.
        case needsKernel(feature: String, KernelVersion, target: KernelVersion)
        /// Nothing is known about which argument of the tracepoint or function is the packet.
        case unknownSocketBufferArgument(Hook)
        /// An argument that the place does not pass, or not in a register; counted from 0.
        case unreachableArgument(Int, Hook)
        /// A filter for the hook cannot be translated instruction by instruction.
        case notTranslatable(Hook)
        /// Filters for the hook are not written as C.
        case notInC(Hook)
        /// The filter jumps back.
        case loopInC
        /// A load may reach one of the header areas, which are not written as C for the hook.
        case headerAreaInC(Hook)
        /// Only the optimiser shows a filter another packet than the hook's bytes.
        case viewNeedsOptimizer(VLANView)
        /// The extension searches the hook's bytes, and the view is of others.
        case searchInView(Extension, VLANView)
        /// The view is one of Ethernet packets, and the filter is for others.
        case viewNeedsEthernet(VLANView, linkType: String)
        /// There is no hook of this name.
        case unknownHook(String)
        /// The kernel has no tracepoint or function of such a name.
        case invalidHookArgument(String, kind: String, argument: String)
        /// There are no functions for what is written here.
        case noFunctionsOfHook(String)
        /// A loop that is entered in more than one place.
        case irreducibleLoop
        /// The program's name is no C identifier.
        case invalidName(String)
    }

    /// What is in the way.
    public var reason: Reason

    /// The index of the classic instruction, or nil if it is not about one.
    public var instruction: Int?

    /// Makes an error.
    public init(_ reason: Reason, at instruction: Int? = nil) {
        self.reason = reason
        self.instruction = instruction
    }
}

extension CompilerError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        guard let instruction else { return reason.description }
        return "instruction \(instruction): \(reason)"
    }
}

extension CompilerError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .notAKernelFilter(let reason):
            "\(reason) (Linux refuses such a filter)"
        case .jumpTooFar(let distance):
            "its jump becomes one over \(distance) eBPF instructions, at most 32767 are possible at -O0"
        case .unavailableExtension(let ext, let hook):
            "the extension \(ext.name) is not available to a program on the \(hook) hook"
        case .needsKernel(let feature, let needed, let target):
            "\(feature) needs Linux \(needed), the program is to run on \(target) too"
        case .unknownSocketBufferArgument(let hook):
            "which argument at \(hook) is the packet is not known, it has to be said (--skb-argument)"
        case .unreachableArgument(let argument, let hook):
            "argument \(argument + 1) of \(hook) is not where a program there finds arguments"
        case .notTranslatable(let hook):
            "-O0 makes no program for the \(hook) hook, its packet loads exist on socket, tc, tcx and netkit hooks only"
        case .notInC(let hook):
            "no C is written for the \(hook) hook, only for \(CSource.hooks.map(\.description).joined(separator: " and "))"
        case .loopInC:
            "no C is written for filters that jump back, as those of protochain do"
        case .headerAreaInC(let hook):
            "its load may be one by header (negative offsets), which has no form in C on the \(hook) hook"
        case .viewNeedsOptimizer(let view):
            "-O0 knows no VLAN view '\(view.rawValue)', its programs see the bytes as they are"
        case .searchInView(let ext, let view):
            "the extension \(ext.name) searches the bytes as they are, not the VLAN view '\(view.rawValue)'; "
                + "it is available in the view 'bytes'"
        case .viewNeedsEthernet(let view, let linkType):
            "the VLAN view '\(view.rawValue)' is one of Ethernet packets (EN10MB), the filter is for \(linkType)"
        case .unknownHook(let name):
            "there is no hook '\(name)', the hooks are \(Hook.names.joined(separator: ", "))"
        case .invalidHookArgument(let text, let kind, let argument):
            "'\(text)' names no kernel \(argument.lowercased()), a hook is written \(kind):\(argument)"
        case .noFunctionsOfHook(let text):
            "there are no functions of '\(text)', after function: comes one of "
                + Hook.packetHooks.map(\.description).joined(separator: ", ")
        case .irreducibleLoop:
            "a backward jump leads into a loop that is also entered elsewhere; each loop needs one place to enter it"
        case .invalidName(let name):
            "'\(name)' is no name for a program, it must be a C identifier"
        }
    }
}
