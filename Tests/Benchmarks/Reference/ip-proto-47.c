/* ip proto 47 */
#include "filter.h"

FILTER
{
    packet += 24;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 12) != IPV4 || LOAD8(packet - 1) != 47)
        return 0;
    return 1;
}
