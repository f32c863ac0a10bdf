#!/usr/bin/env python3
"""Writes the reference filter for a list of hosts, or with --expression the expression it is for.

    lists.py [--expression] COUNT

The hosts lie scattered in 10.0.0.0/8, the same ones each time.
"""
import sys

BODY = """
/*
 * A source is looked for as a destination is, and the addresses of ARP and RARP as those of IPv4: two searches in all,
 * each written out once. What differs is how far they are apart, which costs one instruction.
 */
static inline __attribute__((always_inline)) int is_wanted(u32 address)
{
    switch (address) {
%s
        return 1;
    default:
        return 0;
    }
}

FILTER
{
    u64 distance = 4;
    u32 type;

    packet += 30;
    KEEP(packet);
    if (packet > end)
        return 0;
    type = LOAD16(packet - 18);
    if (type != IPV4) {
        KEEP(type); /* IPv4 is asked for first. */
        if (type != ARP && type != RARP)
            return 0;
        packet += 2;
        KEEP(packet);
        if (packet > end)
            return 0;
        distance = 10;
    }
    KEEP(distance);
    KEEP(packet);
    if (is_wanted(LOAD32(packet - 4)))
        return 1;
    packet += distance;
    KEEP(packet);
    return packet <= end && is_wanted(LOAD32(packet - 4));
}
"""


def hosts(count):
    """The first `count` of a sequence without repetitions: an odd factor times a counter."""
    numbers = [10 << 24 | (number * 0x9E3779 + 0x5851F4) & 0xFFFFFF for number in range(count)]
    return [".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0)) for number in numbers]


def main(arguments):
    if arguments and arguments[0] == "--expression":
        print(" or ".join("host " + host for host in hosts(int(arguments[1]))))
        return
    count = int(arguments[0])
    number = lambda host: "0x" + "".join(f"{int(part):02x}" for part in host.split("."))
    cases = "\n".join(f"    case NETWORK32({number(host)}): /* {host} */" for host in hosts(count))
    print(f"/* {count} hosts or-ed, made by lists.py */\n#include \"filter.h\"")
    print(BODY % cases, end="")


main(sys.argv[1:])
