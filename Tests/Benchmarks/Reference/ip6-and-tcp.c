/* ip6 and tcp */
#include "filter.h"

FILTER
{
    packet += 21;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 9) != IPV6)
        return 0;
    if (LOAD8(packet - 1) == 6)
        return 1;
    if (LOAD8(packet - 1) != 44)
        return 0;
    /* Behind a fragment header. */
    packet += 34;
    KEEP(packet);
    return packet <= end && LOAD8(packet - 1) == 6;
}
