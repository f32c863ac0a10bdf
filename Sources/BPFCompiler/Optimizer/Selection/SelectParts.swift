import ClassicBPF
import ExtendedBPF

// Loads of numbers that do not lie at a multiple of their size where the packet has been copied to: the verifier wants
// that of loads from the stack.

extension Selector {
    /// What a load is made of.
    private struct Part {
        var size: Operation.Size
        /// In bytes from the first one of the number.
        var place: Int16

        static func parts(of size: Operation.Size, isEven: Bool) -> [Part] {
            switch (size, isEven) {
            case (.word, true): [Part(size: .half, place: 0), Part(size: .half, place: 2)]
            case (.word, false):
                [Part(size: .byte, place: 0), Part(size: .half, place: 1), Part(size: .byte, place: 3)]
            default: (0..<Int16(size.rawValue)).map { Part(size: .byte, place: $0) }
            }
        }
    }

    /// `result = *(size *)(pointer + distance)`, part by part.
    ///
    /// - Parameters:
    ///   - isEven: Whether the place is a multiple of 2.
    ///   - isRaw: Whether the number is wanted as a little-endian host reads it, or else as the packet's big-endian one.
    mutating func emitParts(
        _ size: Operation.Size, _ pointer: MachineRegister, _ distance: Int16, isEven: Bool, isRaw: Bool,
        into result: MachineRegister
    ) {
        for (number, part) in Part.parts(of: size, isEven: isEven).enumerated() {
            let register = number == 0 ? result : function.makeRegister()
            append(.load(part.size.machine, .r0, .r0, distance + part.place), dst: register, src: pointer)
            if !isRaw, part.size == .half { append(.bigEndian(.r0, bits: 16), dst: register) }
            let bytesBehind = Int16(size.rawValue) - part.place - Int16(part.size.rawValue)
            let shift = Int32(8 * (isRaw ? part.place : bytesBehind))
            if shift != 0 { append(.alu32(.shiftLeft, .r0, shift), dst: register) }
            if number > 0 { append(.alu32(.or, .r0, .r0), dst: result, src: register) }
        }
    }
}
