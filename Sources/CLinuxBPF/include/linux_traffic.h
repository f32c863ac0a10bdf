// Programs at clsact, the place in traffic control that kernels before 6.6 have for them, with plain arguments.
//
// Every function returns 0 or more when it worked and a negative errno when not. Away from Linux every one returns
// -ENOSYS. Interfaces are those of the caller's network namespace.

#ifndef LINUX_TRAFFIC_H
#define LINUX_TRAFFIC_H

#include <stdint.h>

/// A filter of traffic control.
struct linux_traffic_filter {
    uint32_t priority;
    uint32_t handle;  // among those of the same priority; 0 stands for a priority that may have none
    uint32_t program; // its number; 0 where the filter is no eBPF program
    char kind[16];    // ends with NUL, as does the name
    char name[64];
};

/// Puts the queueing discipline clsact on an interface. -EEXIST where it has that or ingress already.
int linux_traffic_add_clsact(uint32_t interface);

/// Takes it away with all of its filters.
int linux_traffic_remove_clsact(uint32_t interface);

/// Copies the name of the queueing discipline at the place of clsact, which is 16 bytes long at most, its NUL included.
/// Returns 1 where there is one, else 0.
int linux_traffic_discipline(uint32_t interface, char *kind);

/// Adds a program that decides itself what becomes of a packet (direct-action). Its priority is the next free one where
/// `priority` is 0; `added` tells it.
int linux_traffic_add_filter(
    uint32_t interface, int is_egress, uint32_t priority, int program, const char *name,
    struct linux_traffic_filter *added);

/// Removes a filter.
int linux_traffic_remove_filter(uint32_t interface, int is_egress, uint32_t priority, uint32_t handle);

/// Lists the filters of one direction: `room` at most are written. Returns how many there are.
int linux_traffic_list(uint32_t interface, int is_egress, struct linux_traffic_filter *filters, uint32_t room);

#endif
