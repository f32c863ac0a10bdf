/// A set of the registers of a function that is made empty for block after block, at no cost.
struct RegisterSet {
    /// By register, the round in which it was added last.
    private var rounds: [Int]
    private var round = 1

    init(of function: MachineFunction) {
        rounds = Array(repeating: 0, count: function.registerCount)
    }

    mutating func removeAll() { round += 1 }

    func contains(_ register: MachineRegister) -> Bool { rounds[register.number] == round }

    /// Adds `register` and returns whether it was not there.
    @discardableResult
    mutating func insert(_ register: MachineRegister) -> Bool {
        defer { rounds[register.number] = round }
        return rounds[register.number] != round
    }

    mutating func insert(_ registers: some Sequence<MachineRegister>) {
        for register in registers { insert(register) }
    }

    mutating func remove(_ registers: some Sequence<MachineRegister>) {
        for register in registers { rounds[register.number] = 0 }
    }
}
