/// The constants by which C programs write classic instructions.
///
/// Source: `<linux/bpf_common.h>` and `<linux/filter.h>`; the signed ones are given as the 32 bits that k has of them.
enum CConstants {
    static func value(of name: ArraySlice<UInt8>) -> UInt32? {
        guard name.count <= longestName else { return nil }
        return values[Array(name)]
    }

    private static let values = Dictionary(uniqueKeysWithValues: list.map { (Array($0.utf8), $1) })
    private static let longestName = list.map(\.key.utf8.count).max()!

    private static let list: KeyValuePairs<String, UInt32> = [
        // Classes.
        "BPF_LD": 0x00, "BPF_LDX": 0x01, "BPF_ST": 0x02, "BPF_STX": 0x03, "BPF_ALU": 0x04, "BPF_JMP": 0x05,
        "BPF_RET": 0x06, "BPF_MISC": 0x07,
        // Sizes and modes of loads.
        "BPF_W": 0x00, "BPF_H": 0x08, "BPF_B": 0x10,
        "BPF_IMM": 0x00, "BPF_ABS": 0x20, "BPF_IND": 0x40, "BPF_MEM": 0x60, "BPF_LEN": 0x80, "BPF_MSH": 0xa0,
        // Operators, jumps, operands.
        "BPF_ADD": 0x00, "BPF_SUB": 0x10, "BPF_MUL": 0x20, "BPF_DIV": 0x30, "BPF_OR": 0x40, "BPF_AND": 0x50,
        "BPF_LSH": 0x60, "BPF_RSH": 0x70, "BPF_NEG": 0x80, "BPF_MOD": 0x90, "BPF_XOR": 0xa0,
        "BPF_JA": 0x00, "BPF_JEQ": 0x10, "BPF_JGT": 0x20, "BPF_JGE": 0x30, "BPF_JSET": 0x40,
        "BPF_K": 0x00, "BPF_X": 0x08, "BPF_A": 0x10, "BPF_TAX": 0x00, "BPF_TXA": 0x80,
        // Limits.
        "BPF_MAXINSNS": 4096, "BPF_MEMWORDS": 16, "BPF_MAJOR_VERSION": 1, "BPF_MINOR_VERSION": 1,
        // Areas and extensions.
        "SKF_AD_OFF": 0xffff_f000, "SKF_NET_OFF": 0xfff0_0000, "SKF_LL_OFF": 0xffe0_0000,
        "BPF_NET_OFF": 0xfff0_0000, "BPF_LL_OFF": 0xffe0_0000,
        "SKF_AD_PROTOCOL": 0, "SKF_AD_PKTTYPE": 4, "SKF_AD_IFINDEX": 8, "SKF_AD_NLATTR": 12, "SKF_AD_NLATTR_NEST": 16,
        "SKF_AD_MARK": 20, "SKF_AD_QUEUE": 24, "SKF_AD_HATYPE": 28, "SKF_AD_RXHASH": 32, "SKF_AD_CPU": 36,
        "SKF_AD_ALU_XOR_X": 40, "SKF_AD_VLAN_TAG": 44, "SKF_AD_VLAN_TAG_PRESENT": 48, "SKF_AD_PAY_OFFSET": 52,
        "SKF_AD_RANDOM": 56, "SKF_AD_VLAN_TPID": 60, "SKF_AD_MAX": 64,
    ]
}
