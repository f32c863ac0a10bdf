/// Where each kind of memory lies. The bases are far apart, so that no offset leads from one into another.
enum AddressSpace {
    static let context: UInt64 = 0x1000_0000_0000
    static let packet: UInt64 = 0x2000_0000_0000
    private static let stacks: UInt64 = 0x3000_0000_0000
    private static let stackDistance: UInt64 = 0x1_0000_0000

    /// Where the stack of the frame with that number begins, its lowest address.
    static func stack(of frame: Int) -> UInt64 { stacks + UInt64(frame) * stackDistance }

    /// The first byte of the packet's headroom as the kernel itself addresses it, `skb->head`.
    ///
    /// Programs get at it as untrusted memory only.
    static let kernelPacket: UInt64 = 0x4000_0000_0000

    /// The structures of the kernel that are modelled.
    static func structure(_ structure: KernelStructure) -> UInt64 {
        switch structure {
        // No half of it is 0: a pointer that is taken for a number is not to look like 0.
        case .socketBuffer: 0x5000_0001_0000
        case .networkDevice: 0x6000_0001_0000
        }
    }

    /// The first byte of the program's tables.
    static let tables: UInt64 = 0x7000_0000_0000

    private static let functions: UInt64 = 0x8000_0000_0000

    /// The address of what starts at a slot of the function with that number. There is nothing to read.
    static func code(of function: Int, at slot: Int) -> UInt64 { functions + UInt64(function) << 32 + UInt64(slot) }

    /// The function and the slot of it that an address is, whether or not there are such.
    static func code(at address: UInt64) -> (function: Int, slot: Int)? {
        guard address >= functions, address < functions + 0x1000_0000_0000 else { return nil }
        return (Int((address - functions) >> 32), Int(UInt32(truncatingIfNeeded: address)))
    }

    /// The bit that marks an address of read-only memory that nobody has vouched for. Reading there never traps.
    ///
    /// The kernel's verifier keeps that mark beside the pointer. Here it is in the number, so such a pointer does not
    /// equal the one it was made from; only a program that compares the two can tell.
    static let untrusted: UInt64 = 1 << 62

    /// The bit that marks an address of which the verifier only knows that it is a number. No load goes through it.
    static let unknown: UInt64 = 1 << 61

    /// Addresses below this belong to no memory: a null pointer and what an offset makes of one.
    static let nullLimit: UInt64 = 0x1000_0000_0000
}

/// Bytes in one of the memories.
struct Location {
    enum Memory {
        case context
        case packet
        /// The stack of the frame with that number.
        case stack(Int)
        case structure(KernelStructure)
        case tables

        var region: Trap.Region {
            switch self {
            case .context: .context
            case .packet: .packet
            case .stack: .stack
            case .structure: .structure
            case .tables: .tables
            }
        }
    }

    var memory: Memory
    /// The distance of the first byte from the memory's begin.
    var offset: Int
    var count: Int

    var range: Range<Int> { offset..<offset + count }
}
