import ClassicBPF
import TestSupport

extension Program {
    /// The program with a load of which nothing is read in front of another one: what is loaded further on for use is
    /// asked for there. The program itself where that cannot be.
    func withEarlyRead(using generator: inout SeededGenerator) -> Program {
        let loads = (0..<count).filter { index in
            if case .load(.absolute) = operation(at: index) { true } else { false }
        }
        // Jumps lead forward.
        guard rules.contains(.kernel), let place = loads.randomElement(using: &generator),
            let later = loads.filter({ $0 > place }).randomElement(using: &generator)
        else { return self }
        var instructions = instructions
        for index in 0..<place {
            switch operation(at: index) {
            case .jump(let distance) where index + 1 + Int(distance) > place: instructions[index].k += 1
            case .branch(_, _, let jt, let jf):
                if index + 1 + Int(jt) > place {
                    guard jt < .max else { return self }
                    instructions[index].jt += 1
                }
                if index + 1 + Int(jf) > place {
                    guard jf < .max else { return self }
                    instructions[index].jf += 1
                }
            default: break
            }
        }
        instructions.insert(instructions[later], at: place)
        return (try? Program(instructions)) ?? self
    }
}
