/* net 10.0.0.0/8 */
#include "addresses.h"

static inline int is_wanted(const u8 *behind)
{
    return LOAD8(behind - 4) == 10;
}
