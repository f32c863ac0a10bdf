/* port 8000 or port 8001 or port 8002 or port 8003 or port 8004 or port 8005 or port 8006 or port 8007 or port 8008 or port 8009 or port 8010 or port 8011 or port 8012 or port 8013 or port 8014 or port 8015 */
#include "ports.h"

static inline int has_ports(u32 protocol) { return protocol == 6 || protocol == 17 || protocol == 132; }

/* Consecutive ones are a range. */
static inline int is_wanted(u32 port) { return (u32)__builtin_bswap16(port) - 8000 < 16; }
