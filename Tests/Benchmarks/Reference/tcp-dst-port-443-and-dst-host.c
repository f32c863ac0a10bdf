/* tcp dst port 443 and dst host 10.0.0.1 */
#include "filter.h"

FILTER
{
    u32 header;

    packet += 34;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 22) != IPV4)
        return 0;
    /* Neither a later fragment nor another protocol than TCP: two fields with the time to live between them. */
    if ((LOAD32(packet - 14) & NETWORK32(0x1fff00ff)) != NETWORK32(6))
        return 0;
    if (LOAD32(packet - 4) != NETWORK32(0x0a000001))
        return 0;
    header = (LOAD8(packet - 20) & 15) << 2;
    packet += header;
    packet -= 16;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 2) != NETWORK16(443))
        return 0;
    return 1;
}
