#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import ClassicBPF
    import ExtendedBPF
    import SystemPackage

    /// A program on a socket, there many times in one, so that the time of a run can be told from that of a send.
    ///
    /// The time of a run is the slope between many copies and a few: what happens once a packet cancels. Nothing removes
    /// copies: neither the kernel's converter nor its verifier or compiler looks for results that are not used.
    package final class SocketProgram {
        /// A filter in a form that a socket takes.
        package enum Form {
            case classic(ClassicProgram)
            /// Without references into the kernel that are yet to be looked up.
            case extended(ExtendedProgram)
        }

        /// How often a frame is sent for a sample, to each of the two numbers of copies.
        package static let sends = 5000
        /// How often in a row to one of them.
        private static let sendsInARow = 100
        /// How many copies one program has, if there is room: no more than caches are for.
        package static let mostCopies = 32

        private let form: Form
        /// The tables of a program, which all copies read.
        private var tables: MadeMaps?
        private let pair: DatagramPair
        /// A second one, so that both numbers of copies are there at the same time.
        private let otherPair: DatagramPair
        private var isSwapped = false
        /// The numbers of copies between which the slope is taken.
        package private(set) var copies: (few: Int, many: Int)

        /// Finds how many copies the kernel takes.
        ///
        /// - Throws: ``TimingGap`` where it does not even take one.
        package init(_ form: Form, on pairs: (DatagramPair, DatagramPair)) throws {
            self.form = form
            (pair, otherPair) = pairs
            copies = (0, Self.mostCopies)
            if case .classic(let program) = form {
                try RuleSet.kernel.validate(program.instructions)
                guard program.mostCopies > 0 else { throw TimingGap(.tooLong(instructions: program.count)) }
                copies.many = min(Self.mostCopies, program.mostCopies)
            }
            if case .extended(let program) = form {
                tables = try MadeMaps(of: program, except: [:], program.dataSections)
            }
            while true {
                do {
                    try attach(copies: copies.many, answer: 0)
                    break
                } catch let error as KernelError where copies.many > 1 && Self.isAboutSize(error) {
                    copies.many /= 2
                }
            }
            copies.few = copies.many / 4
        }

        /// Whether fewer copies may do: net.core.optmem_max bounds filters, and the verifier gives up on long programs,
        /// on those with very many jumps by EFAULT.
        private static func isAboutSize(_ error: KernelError) -> Bool {
            [.noMemory, .argListTooLong, .noSpace, .badAddress].contains(error.errno)
        }

        /// Checks that the filter decides as it should, and that the frame gets through all copies.
        ///
        /// - Throws: ``TimingGap`` where not.
        package func check(_ frame: [UInt8], matches: Bool) throws {
            try attach(copies: copies.many, answer: nil)
            guard try pair.passes(frame) == matches else { throw TimingGap(.otherAnswer) }
            try attach(copies: copies.many, answer: 1)
            guard try pair.passes(frame) else { throw TimingGap(.endsEarly) }
        }

        /// The time of one run of the filter on `frame`, in nanoseconds.
        ///
        /// Both numbers of copies get the frame by turns, so that what the machine does besides is there for both. What
        /// a send costs depends on where sockets and programs lie in memory, too: the sockets change roles from sample
        /// to sample, and programs are loaded anew, so that this luck is part of the spread.
        package func time(_ frame: [UInt8]) throws -> Double {
            let (first, second) = isSwapped ? (otherPair, pair) : (pair, otherPair)
            isSwapped.toggle()
            try attach(copies: copies.few, answer: 0, to: first)
            try attach(copies: copies.many, answer: 0, to: second)
            var (few, many) = (0.0, 0.0)
            // One turn ahead of those that count, so that nothing is cold.
            for turn in 0...Self.sends / Self.sendsInARow {
                let start = processorTime()
                try first.send(frame, times: Self.sendsInARow)
                let middle = processorTime()
                try second.send(frame, times: Self.sendsInARow)
                guard turn > 0 else { continue }
                few += middle - start
                many += processorTime() - middle
            }
            return (many - few) / Double(Self.sends * (copies.many - copies.few))
        }

        /// Puts so many copies of the filter on the socket.
        ///
        /// - Parameter answer: The result behind the last copy; nil leaves that copy its own.
        package func attach(copies: Int, answer: UInt32?) throws {
            try attach(copies: copies, answer: answer, to: pair)
        }

        private func attach(copies: Int, answer: UInt32?, to pair: DatagramPair) throws {
            // Two filters count together against net.core.optmem_max while one takes the other's place.
            try? SocketFilter.detach(from: pair.receiver)
            switch form {
            case .classic(let program):
                let bytes = try program.unrolled(copies, answer: answer).instructions.flatMap { $0.bytes(.host) }
                try SocketFilter.attach(classic: bytes, to: pair.receiver)
            case .extended(let program):
                guard let many = program.unrolled(copies, answer: answer) else { throw TimingGap(.notUnrollable) }
                var request = LoadRequest(many, type: .socketFilter)
                request.data = tables?.places ?? [:]
                let loaded = try LoadedProgram(loading: request)
                try SocketFilter.attach(loaded, to: pair.receiver)
            }
        }
    }

    extension CompiledProgram {
        /// The program with the running kernel's numbers for the types, functions and members it refers to.
        package func resolved() throws -> ExtendedProgram { try KernelLayout.loadable(program) }
    }
#endif
