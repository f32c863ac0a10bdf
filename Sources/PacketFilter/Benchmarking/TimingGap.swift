import BPFCompiler

#if os(Linux)
    import BPFKernel
#endif

/// Why there is no time for a program and a packet.
public struct TimingGap: Error, Hashable, Sendable, CustomStringConvertible {
    /// What keeps it from being measured.
    public enum Reason: Hashable, Sendable {
        /// No packet is known that matches, or none that does not.
        case noPacket(matching: Bool, packets: String)
        /// There is no program, for this reason.
        case noProgram(String)
        /// A classic program of so many instructions, with what makes it a copy, has no room for an end behind it.
        case tooLong(instructions: Int)
        /// The eBPF program leaves no register and no part of the stack alone, or has several functions.
        case notUnrollable
        /// On this packet the filter is ended by a load outside it, and with it the copies behind.
        case endsEarly
        /// The kernel answers otherwise than the filter does on the packet's bytes alone.
        case otherAnswer
        /// The kernel refuses the program, or to run it.
        case refused(String)
        /// The same for want of privileges.
        case notPermitted(String)
    }

    /// What keeps it from being measured.
    public var reason: Reason

    init(_ reason: Reason) { self.reason = reason }

    /// What was found.
    public var description: String {
        switch reason {
        case .noPacket(let matching, let packets):
            "none of \(packets) \(matching ? "matches" : "fails to match")"
        case .noProgram(let why), .refused(let why), .notPermitted(let why): why
        case .tooLong(let instructions):
            "\(instructions) classic instructions leave no room for an end behind them, a filter has at most 4096"
        case .notUnrollable:
            "the program cannot be repeated: it leaves no register and no stack alone, or has functions"
        case .endsEarly:
            "a load outside the packet ends the filter, and would end its copies; give another packet with -r"
        case .otherAnswer:
            "the kernel's answer is not the one for the packet's bytes alone: the filter asks for something else"
        }
    }
}

#if os(Linux)
    extension TimingGap {
        /// What stands for an error of the kernel, for a program at `hook`.
        init(_ error: KernelError, at hook: Hook) {
            let needed = Capability.needed(at: hook)
            let missing = needed.filter { !$0.isEffective }
            guard [.notPermitted, .permissionDenied].contains(error.errno), !missing.isEmpty else {
                self.init(.refused("\(error)"))
                return
            }
            self.init(
                .notPermitted(
                    "\(error.call.rawValue) is not permitted: programs at \(hook) take \(Capability.list(needed)); "
                        + "\(Capability.list(missing)) \(missing.count == 1 ? "is" : "are") missing"))
        }
    }
#endif
