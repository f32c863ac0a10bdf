import BPFCompiler

#if os(Linux)
    import BPFKernel
    import BPFObject

    extension LoadRequest {
        /// Tells the kernel what the program is for.
        ///
        /// - Throws: ``NotLoadable`` for a function, `BTFError` where the running kernel has no such tracepoint or
        ///   function, ``KernelError`` where it does not show its types.
        mutating func prepare(for hook: Hook) throws {
            guard !hook.isFunction else { throw NotLoadable(hook: hook) }
            type = hook.programType
            expectedAttachType = hook.attachType
            if hook == .xdpFrags { flags.insert(.xdpFragments) }
            switch hook {
            case .tpBTF(let name):
                // The kernel describes the arguments of a tracepoint by a type of this name.
                attachTypeID = try RunningKernel.typeID(of: .alias, named: "btf_trace_\(name)")
            case .fentry(let name): attachTypeID = try RunningKernel.typeID(of: .function, named: name)
            case .kprobe: kernelVersion = RunningKernel.versionCode
            default: break
            }
        }
    }

    extension Hook {
        /// The kernel's type of the programs for this hook, also of those that a function is linked with.
        var programType: ProgramType {
            switch self {
            case .socket: .socketFilter
            case .tc, .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer: .schedCls
            case .xdp, .xdpFrags: .xdp
            case .cgroupIngress, .cgroupEgress: .cgroupSkb
            case .lwtIn: .lwtIn
            case .lwtOut: .lwtOut
            case .lwtXmit: .lwtXmit
            case .netfilter: .netfilter
            case .tpBTF, .fentry: .tracing
            case .rawTP: .rawTracepoint
            case .kprobe: .kprobe
            case .function(let hook): hook.programType
            }
        }

        /// The place the kernel wants to know when it loads a program; nil where the type says it all.
        var attachType: AttachType? {
            switch self {
            case .tcxIngress: .tcxIngress
            case .tcxEgress: .tcxEgress
            case .netkitPrimary: .netkitPrimary
            case .netkitPeer: .netkitPeer
            case .xdp, .xdpFrags: .xdp
            case .cgroupIngress: .cgroupInetIngress
            case .cgroupEgress: .cgroupInetEgress
            case .netfilter: .netfilter
            case .tpBTF: .traceRawTracepoint
            case .fentry: .traceFunctionEntry
            case .socket, .tc, .lwtIn, .lwtOut, .lwtXmit, .rawTP, .kprobe: nil
            case .function(let hook): hook.attachType
            }
        }
    }

    extension RunningKernel {
        /// The number of a type of the running kernel.
        fileprivate static func typeID(of kind: BTFKind, named name: String) throws -> UInt32 {
            try BTFReader(typeInformation()).typeID(of: kind, named: name).rawValue
        }
    }
#endif

/// A function alone is no program that a kernel loads.
public struct NotLoadable: Error, Hashable, Sendable, CustomStringConvertible {
    /// What it was compiled for.
    public var hook: Hook

    /// What was found, what would be right.
    public var description: String {
        "'\(hook)' is a function, no program: link its object with one that calls it, and load that"
    }
}
