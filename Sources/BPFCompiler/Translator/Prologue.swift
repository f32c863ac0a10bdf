import ClassicBPF
import ExtendedBPF

extension Translation {
    /// The start of the packet's linear part, in the kernel dialect.
    var data: Register { .r8 }
    /// The length of the packet's linear part, in the kernel dialect.
    var headLength: Register { .r9 }

    /// `A = 0; X = 0`, the context is saved from calls, and what packet loads need is fetched once.
    mutating func emitPrologue() {
        guard dialect == .kernel else {
            assembler.append(.move32(a, 0))
            assembler.append(.move32(x, 0))
            assembler.append(.move64(context, .r1))
            return
        }
        assembler.append(.alu32(.xor, a, a))
        assembler.append(.alu32(.xor, x, x))
        assembler.append(.move64(context, .r1))
        guard loadsFromPacket else { return }
        emitFieldLoad(.doubleword, data, context, "sk_buff", "data")
        emitFieldLoad(.word, headLength, context, "sk_buff", "len")
        emitFieldLoad(.word, temporary, context, "sk_buff", "data_len")
        assembler.append(.alu32(.subtract, headLength, temporary))
    }

    /// `dst = *(size *)(src + member's offset)`, in the kernel dialect.
    mutating func emitFieldLoad(
        _ size: ExtendedBPF.Size, _ dst: Register, _ src: Register, _ structure: String, _ member: String
    ) {
        assembler.append(.load(size, dst, src, 0), .kernelField(structure: structure, member: member))
    }

    private var loadsFromPacket: Bool {
        (0..<filter.count).contains { index in
            switch filter.operation(at: index) {
            case .load(.absolute), .load(.indirect), .loadIndex(.headerLength): true
            default: false
            }
        }
    }
}
