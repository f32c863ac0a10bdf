/* host 192.168.1.1 */
#include "addresses.h"

static inline int is_wanted(const u8 *behind)
{
    return LOAD32(behind - 4) == NETWORK32(0xc0a80101);
}
