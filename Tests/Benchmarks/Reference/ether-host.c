/* ether host 00:11:22:33:44:55 */
#include "filter.h"

FILTER
{
    packet += 12;
    KEEP(packet);
    if (packet > end)
        return 0;
    if (LOAD32(packet - 4) == NETWORK32(0x22334455) && LOAD16(packet - 6) == NETWORK16(0x0011))
        return 1;
    if (LOAD32(packet - 10) == NETWORK32(0x22334455) && LOAD16(packet - 12) == NETWORK16(0x0011))
        return 1;
    return 0;
}
