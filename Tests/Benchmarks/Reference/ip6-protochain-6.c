/* ip6 protochain 6 */
#include "filter.h"

/* How many headers are looked at; what is behind more of them does not match. */
#define HEADERS 40

FILTER
{
    u32 protocol, position = 40;

    if (packet + 21 > end || LOAD16(packet + 12) != IPV6)
        return 0;
    protocol = LOAD8(packet + 20);
#pragma clang loop unroll(disable)
    for (u32 count = 0; count < HEADERS; count++) {
        const u8 *header;

        if (protocol == 6)
            return 1;
        if (protocol != 0 && protocol != 60 && protocol != 43 && protocol != 44 && protocol != 51)
            return 0;
        /* Beyond what a packet pointer may be moved by, and what fits a buffer. */
        if (position > 0x3fff)
            return 0;
        header = packet + position + 16;
        KEEP(header);
        if (header > end)
            return 0;
        /* libpcap counts behind an authentication header from the start of the packet. */
        if (protocol == 51)
            position = (LOAD8(header - 1) + 2) * 4;
        else
            position += (LOAD8(header - 1) + 1) * 8;
        protocol = LOAD8(header - 2);
    }
    return 0;
}
