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

    /// A function that may call routines and look into tables.
    struct Caller {
        var function: Function
        var tables = SearchTables()
    }

    /// The program with all routines that its functions call, and the tables they read, named after it.
    static func link(
        _ callers: [Caller], named name: String, for hook: Hook, _ options: CompilerOptions
    ) -> ExtendedBPF.Program {
        var functions = callers.map(\.function)
        var calls: [Routine] = []
        for index in functions.indices {
            let own = functions[index].name
            functions[index].references = functions[index].references.mapValues { reference in
                if case .data(let table, let offset) = reference {
                    return .data("\(own)_\(table)", offset: offset)
                }
                guard case .function(let callee) = reference, let routine = Routine(rawValue: callee) else {
                    return reference
                }
                calls.append(routine)
                return .function("\(name)_\(callee)")
            }
        }
        let data = callers.flatMap { $0.tables.data(ofFunctionNamed: $0.function.name, options.byteOrder) }
        // The kernel's stricter search is bounded anyhow and takes nothing from the others.
        let searches = calls.count { $0 != .poff }
        let routines = allCases.filter(calls.contains).flatMap {
            $0.functions(named: "\(name)_\($0.rawValue)", for: hook, options, callCount: max(1, searches))
        }
        return ExtendedBPF.Program(functions: functions + routines, data: data)
    }
}
