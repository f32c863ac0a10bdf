/*
 * The source and the destination of IPv4, ARP and RARP packets, for `host` and `net`.
 */
#ifndef ADDRESSES_H
#define ADDRESSES_H

#include "filter.h"

/* Whether the four bytes before `behind` are an address that the filter looks for. */
static inline __attribute__((always_inline)) int is_wanted(const u8 *behind);

FILTER
{
    u32 type;

    /* All three need 30 bytes to match. */
    packet += 30;
    KEEP(packet);
    if (packet > end)
        return 0;
    type = LOAD16(packet - 18);
    if (type == IPV4) {
        if (is_wanted(packet))
            return 1;
        packet += 4;
    } else {
        KEEP(type); /* IPv4 is asked for first. */
        if (type != ARP && type != RARP)
            return 0;
        packet += 2;
        KEEP(packet);
        if (packet > end)
            return 0;
        if (is_wanted(packet))
            return 1;
        packet += 10;
    }
    KEEP(packet);
    return packet <= end && is_wanted(packet);
}

#endif
