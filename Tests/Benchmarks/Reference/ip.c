/* ip */
#include "filter.h"

FILTER
{
    packet += 14;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 2) != IPV4)
        return 0;
    return 1;
}
