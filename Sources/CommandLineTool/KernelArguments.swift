import ArgumentParser
import PacketFilter

// What the commands that load programs have in common.

extension CompileCommand {
    /// Refuses what is for files only.
    func validateForKernel(in command: String) throws {
        if formName != nil || output != nil || endianName != nil || kernelForm {
            throw ValidationError(
                "'\(command)' writes no program: leave out --emit, -o, --endian and --kernel-form.")
        }
    }

    #if os(Linux)
        /// The program that the arguments ask for, made for the running kernel unless they say otherwise.
        func compiledForKernel(on console: Console) throws -> CompiledProgram {
            var compile = self
            if compile.kernelName == nil { compile.kernelName = "native" }
            return try compile.program(on: console)
        }

        /// The same, ready to be loaded.
        func programForKernel(on console: Console) throws -> LoadableProgram {
            try compiledForKernel(on: console).loadable(license: license ?? PacketFilter.defaultLicense)
        }
    #endif
}

/// Errors of the library become the tool's.
func runRefusing(_ work: () throws -> Void) throws {
    do {
        try work()
    } catch let error as Defect {
        throw error
    } catch let error as ValidationError {
        throw error
    } catch {
        throw (error as? ToolError) ?? ToolError("\(error)")
    }
}

#if os(Linux)
    extension LoadableProgram {
        /// Reports the verifier's log, and gives back the error with the instruction that it was about.
        func explaining(_ error: KernelError, on console: Console) -> ToolError {
            console.report(error.log)
            if case .fentry = hook, error.errno == .notPermitted, error.log.isEmpty, isRoot {
                return ToolError(
                    "bpf(BPF_PROG_LOAD): operation not permitted (1), to root too: this kernel takes no programs at the "
                        + "entry of functions, use a tracepoint, tp_btf:…")
            }
            guard let place = place(of: error) else { return ToolError("\(error)") }
            let what =
                place.line > 1
                ? "which stands for \(place.text.split(separator: " ").joined(separator: " "))"
                : "in front of the filter's first"
            return ToolError("\(error); that is at instruction \(place.slot), \(what)")
        }
    }
#endif
