import ExtendedBPF

/// Makes a program of a filter that writes the packets that match into a ring buffer, and lets all pass.
///
/// The packet goes from where the kernel has it straight into the ring: a record is reserved there and filled, so its
/// bytes are copied once, and nothing that is not captured is touched. Where the ring has no room the packet is counted
/// as lost; the program never waits.
public struct CapturingProgram {
    let hook: Hook
    let options: CompilerOptions
    let layout: CapturingLayout
    /// Which argument of a tracepoint tells why the packet was dropped, counted from 0.
    let dropReasonArgument: Int?
    /// Whether the filter is in the entry itself and not called.
    private let isInlined: Bool

    /// The context; at tracepoints and functions, once it has been found, the packet's `struct sk_buff`.
    let source = Register.r6
    /// The packet's length.
    let length = Register.r7
    /// How many bytes of it are captured.
    let captured = Register.r8
    /// The record.
    let record = Register.r9

    /// Makes a program of `filter`.
    ///
    /// Line marks are those of the filter.
    ///
    /// - Parameters:
    ///   - filter: The filter, compiled for the hook of the layout.
    ///   - name: The name of the program, a C identifier.
    ///   - layout: The hook, and how packets are written.
    ///   - dropReasonArgument: Which argument of the hook tells why the packet was dropped, counted from 0.
    ///   - options: What the filter was compiled with.
    /// - Throws: ``CompilerError`` where packets cannot be copied on the hook by the kernel of the options.
    public static func make(
        _ filter: FilterPart, named name: String = "capture", _ layout: CapturingLayout,
        dropReasonArgument: Int? = nil, options: CompilerOptions
    ) throws(CompilerError) -> ExtendedBPF.Program {
        let capturing = CapturingProgram(
            hook: layout.hook, options: options, layout: layout, dropReasonArgument: dropReasonArgument,
            isInlined: filter.isInlinable)
        try capturing.checkKernel()
        let filter = filter.renamed("\(name)_filter")
        let entry = try filter.canMatch ? capturing.entry(named: name, of: filter) : capturing.idleEntry(named: name)
        return ExtendedBPF.Program(
            functions: [entry] + (capturing.isInlined ? [] : filter.program.functions), data: filter.program.data,
            maps: filter.program.maps + [CapturingLayout.lossMap])
    }

    /// The clocks that times are told by.
    public enum Clock: Hashable, Sendable {
        /// International atomic time, some whole seconds ahead of the time of day (`CLOCK_TAI`).
        case atomic
        /// The time since the machine was started, but for the time it slept (`CLOCK_MONOTONIC`).
        case monotonic
    }

    /// The clock of programs for `kernel`.
    public static func clock(on kernel: KernelVersion?) -> Clock {
        kernel.map { $0 >= .atomicTime } ?? false ? .atomic : .monotonic
    }

    private func checkKernel() throws(CompilerError) {
        guard let kernel = options.kernel else { return }
        let needed: KernelVersion =
            switch hook.context {
            case .socketBuffer: hook.linkLayer == .rawIP ? .kernelContext : KernelHistory.ringBuffers
            case .xdp: KernelHistory.xdpCopies
            case .netfilter: hook.wholePacketKernel
            case .tracing: hook.hasTrustedArguments ? hook.wholePacketKernel : .kernelContext
            }
        if kernel < needed {
            throw CompilerError(.needsKernel(feature: "capturing on the hook \(hook)", needed, target: kernel))
        }
    }

    private func entry(named name: String, of filter: FilterPart) throws(CompilerError) -> Function {
        var assembler = Assembler(functionNamed: name)
        let (submit, pass, lost) = (assembler.makeLabel(), assembler.makeLabel(), assembler.makeLabel())
        assembler.mark(line: 1)
        ask(filter, orGoTo: pass, &assembler)
        assembler.mark(line: 1)
        try measure(orGoTo: pass, &assembler)
        reserve(orGoTo: lost, &assembler)
        describe(&assembler)
        assembler.append(.jump64(if: captured, .less, 1, 0), to: submit)
        copy(&assembler)
        assembler.append(.jump64(if: .r0, .equal, 0, 0), to: submit)
        assembler.append(.store(.word, record, CapturingLayout.Field.captured, 0))
        assembler.place(submit)
        assembler.append(.move64(.r1, record))
        assembler.append(.move64(.r2, 0))
        assembler.append(.call(helper: HelperFunction.ringSubmit.rawValue))
        assembler.place(pass)
        appendPass(&assembler)
        assembler.place(lost)
        countLoss(thenGoTo: pass, &assembler)
        do { return try assembler.finish() } catch { preconditionFailure("no jump leads past a filter") }
    }

    /// What is left of the program where no packet matches.
    private func idleEntry(named name: String) -> Function {
        var assembler = Assembler(functionNamed: name)
        assembler.mark(line: 1)
        appendPass(&assembler)
        do { return try assembler.finish() } catch { preconditionFailure("there are no jumps") }
    }

    /// Lets the packet pass.
    private func appendPass(_ assembler: inout Assembler) {
        assembler.append(.move32(.r0, hook.untouched))
        assembler.append(.exit)
    }

    /// Goes to `pass` where the filter does not match; else `r0` is what it says, and the context is in `source`.
    private func ask(_ filter: FilterPart, orGoTo pass: Assembler.Label, _ assembler: inout Assembler) {
        guard isInlined else {
            assembler.append(.move64(source, .r1))
            assembler.append(.call(localAt: 0), .function(filter.program.entry.name))
            assembler.append(.jump64(if: .r0, .equal, 0, 0), to: pass)
            return
        }
        assembler.append(.store(.doubleword, .r10, slot(.context), .r1))
        let match = assembler.makeLabel()
        assembler.inline(filter, match: match, next: pass)
        assembler.place(match)
        assembler.append(.load(.doubleword, source, .r10, slot(.context)))
    }

    /// `record` = a record that the bytes to capture fit in.
    private func reserve(orGoTo lost: Assembler.Label, _ assembler: inout Assembler) {
        let reserve = assembler.makeLabel()
        if layout.hasParts { chooseRoomOfParts(thenGoTo: reserve, &assembler) }
        // The verifier follows each size by itself.
        for (index, room) in layout.roomSizes.enumerated() {
            assembler.append(.move64(.r2, Int32(layout.headerSize + room)))
            if index < layout.roomSizes.count - 1 {
                assembler.append(.jump64(if: captured, .lessOrEqual, Int32(room), 0), to: reserve)
            }
        }
        assembler.place(reserve)
        loadMap(CapturingLayout.ringName, &assembler)
        assembler.append(.move64(.r3, 0))
        assembler.append(.call(helper: HelperFunction.ringReserve.rawValue))
        assembler.append(.jump64(if: .r0, .equal, 0, 0), to: lost)
        assembler.append(.move64(record, .r0))
    }

    /// One packet more that the ring had no room for.
    private func countLoss(thenGoTo pass: Assembler.Label, _ assembler: inout Assembler) {
        assembler.append(.store(.word, .r10, slot(.key), 0))
        assembler.append(.move64(.r2, .r10))
        assembler.append(.alu64(.add, .r2, Int32(slot(.key))))
        loadMap(CapturingLayout.lossName, &assembler)
        assembler.append(.call(helper: HelperFunction.mapLookup.rawValue))
        assembler.append(.jump64(if: .r0, .equal, 0, 0), to: pass)
        assembler.append(.move64(.r1, 1))
        // Another packet may come in between on this processor.
        assembler.append(.atomic(.add, .doubleword, .r0, 0, .r1))
        assembler.append(.jump(0), to: pass)
    }

    /// `r1` = the map.
    private func loadMap(_ name: String, _ assembler: inout Assembler) {
        var wide = Instruction.loadWide(.r1, 0)
        wide.srcReg = .r1
        assembler.append(wide, .map(name))
    }

    /// What is kept on the stack, 8 bytes each.
    enum Slot: Int16 {
        case context = 1
        /// The address of the packet's first byte.
        case start
        /// How many of the packet's bytes are in one piece there.
        case linear
        /// How far in front of the kernel's `data` the packet begins.
        case shift
        /// Two of them: the kernel's `struct bpf_dynptr`.
        case dynptr = 6
        case linkLayer
        /// Where in the record the second part begins.
        case rest
        /// Why the packet was dropped; from when the context is no longer needed.
        static let dropReason = Slot.context
        /// The key of a map, when nothing else is needed any more.
        static let key = Slot.context
    }

    /// Where on the stack: below what the filter has of it, or where that has a stack of its own, in 64 bytes.
    func slot(_ slot: Slot) -> Int16 {
        -(isInlined ? Int16(FilterPart.stackSize) : 0) - 8 * slot.rawValue
    }
}

extension KernelVersion {
    /// Where programs are told international atomic time (`bpf_ktime_get_tai_ns`).
    static let atomicTime = KernelVersion(6, 1)
}
