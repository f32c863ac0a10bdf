import ClassicBPF
import ExtendedBPF

/// A function of our own that a program carries along and calls: one of the extensions that search the packet.
///
/// It is called with the context in `r1`, A in `r2` and X in `r3`, both of 32 bits with the upper halves 0, and
/// returns the new A.
enum Routine: String, CaseIterable {
    case nla
    case nlan
    case poff

    /// The routine of an extension, or nil where there is none for the hook.
    init?(_ ext: Extension, for hook: Hook) {
        guard let routine = Routine(rawValue: ext.name) else { return nil }
        switch hook.context {
        case .socketBuffer, .xdp: break
        case .netfilter where routine == .poff: break
        // The kernel's function that reads packets wants to know what it is given.
        case .tracing where routine == .poff && hook.hasTrustedArguments: break
        case .netfilter, .tracing: return nil
        }
        self = routine
    }

    /// What a call refers to until the program has a name.
    var reference: Reference { .function(rawValue) }

    /// The function, to be called `name`, in a program that calls routines from `callCount` places, and what it calls.
    private func functions(
        named name: String, for hook: Hook, _ options: CompilerOptions, callCount: Int
    ) -> [Function] {
        switch self {
        case .nla: [NetlinkSearch.function(named: name, isNested: false, for: hook, callCount: callCount)]
        case .nlan: [NetlinkSearch.function(named: name, isNested: true, for: hook, callCount: callCount)]
        case .poff: PayloadSearch.functions(named: name, for: hook, options)
        }
    }

    /// The program with all routines that its functions call, named after it.
    static func link(
        _ functions: [Function], named name: String, for hook: Hook, _ options: CompilerOptions
    ) -> ExtendedBPF.Program {
        var functions = functions
        var calls: [Routine] = []
        for index in functions.indices {
            functions[index].references = functions[index].references.mapValues { reference in
                guard case .function(let callee) = reference, let routine = Routine(rawValue: callee) else {
                    return reference
                }
                calls.append(routine)
                return .function("\(name)_\(callee)")
            }
        }
        // The kernel's stricter search is bounded anyhow and takes nothing from the others.
        let searches = calls.count { $0 != .poff }
        let routines = allCases.filter(calls.contains).flatMap {
            $0.functions(named: "\(name)_\($0.rawValue)", for: hook, options, callCount: max(1, searches))
        }
        return ExtendedBPF.Program(functions: functions + routines)
    }
}
