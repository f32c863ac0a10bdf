/* icmp or udp */
#include "filter.h"

FILTER
{
    u32 type;

    /* IPv6 needs 21 bytes to match, IPv4 more. */
    packet += 21;
    KEEP(packet);
    if (packet > end)
        return 0;
    type = LOAD16(packet - 9);
    if (type == IPV4) {
        packet += 3;
        KEEP(packet);
        if (packet > end)
            return 0;
        return LOAD8(packet - 1) == 1 || LOAD8(packet - 1) == 17;
    }
    KEEP(type); /* IPv4 is asked for first. */
    if (type != IPV6)
        return 0;
    if (LOAD8(packet - 1) == 17)
        return 1;
    if (LOAD8(packet - 1) != 44)
        return 0;
    /* Behind a fragment header. */
    packet += 34;
    KEEP(packet);
    return packet <= end && LOAD8(packet - 1) == 17;
}
