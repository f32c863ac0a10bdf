import ExtendedBPF

/// One active function: its registers, its stack and where it goes on.
struct Frame {
    /// The function's place in the program.
    var function: Int
    /// The next instruction's slot.
    var slot: Int
    /// r0 to r9; nil where nothing was written.
    var registers: [UInt64?] = Array(repeating: nil, count: 10)
    /// The 512 bytes below r10, lowest address first; nil where nothing was written.
    var stack: [UInt8?] = Array(repeating: nil, count: ExtendedMachine.stackSize)
    /// The loop that the function is a round of, where a helper function has called it.
    var loop: CalledLoop?
}

/// The tables of a program as the host stores them, one behind the other.
struct Tables {
    let layout: DataLayout
    let bytes: [UInt8]

    init(_ layout: DataLayout, _ order: ByteOrder) {
        self.layout = layout
        bytes = layout.bytes(order)
    }
}

/// The state of a running program, and which part of the machine executes which instruction.
struct ExtendedState {
    let code: [Code]
    let packet: Packet
    let byteOrder: ByteOrder
    /// What a byte reads as that is nowhere, in memory where reading never traps.
    let strayByte: UInt8
    var context: Context
    /// The structures of the kernel, once the program has asked for them.
    var kernelMemory: KernelMemory?
    private let data: [DataTable]
    /// The program's tables, once it has asked for one.
    private(set) var tables: Tables?
    var frames: [Frame]
    /// The index of the instruction executed last, in its function.
    var lastInstruction = 0

    init(code: [Code], data: [DataTable], packet: Packet, context kind: ContextKind, machine: ExtendedMachine) {
        self.code = code
        self.data = data
        self.packet = packet
        byteOrder = machine.byteOrder
        strayByte = machine.strayByte
        context =
            switch kind {
            case .socketBuffer: .socketBuffer(SocketBuffer(packet, machine.byteOrder))
            case .xdp: .xdp(XDPBuffer(packet, machine.byteOrder))
            case .netfilter: .netfilter
            case .tracing: .tracing
            case .untypedTracing: .untypedTracing
            }
        if kind.hasKernelStructures { kernelMemory = KernelMemory(packet, machine.byteOrder) }
        frames = [Frame(function: 0, slot: 0)]
        frame.registers[1] = AddressSpace.context
    }

    /// The active function's frame.
    var frame: Frame {
        get { frames[frames.count - 1] }
        _modify { yield &frames[frames.count - 1] }
    }

    /// Executes `instruction` and returns `r0` if the program ends with it.
    mutating func step(
        _ instruction: Instruction, _ reference: Reference?
    ) throws(Trap.Reason) -> UInt64? {
        do { try instruction.validate() } catch { throw .invalidInstruction(error) }
        frame.slot += instruction.slots
        switch instruction.opcode.instructionClass {
        case .alu, .alu64: try arithmetic(instruction, reference)
        case .ldx: try load(instruction, reference)
        case .st, .stx: try store(instruction, reference)
        case .ld where instruction.isWide: try loadConstant(instruction, reference)
        case .ld: return try loadPacket(instruction)
        case .jmp where instruction.opcode == .call: try call(instruction, reference)
        case .jmp where instruction.opcode == .exit: return try exit()
        case .jmp, .jmp32: try jump(instruction)
        }
        return nil
    }

    /// The address of a byte of a table, or nil if there is none of that name.
    mutating func address(ofTable name: String, plus offset: Int) -> UInt64? {
        if tables == nil { tables = Tables(DataLayout(of: data), byteOrder) }
        return tables!.layout.offset(of: name).map {
            AddressSpace.tables &+ UInt64(bitPattern: Int64($0 + offset))
        }
    }

    /// The value of `register`.
    func read(_ register: Register) throws(Trap.Reason) -> UInt64 {
        if register == .r10 { return AddressSpace.stack(of: frames.count - 1) + UInt64(ExtendedMachine.stackSize) }
        guard let value = frame.registers[Int(register.rawValue)] else { throw .unreadableRegister(register) }
        return value
    }

    /// Puts `value` into `register`.
    mutating func write(_ register: Register, _ value: UInt64) throws(Trap.Reason) {
        if register == .r10 { throw .readOnlyRegister(register) }
        frame.registers[Int(register.rawValue)] = value
    }

    /// Makes `r1` to `r5` unreadable, as every call does.
    mutating func destroyArguments() {
        for number in 1...5 { frame.registers[number] = nil }
    }

    /// The second operand of arithmetic and of comparisons; a constant is sign-extended.
    func secondOperand(of instruction: Instruction) throws(Trap.Reason) -> UInt64 {
        switch instruction.opcode.operand {
        case .immediate: UInt64(bitPattern: Int64(instruction.imm))
        case .register: try read(instruction.srcReg)
        }
    }
}
