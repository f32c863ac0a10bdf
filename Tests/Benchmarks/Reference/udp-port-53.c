/* udp port 53 */
#define ONE_PROTOCOL 17
#include "ports.h"

static inline int has_ports(u32 protocol) { return protocol == ONE_PROTOCOL; }

static inline int is_wanted(u32 port) { return port == NETWORK16(53); }
