import ClassicBPF
import ExtendedBPF

// Whether a packet read through `struct sk_buff` reaches as far as a load; see SelectKernelBuffer.swift.

extension Selector {
    /// Makes sure that the packet reaches `end` behind the index of `window`, and finds a register to load through.
    mutating func emitKernelBufferCheck(of window: Graph.Window, upTo end: UInt32) {
        if isInPrefix(window) {
            emitPrefixCheck(upTo: end)
        } else {
            emitWindowCheck(of: window, upTo: end)
        }
    }

    /// All of the packet up to `end`, be it in the linear part or in a copy.
    mutating func emitPrefixCheck(upTo end: UInt32) {
        guard let cursor = cursors[.packetStart], cursor.end < end else { return }
        if !copies {
            let (isReadable, join, miss) = (isReadable(upTo: end), function.makeBlock(), missExit)
            self.end(with: .branch(isReadable, then: join, otherwise: miss))
            current = join
            cursors[.packetStart] = Cursors.Cursor(register: data!, position: 0, end: end)
            return
        }
        let (copy, join) = (function.makeBlock(), function.makeBlock())
        self.end(with: .branch(isReadable(upTo: end), then: join, otherwise: copy))
        current = copy
        function.blocks[copy].isRare = true
        let prefix = ends.filter { $0.key.index == nil && $0.value <= prefixLimit }.map(\.value).max()!
        let place = kernelBuffer.prefixPlace ?? function.reserveStack(Int(prefix))
        kernelBuffer.prefixPlace = place
        emitCopyCall(from: (nil, 0), count: end, to: place)
        emitCast(ofStackAt: place, into: data!)
        append(.move32(.r0, end), dst: kernelBuffer.readable)
        setResult(graph.failure)
        self.end(with: .jump(join))
        current = join
        cursors[.packetStart] = Cursors.Cursor(register: data!, position: 0, end: end)
    }

    func isReadable(upTo end: UInt32) -> MachineCondition {
        MachineCondition(
            comparison: .greater, is64: !options.isa.hasJump32, left: kernelBuffer.readable!,
            right: .constant(Int32(end - 1)))
    }

    /// What is behind an index or far from the start, through a register of its own.
    mutating func emitWindowCheck(of window: Graph.Window, upTo end: UInt32) {
        let register = pointerRegister(of: window)
        // Loads reach 32,767 bytes from their register.
        let position = end <= Int16.max ? 0 : window.start
        let (copy, join) = (copies ? function.makeBlock() : missExit, function.makeBlock())
        if end < farthestLinear {
            if let index = window.index {
                // A sum of 64 bits: two numbers of 32 do not exceed it.
                let reach = function.makeRegister()
                append(.move64(.r0, .r0), dst: reach, src: operand(index))
                append(.alu64(.add, .r0, Int32(end)), dst: reach)
                jump(
                    to: copy,
                    if: MachineCondition(
                        comparison: .greater, is64: true, left: reach, right: .register(kernelBuffer.readable!)))
                // The verifier takes the sum for a pointer only if it began as one.
                append(.move64(.r0, .r0), dst: register, src: data)
                append(.alu64(.add, .r0, .r0), dst: register, src: operand(index))
            } else {
                let linear = function.makeBlock()
                self.end(with: .branch(isReadable(upTo: end), then: linear, otherwise: copy))
                current = linear
                append(.move64(.r0, .r0), dst: register, src: data)
            }
            if position != 0 { append(.alu64(.add, .r0, Int32(position)), dst: register) }
            self.end(with: .jump(join))
        } else {
            self.end(with: .jump(copy))
        }
        cursors[window] = Cursors.Cursor(register: register, position: Int(position), end: end)
        if !copies {
            isAbandoned = end >= farthestLinear
            current = join
            return
        }
        current = copy
        function.blocks[copy].isRare = true
        let place = places[window] - kernelBuffer.stackSize
        emitCopyCall(from: (window.index, window.start), count: end - window.start, to: place)
        emitCast(ofStackAt: place + Int(position) - Int(window.start), into: register)
        setResult(graph.failure)
        self.end(with: .jump(join))
        current = join
    }

    mutating func emitCast(ofStackAt place: Int, into result: MachineRegister) {
        emitStackAddress(place, into: MachineRegister(.r1))
        emitCast(into: result)
    }
}
