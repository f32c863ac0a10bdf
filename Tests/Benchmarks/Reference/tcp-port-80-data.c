/* tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0) */
#include "filter.h"

FILTER
{
    u32 header, total;

    packet += 24;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 12) != IPV4)
        return 0;
    /* Neither a later fragment nor another protocol than TCP: two fields with the time to live between them. */
    if ((LOAD32(packet - 4) & NETWORK32(0x1fff00ff)) != NETWORK32(6))
        return 0;
    header = (LOAD8(packet - 10) & 15) << 2;
    total = __builtin_bswap16(LOAD16(packet - 8));
    packet += header;
    /* All that match have the byte with the length of the TCP header. */
    packet += 3;
    KEEP(packet);
    if (packet > end)
        return 0;
    if (LOAD16(packet - 13) != NETWORK16(80) && LOAD16(packet - 11) != NETWORK16(80))
        return 0;
    return total - header != (u32)(LOAD8(packet - 1) & 0xf0) >> 2;
}
