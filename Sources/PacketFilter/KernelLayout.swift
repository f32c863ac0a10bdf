#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import BPFObject
    import ExtendedBPF
    import Synchronization

    /// Where the running kernel keeps the members of its structures and its functions.
    struct KernelLayout: Sendable {
        private let types: BTFReader

        /// The layout of the running kernel, read once.
        static func running() throws -> KernelLayout { try read.get() }

        private static let read = Result { KernelLayout(types: try BTFReader(RunningKernel.typeInformation())) }
        private static let callDistances = Result { try RunningKernel.callDistances(of: Translator.kernelSymbols) }

        /// The kernel's own form of a program as one function, every reference into the kernel replaced by this
        /// kernel's number.
        func resolve(_ program: ExtendedProgram) throws -> Function {
            var function = try resolvingTypes(of: program).linked()
            for (index, reference) in function.references {
                guard case .kernelSymbol(let name) = reference else {
                    throw Defect("the kernel's own form has a reference to \(reference)")
                }
                guard let distance = try Self.callDistances.get()[name] else {
                    throw Defect("\(name) was not looked up")
                }
                function.instructions[index].imm = distance
            }
            function.references = [:]
            return function
        }

        /// `program` with what its BTF tells filled in: kernel functions by number and members by distance.
        ///
        /// Other references stay as they are.
        /// - Throws: `BTFError` if this kernel has no such function or member.
        func resolvingTypes(of program: ExtendedProgram) throws -> ExtendedProgram {
            var program = program
            for index in program.functions.indices {
                for (place, reference) in program.functions[index].references where reference.isAboutTypes {
                    try resolve(reference, in: &program.functions[index].instructions[place])
                    program.functions[index].references[place] = nil
                }
            }
            return program
        }

        /// `program` as the running kernel takes it: ``resolvingTypes(of:)``, for which the kernel's types are read
        /// only if the program refers to them.
        static func loadable(_ program: ExtendedProgram) throws -> ExtendedProgram {
            let refers = program.functions.contains { $0.references.values.contains(where: \.isAboutTypes) }
            return refers ? try running().resolvingTypes(of: program) : program
        }

        /// The one argument of the hook's tracepoint or function that is a packet; nil where the running kernel has no
        /// such place, or does not tell its types.
        static func packetArgument(of hook: Hook) throws -> Int? {
            guard let types = try? running().types, let parameters = try parameters(of: hook, types) else { return nil }
            let packets = parameters.indices.filter { parameters[$0].pointee == "sk_buff" }
            guard packets.count == 1 else {
                throw PacketArgumentError(
                    hook: hook,
                    arguments: parameters.map { $0.name.isEmpty ? $0.type : $0.type.declaring($0.name) },
                    packets: packets)
            }
            return packets[0]
        }

        /// The argument of the hook's tracepoint that tells why a packet was dropped (Linux 5.17), or nil.
        static func dropReasonArgument(of hook: Hook) throws -> Int? {
            try parameters(of: hook, running().types)?.firstIndex { $0.type == "enum skb_drop_reason" }
        }

        /// The names of these reasons without what all have in front.
        static func dropReasons() throws -> [UInt32: String] {
            let prefix = "SKB_DROP_REASON_"
            return try running().types.enumerators(of: "skb_drop_reason").mapValues {
                $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0
            }
        }

        /// The arguments of the hook's tracepoint or function, nil where there is none of that name.
        private static func parameters(of hook: Hook, _ types: BTFReader) throws(BTFError) -> [BTFParameter]? {
            do throws(BTFError) {
                switch hook {
                case .tpBTF(let name), .rawTP(let name): return try types.parameters(ofTracepoint: name)
                case .fentry(let name), .kprobe(let name): return try types.parameters(ofFunction: name)
                default: return nil
                }
            } catch {
                guard case .noSuchType = error.reason else { throw error }
                return nil
            }
        }

        private func resolve(_ reference: Reference, in instruction: inout ExtendedInstruction) throws {
            let number = try number(for: reference)
            if instruction.opcode.instructionClass == .ldx {
                guard let offset = Int16(exactly: number) else {
                    throw Defect("\(reference) is \(number) bytes from the start, too far for a load")
                }
                instruction.offset = offset
            } else {
                // Numbers of types are below 2²⁰, distances below the size of a structure.
                instruction.imm = Int32(number)
            }
        }

        /// The number of a kernel function or the distance of a member in bytes; asked twice, it is looked up once.
        private func number(for reference: Reference) throws -> Int {
            if let known = Self.numbers.withLock({ $0[reference] }) { return known }
            let number: Int
            switch reference {
            case .kernelFunction(let name): number = Int(try types.typeID(of: .function, named: name).rawValue)
            case .kernelField(let structure, let member): number = try types.byteOffset(of: member, in: structure)
            case .kernelType(let name): number = Int(try types.typeID(of: .structure, named: name).rawValue)
            case .function, .map, .data, .kernelSymbol: throw Defect("\(reference) is no question of types")
            }
            Self.numbers.withLock { $0[reference] = number }
            return number
        }

        /// What was looked up; a lookup goes through all of the kernel's types.
        private static let numbers = Mutex<[Reference: Int]>([:])
    }

    extension String {
        /// The type with the name of what has it, as C puts them.
        fileprivate func declaring(_ name: String) -> String { hasSuffix("*") ? self + name : "\(self) \(name)" }
    }

    extension Reference {
        /// Whether the kernel's BTF resolves it.
        fileprivate var isAboutTypes: Bool {
            switch self {
            case .kernelFunction, .kernelField, .kernelType: true
            case .function, .map, .data, .kernelSymbol: false
            }
        }
    }
#endif
