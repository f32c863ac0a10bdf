/* port 22 or port 25 or port 53 or port 80 or port 110 or port 143 or port 443 or port 465 or port 587 or port 993 or port 995 or port 3306 or port 5432 or port 6379 or port 8080 or port 8443 */
#include "ports.h"

static inline int has_ports(u32 protocol) { return protocol == 6 || protocol == 17 || protocol == 132; }

static inline int is_wanted(u32 port)
{
    switch (port) {
    case NETWORK16(22):
    case NETWORK16(25):
    case NETWORK16(53):
    case NETWORK16(80):
    case NETWORK16(110):
    case NETWORK16(143):
    case NETWORK16(443):
    case NETWORK16(465):
    case NETWORK16(587):
    case NETWORK16(993):
    case NETWORK16(995):
    case NETWORK16(3306):
    case NETWORK16(5432):
    case NETWORK16(6379):
    case NETWORK16(8080):
    case NETWORK16(8443):
        return 1;
    default:
        return 0;
    }
}
