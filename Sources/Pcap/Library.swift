import CPcap
import Synchronization

/// The libpcap that the process runs with.
public enum Library {
    /// The version as libpcap words it, as in `libpcap version 1.10.3 (with TPACKET_V3)`.
    public static var version: String { String(cString: pcap_lib_version()) }

    /// Held while libpcap compiles: its compiler kept state in globals before 1.8 and resolves names with functions
    /// that need not be safe to share.
    static let compiler = Mutex(())
}
