/* arp */
#include "filter.h"

FILTER
{
    packet += 14;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 2) != ARP)
        return 0;
    return 1;
}
