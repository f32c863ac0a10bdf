import ExtendedBPF

/// Reads eBPF programs in the pseudo-C that the kernel's verifier, bpftool and LLVM print, and ``ExtendedListing``.
///
/// The language is defined by `Grammar/ebpf-asm.abnf`.
public enum ExtendedText {
    /// Reads the instructions in `text`. Only numbers are checked against the fields that hold them.
    ///
    /// - Throws: Up to 20 errors, each at the first byte of its line that does not fit.
    /// - Complexity: O(*n* + *l* log *l*) in the length of the text and the number of labels.
    public static func read(_ text: [UInt8]) throws(AssemblyErrors) -> ExtendedSource {
        var reader = ExtendedReader(text)
        return try reader.read()
    }
}

/// An eBPF program as its text has it: the instructions of all functions one behind the other.
public struct ExtendedSource: Hashable, Sendable {
    /// A name in front of an instruction.
    public struct Label: Hashable, Sendable {
        /// The name.
        public var name: String
        /// The index of the instruction, or their number for a label behind the last.
        public var instruction: Int
        /// Whether the text says that a function begins here, by its declaration in C.
        public var isFunction: Bool
        /// Whether a jump leads here by this name.
        public var isJumpTarget = false
    }

    /// The instructions, jumps and calls by label resolved.
    public var instructions: [Instruction]
    /// By index of the instruction, what a loader is to fill in. Calls of functions in the text are none.
    public var references: [Int: Reference]
    /// By index of the instruction, the line it stands in, counted from 1.
    public var lines: [Int]
    /// The labels, in the order of the text.
    public var labels: [Label]
    /// The maps that the text declares.
    public var maps: [MapDeclaration] = []
    /// The tables that the text declares.
    public var tables: [DataTable] = []
}

extension ExtendedText {
    /// Whether the first line of `text` that is neither empty nor a comment, a label or a directive begins as an eBPF
    /// instruction does. Languages of classic programs have no such words.
    ///
    /// - Complexity: O(*n*) in the length of the text up to that line.
    public static func isLikely(_ text: [UInt8]) -> Bool {
        var reader = ExtendedReader(text)
        return reader.beginsInstruction()
    }
}
