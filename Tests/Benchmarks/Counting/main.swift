// Compares one program that counts for 16 filters, or others, with the sum of what they cost each, by test runs at XDP
// and tc.
//
//     measure-counting [EXPRESSION…]
//
// Prints Markdown. Needs root.

#if os(Linux)
    import Foundation
    import PacketFilter

    let usual = [
        "tcp", "udp", "icmp", "arp", "ip6", "tcp port 80", "tcp port 443", "udp port 53", "host 10.0.0.1",
        "net 192.168.0.0/16", "tcp[tcpflags] & tcp-syn != 0", "ip proto 47", "portrange 1000-2000", "greater 100",
        "ether host 00:11:22:33:44:55", "icmp or udp",
    ]
    let expressions = CommandLine.arguments.count > 1 ? Array(CommandLine.arguments.dropFirst()) : usual
    print(
        """
        The time of the program that counts is that over an empty one. A filter's own time is the slope between \
        \(CountingTimes.copies.many) and \(CountingTimes.copies.few) copies of it in one program; "alone" is that of one \
        copy over an empty program, of which much is hidden behind what the kernel does for a run. Times are in \
        nanoseconds, medians of \(CountingTimes.rounds) samples ± half the distance between the quartiles.

        | hook | frame | matches | \(expressions.count) counted | sum of own | ratio | sum alone | misses |
        |---|---|---|---|---|---|---|---|
        """)
    do {
        for hook in [Hook.xdp, .tc] {
            for line in try CountingTimes.lines(of: expressions, at: hook) { print(line) }
        }
    } catch {
        FileHandle.standardError.write(Data("measure-counting: \(error)\n".utf8))
        exit(1)
    }
#else
    print("measure-counting: there are programs to measure on Linux only")
#endif
