import ExtendedBPF

/// Makes one program of several filters that counts, for each, the packets that match and their bytes.
///
/// The entry asks one filter after the other, adds to the counts of those that match, and returns what lets the packet
/// pass. A filter is part of the entry or, where it consists of several functions, called by it.
public struct CountingProgram {
    private let hook: Hook
    private let options: CompilerOptions
    private let layout: CountingLayout
    /// Whether filters are in the entry itself and not called: calls and returns cost more than most filters do.
    private let isInlined: Bool

    /// The register with the pointer to the counts of this processor.
    private let counts = Register.r7
    /// The register with the packet's length.
    private let length = Register.r8
    /// The register with the pointer to the times of the last matches.
    private let times = Register.r9
    private let context = Register.r6

    /// Joins `filters` to one program.
    ///
    /// Line marks are those of the filters, counted on from filter to filter.
    ///
    /// - Parameters:
    ///   - filters: The filters, compiled for `hook`, up to ``CountingLayout/maximumFilterCount(with:)``.
    ///   - hook: The hook.
    ///   - name: The name of the program, a C identifier.
    ///   - lineCounts: How many source lines each filter has.
    ///   - histogram: What to keep besides, if anything.
    ///   - options: What the filters were compiled with.
    /// - Throws: ``CompilerError`` where the packet's length cannot be found on the hook.
    public static func join(
        _ filters: [FilterPart], on hook: Hook, named name: String = "count", lineCounts: [Int],
        histogram: Histogram? = nil, options: CompilerOptions
    ) throws(CompilerError) -> ExtendedBPF.Program {
        precondition(filters.count <= CountingLayout.maximumFilterCount(with: histogram), "too many filters")
        let joining = CountingProgram(
            hook: hook, options: options,
            layout: CountingLayout(filterCount: filters.count, histogram: histogram),
            isInlined: filters.allSatisfy(\.isInlinable))
        var parts: [FilterPart] = []
        var line = 0
        for (number, (filter, count)) in zip(filters, lineCounts).enumerated() {
            parts.append(filter.renamed("\(name)_\(number + 1)").countingLines(from: line + 1))
            line += count
        }
        let entry = try joining.entry(named: name, of: parts)
        // The verifier takes no function that nobody calls.
        let asked = parts.filter(\.canMatch)
        let called = joining.isInlined ? [] : asked.flatMap(\.program.functions)
        let rest = histogram == nil || asked.isEmpty ? [] : [Self.rangeFunction(named: rangeFunction(of: name))]
        return ExtendedBPF.Program(
            functions: [entry] + called + rest, data: asked.flatMap(\.program.data), maps: joining.layout.maps
        ).withoutRepeatedTables
    }

    private static func rangeFunction(of name: String) -> String { "\(name)_range" }

    private func entry(named name: String, of filters: [FilterPart]) throws(CompilerError) -> Function {
        var assembler = Assembler(functionNamed: name)
        assembler.mark(line: 1)
        assembler.append(.move64(context, .r1))
        try loadLength(&assembler)
        lookUp(CountingLayout.mapName, into: counts, &assembler)
        if layout.histogram == .interarrival { lookUp(CountingLayout.timesName, into: times, &assembler) }
        if isInlined {
            for register in kept { assembler.append(.store(.doubleword, .r10, slot(of: register), register)) }
        }
        // What never matches has a count that stays 0.
        for (number, filter) in filters.enumerated() where filter.canMatch {
            let next = assembler.makeLabel()
            ask(filter, orGoTo: next, &assembler)
            if isInlined {
                for register in kept.dropFirst() {
                    assembler.append(.load(.doubleword, register, .r10, slot(of: register)))
                }
            }
            let place = layout.place(of: number)
            assembler.append(.move64(.r1, 1))
            add(.r1, to: place, &assembler)
            add(length, to: place + 8, &assembler)
            appendHistogram(of: number, Self.rangeFunction(of: name), skippingTo: next, &assembler)
            assembler.place(next)
        }
        leave(&assembler)
        do { return try assembler.finish() } catch { preconditionFailure("no jump leads past a filter") }
    }

    /// Goes to `next` where the filter does not match.
    private func ask(_ filter: FilterPart, orGoTo next: Assembler.Label, _ assembler: inout Assembler) {
        guard isInlined else {
            assembler.append(.move64(.r1, context))
            assembler.append(.call(localAt: 0), .function(filter.program.entry.name))
            assembler.append(.jump64(if: .r0, .equal, 0, 0), to: next)
            return
        }
        assembler.append(.load(.doubleword, .r1, .r10, slot(of: context)))
        let match = assembler.makeLabel()
        assembler.inline(filter, match: match, next: next)
        assembler.place(match)
    }

    /// What is needed behind the first filter, the context first.
    private var kept: [Register] { [context, counts, length] + (layout.histogram == .interarrival ? [times] : []) }

    /// Where a register is kept meanwhile: below what filters have of the stack.
    private func slot(of register: Register) -> Int16 {
        -Int16(FilterPart.stackSize) - 8 * (1 + Int16(register.rawValue - context.rawValue))
    }

    /// Lets the packet pass.
    private func leave(_ assembler: inout Assembler) {
        assembler.append(.move32(.r0, hook.untouched))
        assembler.append(.exit)
    }

    /// `pointer = &map[0]`
    private func lookUp(
        _ map: String, into pointer: Register, _ assembler: inout Assembler
    ) {
        assembler.append(.store(.word, .r10, -4, 0))
        assembler.append(.move64(.r2, .r10))
        assembler.append(.alu64(.add, .r2, -4))
        var wide = Instruction.loadWide(.r1, 0)
        wide.srcReg = .r1
        assembler.append(wide, .map(map))
        assembler.append(.call(helper: HelperFunction.mapLookup.rawValue))
        assembler.append(.jump64(if: .r0, .notEqual, 0, 2))
        leave(&assembler)
        assembler.append(.move64(pointer, .r0))
    }

    /// `*(u64 *)(counts + place) += number`, the register of which may be changed.
    ///
    /// Where the kernel keeps other packets of this processor from coming in between, that takes no lock.
    private func add(_ number: Register, to place: Int16, at pointer: Register? = nil, _ assembler: inout Assembler) {
        let pointer = pointer ?? counts
        if hook.canInterruptItself {
            assembler.append(.atomic(.add, .doubleword, pointer, place, number))
        } else {
            assembler.append(.load(.doubleword, .r2, pointer, place))
            assembler.append(.alu64(.add, .r2, number))
            assembler.append(.store(.doubleword, pointer, place, .r2))
        }
    }

    private func appendHistogram(
        of filter: Int, _ rangeFunction: String, skippingTo next: Assembler.Label, _ assembler: inout Assembler
    ) {
        switch layout.histogram {
        case nil: return
        case .length: assembler.append(.move64(.r1, length))
        case .interarrival: loadInterval(of: filter, orGoTo: next, &assembler)
        }
        assembler.append(.call(localAt: 0), .function(rangeFunction))
        assembler.append(.alu64(.and, .r0, Int32(Histogram.rangeCount - 1)))
        assembler.append(.alu64(.shiftLeft, .r0, 3))
        assembler.append(.move64(.r3, counts))
        assembler.append(.alu64(.add, .r3, .r0))
        assembler.append(.move64(.r1, 1))
        add(.r1, to: layout.place(of: filter) + 16, at: .r3, &assembler)
    }

    /// `r1` = the time since the last match; the first one has none. Two processors may finish the other way round than
    /// they began, then it is 0.
    private func loadInterval(of filter: Int, orGoTo next: Assembler.Label, _ assembler: inout Assembler) {
        assembler.append(.call(helper: HelperFunction.monotonicTime.rawValue))
        assembler.append(.move64(.r1, .r0))
        assembler.append(.atomic(.exchange, .doubleword, times, Int16(filter * 8), .r1))
        assembler.append(.jump64(if: .r1, .equal, 0, 0), to: next)
        assembler.append(.alu64(.subtract, .r0, .r1))
        assembler.append(.move64(.r1, .r0))
        assembler.append(.jump64(if: .r1, .signedGreaterOrEqual, 0, 1))
        assembler.append(.move64(.r1, 0))
    }

    /// The function of `r1` that returns the number of its range: of a number's highest bit, 0 for 0.
    ///
    /// It has no branches, each of which the verifier would follow from every filter on: all bits below the highest one
    /// are set, and those that are set then counted, in pairs, in fours, in bytes, and all together.
    static func rangeFunction(named name: String) -> Function {
        var function = Function(name: name, lines: [LineMark(instruction: 0, line: 1)])
        function.instructions = [.alu64(.or, .r1, 1)]
        for bits in [1, 2, 4, 8, 16, 32] as [Int32] {
            function.instructions += [.move64(.r2, .r1), .alu64(.shiftRight, .r2, bits), .alu64(.or, .r1, .r2)]
        }
        function.instructions += [
            .loadWide(.r3, 0x5555_5555_5555_5555), .move64(.r2, .r1), .alu64(.shiftRight, .r2, 1),
            .alu64(.and, .r2, .r3), .alu64(.subtract, .r1, .r2),

            .loadWide(.r3, 0x3333_3333_3333_3333), .move64(.r2, .r1), .alu64(.shiftRight, .r2, 2),
            .alu64(.and, .r2, .r3), .alu64(.and, .r1, .r3), .alu64(.add, .r1, .r2),

            .loadWide(.r3, 0x0f0f_0f0f_0f0f_0f0f), .move64(.r2, .r1), .alu64(.shiftRight, .r2, 4),
            .alu64(.add, .r1, .r2), .alu64(.and, .r1, .r3),

            .loadWide(.r3, 0x0101_0101_0101_0101), .alu64(.multiply, .r1, .r3), .alu64(.shiftRight, .r1, 56),
            .move64(.r0, .r1), .alu64(.subtract, .r0, 1), .exit,
        ]
        return function
    }
}

extension CountingProgram {
    /// `length` = the packet's length in bytes.
    private func loadLength(_ assembler: inout Assembler) throws(CompilerError) {
        switch hook.context {
        case .socketBuffer: assembler.append(ContextField.len.load(into: length, from: context))
        case .xdp where hook.host == .xdpFrags:
            assembler.append(.call(helper: HelperFunction.xdpBufferLength.rawValue))
            assembler.append(.move64(length, .r0))
        case .xdp:
            assembler.append(.load(.word, length, context, XDPField.dataEnd))
            assembler.append(.load(.word, .r1, context, XDPField.data))
            assembler.append(.alu64(.subtract, length, .r1))
        case .netfilter:
            assembler.append(.load(.doubleword, .r1, context, Self.netfilterPacket))
            assembler.append(.load(.word, length, .r1, 0), Self.lengthMember)
        case .tracing: try loadTracedLength(&assembler)
        }
    }

    /// At some tracepoints there may be no packet.
    private func loadTracedLength(_ assembler: inout Assembler) throws(CompilerError) {
        guard let argument = options.socketBufferArgument ?? hook.usualSocketBufferArgument else {
            throw CompilerError(.unknownSocketBufferArgument(hook))
        }
        guard let place = hook.place(ofArgument: argument, on: options.architecture) else {
            throw CompilerError(.unreachableArgument(argument, hook))
        }
        assembler.append(.load(.doubleword, .r3, context, place))
        assembler.append(.jump64(if: .r3, .notEqual, 0, 2))
        leave(&assembler)
        if hook.hasTypedArguments {
            assembler.append(.load(.word, length, .r3, 0), Self.lengthMember)
            return
        }
        assembler.append(.alu64(.add, .r3, 0), Self.lengthMember)
        assembler.append(.move64(.r1, .r10))
        assembler.append(.alu64(.add, .r1, -8))
        assembler.append(.move32(.r2, 4))
        assembler.append(.call(helper: Selector.probeRead))
        assembler.append(.load(.word, length, .r10, -8))
    }

    /// Where a `struct bpf_nf_ctx` has the pointer to the packet's `struct sk_buff`.
    private static let netfilterPacket: Int16 = 8
    private static let lengthMember = Reference.kernelField(structure: "sk_buff", member: "len")
}

extension Hook {
    /// What a program returns that only looks on: what lets a packet pass, and at tc what leaves it to the filters behind.
    public var untouched: UInt32 { host == .tc ? TCVerdict.unspec.value : verdicts.first?.value ?? 0 }

    /// Whether a packet can come in between while a program looks at another one on the same processor.
    ///
    /// At a device the kernel keeps others away meanwhile; who sends from a process can be interrupted by what comes in,
    /// and tracepoints are everywhere.
    fileprivate var canInterruptItself: Bool {
        switch host {
        case .socket, .tc, .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer, .xdp, .xdpFrags: false
        default: true
        }
    }
}
