/* portrange 1000-2000 */
#include "ports.h"

static inline int has_ports(u32 protocol) { return protocol == 6 || protocol == 17 || protocol == 132; }

static inline int is_wanted(u32 port) { return (u32)__builtin_bswap16(port) - 1000 <= 1000; }
