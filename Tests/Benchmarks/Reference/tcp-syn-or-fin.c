/* tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 192.168.0.0/16 */
#include "filter.h"

FILTER
{
    const u8 *flags;
    u32 header;

    packet += 30;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 18) != IPV4)
        return 0;
    /* Neither a later fragment nor another protocol than TCP: two fields with the time to live between them. */
    if ((LOAD32(packet - 10) & NETWORK32(0x1fff00ff)) != NETWORK32(6))
        return 0;
    header = (LOAD8(packet - 16) & 15) << 2;
    flags = packet + header;
    flags -= 2;
    KEEP(flags);
    if (flags > end || !(LOAD8(flags - 1) & 3))
        return 0;
    if (LOAD16(packet - 4) != NETWORK16(0xc0a8))
        return 1;
    packet += 4;
    KEEP(packet);
    if (packet > end || LOAD16(packet - 4) == NETWORK16(0xc0a8))
        return 0;
    return 1;
}
