/*
 * The ports of TCP, UDP and SCTP over IPv4 and IPv6, for `port` and `portrange`.
 */
#ifndef PORTS_H
#define PORTS_H

#include "filter.h"

/* Whether the filter looks at the ports of this protocol. */
static inline __attribute__((always_inline)) int has_ports(u32 protocol);
/* Whether it looks for this port, as it is loaded. */
static inline __attribute__((always_inline)) int is_wanted(u32 port);

FILTER
{
    u32 type;

    /* IPv4 needs 24 bytes to match, IPv6 more. */
    packet += 24;
    KEEP(packet);
    if (packet > end)
        return 0;
    type = LOAD16(packet - 12);
    if (type == IPV4) {
#ifdef ONE_PROTOCOL
        /* The protocol and the place of the fragment in one load; the time to live is between them. */
        if ((LOAD32(packet - 4) & NETWORK32(0x1fff00ff)) != NETWORK32(ONE_PROTOCOL))
            return 0;
#else
        if (!has_ports(LOAD8(packet - 1)) || LOAD16(packet - 4) & NETWORK16(0x1fff))
            return 0;
#endif
        packet += (LOAD8(packet - 10) & 15) << 2;
        packet -= 8;
    } else {
        KEEP(type); /* IPv4 is asked for first. */
        if (type != IPV6 || !has_ports(LOAD8(packet - 4)))
            return 0;
        packet += 32;
    }
    KEEP(packet);
    if (packet > end)
        return 0;
    if (is_wanted(LOAD16(packet - 2)))
        return 1;
    packet += 2;
    KEEP(packet);
    return packet <= end && is_wanted(LOAD16(packet - 2));
}

#endif
