/* greater 100 */
#include "filter.h"

FILTER
{
#ifdef HOOK_TC
    /* The whole packet's length, whatever part of it is linear. */
    return context->len >= 100;
#else
    return packet + 100 <= end;
#endif
}
