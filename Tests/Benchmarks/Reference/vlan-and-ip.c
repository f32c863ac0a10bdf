/* vlan and ip */
#include "filter.h"

FILTER
{
    u32 type;

    packet += 18;
    KEEP(packet);
    /* Few packets have IPv4's type here without a tag before it. */
    if (packet > end || LOAD16(packet - 2) != IPV4)
        return 0;
    type = LOAD16(packet - 6);
    if (type == NETWORK16(0x8100) || type == NETWORK16(0x88a8) || type == NETWORK16(0x9100))
        return 1;
    return 0;
}
