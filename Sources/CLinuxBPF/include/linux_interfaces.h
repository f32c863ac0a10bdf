// Network interfaces, and packet sockets at them, with plain arguments.
//
// Every function returns 0 or more when it worked and a negative errno when not. Away from Linux every one returns
// -ENOSYS.

#ifndef LINUX_INTERFACES_H
#define LINUX_INTERFACES_H

#include <stdint.h>

/// What the kernel tells of an interface.
struct linux_interface {
    uint32_t index;
    uint16_t hardware_type; // ARPHRD_…
    uint16_t flags;         // IFF_…
};

/// Tells of the interface called `name` in the caller's network namespace.
int linux_interface_get(const char *name, struct linux_interface *interface);

/// Lists the indices of the interfaces of the caller's network namespace: `room` at most are written. Returns how many
/// there are.
int linux_interfaces_list(uint32_t *indices, uint32_t room);

/// Opens a packet socket that sees whole frames, which come once it is bound. Returns its descriptor.
int linux_packet_socket_open(void);

/// Keeps from a packet socket what goes out (PACKET_IGNORE_OUTGOING; Linux 4.20).
int linux_packet_socket_ignore_outgoing(int socket);

/// Binds a packet socket to the interface with that index: packets of all protocols come in and out there.
int linux_packet_socket_bind(int socket, uint32_t interface);

#endif
