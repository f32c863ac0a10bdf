import ExtendedBPF
import Synchronization
import SystemPackage

/// Something that a kernel may offer.
public enum KernelFeature: Hashable, Sendable {
    /// Programs of a type.
    case programs(ProgramType)
    /// Maps of a kind.
    case maps(MapDeclaration.Kind)
    /// The helper function of that number, in programs of a type.
    case helper(Int32, ProgramType)
    /// Links, and their numbers (5.8).
    case links
    /// Links of tcx (6.6).
    case tcx
    /// Many values of a map by one call (5.6).
    case batches
    /// The values of an array in a process's memory (5.5).
    case sharedArrays
    /// The kernel's own types (`/sys/kernel/btf/vmlinux`).
    case kernelTypes
    /// Performance events of kprobes, by which programs are attached to functions.
    case kprobeEvents
}

/// Whether this kernel offers something to this process.
public enum Availability: Hashable, Sendable {
    /// It does.
    case available
    /// The kernel is too old, or built without it.
    case missing
    /// The kernel does not let this process find out.
    case notPermitted
}

extension RunningKernel {
    /// Whether the running kernel offers a feature to this process, found by trying it. Each is tried once: what the
    /// process may do is what it might at the first time.
    public static func availability(of feature: KernelFeature) -> Availability {
        if let known = known.withLock({ $0[feature] }) { return known }
        let found = probe(feature)
        known.withLock { $0[feature] = found }
        return found
    }

    private static let known = Mutex<[KernelFeature: Availability]>([:])

    private static func probe(_ feature: KernelFeature) -> Availability {
        switch feature {
        case .programs(let type): tryLoading([.move32(.r0, 0), .exit], type)
        case .maps(let kind): probe(kind)
        case .helper(let number, let type): probe(helper: number, type)
        case .links: outcome { () throws(KernelError) in _ = try Link.identifiers() }
        case .tcx: probeTCX()
        case .batches:
            outcome { () throws(KernelError) in
                let map = try Map(array())
                _ = try map.elements()
            }
        case .sharedArrays:
            outcome { () throws(KernelError) in
                let map = try Map(array(flags: .shareable))
                _ = try SharedValues(of: map)
            }
        case .kernelTypes: isFile("/sys/kernel/btf/vmlinux") ? .available : .missing
        case .kprobeEvents: isFile("/sys/bus/event_source/devices/kprobe/type") ? .available : .missing
        }
    }

    private static func isFile(_ path: FilePath) -> Bool {
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return false }
        try? file.close()
        return true
    }

    private static func array(flags: MapDeclaration.Flags = []) -> MapDeclaration {
        MapDeclaration(name: "probe", kind: .array, keySize: 4, valueSize: 8, maxEntries: 1, flags: flags)
    }

    private static func outcome(_ body: () throws(KernelError) -> Void) -> Availability {
        do throws(KernelError) {
            try body()
            return .available
        } catch {
            return error.errno == .notPermitted ? .notPermitted : .missing
        }
    }

    private static func probe(_ kind: MapDeclaration.Kind) -> Availability {
        outcome { () throws(KernelError) in
            let declaration =
                switch kind {
                case .ringBuffer: MapDeclaration(name: "probe", kind: kind, maxEntries: 1 << 16)
                case .longestPrefixMatch:
                    MapDeclaration(name: "probe", kind: kind, keySize: 8, valueSize: 8, maxEntries: 1)
                default: MapDeclaration(name: "probe", kind: kind, keySize: 4, valueSize: 8, maxEntries: 1)
                }
            _ = try Map(declaration)
        }
    }

    private static func request(_ instructions: [Instruction], _ type: ProgramType) -> LoadRequest {
        var request = LoadRequest(
            ExtendedBPF.Program(functions: [Function(name: "probe", instructions: instructions)]), type: type)
        switch type {
        case .kprobe: request.kernelVersion = versionCode
        case .netfilter: request.expectedAttachType = .netfilter
        // What it is to be attached to is named by a number of the kernel's types, which there may not be.
        case .tracing: request.expectedAttachType = .traceRawTracepoint
        default: break
        }
        return request
    }

    private static func tryLoading(_ instructions: [Instruction], _ type: ProgramType) -> Availability {
        do throws(KernelError) {
            _ = try BPFKernel.Program(loading: request(instructions, type))
            return .available
        } catch {
            // Known types are refused for what the program lacks: a place of attachment, as the verifier says.
            if error.errno == .notPermitted { return .notPermitted }
            return error.log.isEmpty && error.errno == .invalidArgument ? .missing : .available
        }
    }

    private static func probe(helper number: Int32, _ type: ProgramType) -> Availability {
        let whole = availability(of: .programs(type))
        guard whole == .available else { return whole }
        do throws(KernelError) {
            _ = try BPFKernel.Program(loading: request([.call(helper: number), .move32(.r0, 0), .exit], type))
            return .available
        } catch {
            // A helper that there is complains of its arguments.
            let refusals = ["invalid func ", "unknown func ", "program of this type cannot use helper "]
            return refusals.contains { error.log.contains($0) } ? .missing : .available
        }
    }

    /// No interface has the highest number: a kernel that knows the place looks for it, another does not.
    private static func probeTCX() -> Availability {
        do throws(KernelError) {
            let program = try BPFKernel.Program(loading: request([.move32(.r0, 0), .exit], .schedCls))
            _ = try Link(attaching: program, at: .interface(UInt32(Int32.max), .tcxIngress))
            return .available
        } catch {
            if error.errno == .operationNotSupportedByDevice { return .available }
            return error.errno == .notPermitted ? .notPermitted : .missing
        }
    }
}
