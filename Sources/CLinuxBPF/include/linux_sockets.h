// The filters of sockets that are there already, with plain arguments.
//
// Every function returns 0 or more when it worked and a negative errno when not. Away from Linux every one returns
// -ENOSYS.

#ifndef LINUX_SOCKETS_H
#define LINUX_SOCKETS_H

#include <stdint.h>

/// Gets the classic filter of a socket (SO_GET_FILTER): `room` instructions of struct sock_filter at most, which are
/// written to `instructions`. Returns how many the filter has, which is all that happens where `room` is 0.
int linux_socket_get_classic(int socket, void *instructions, uint32_t room);

/// Opens a copy of a descriptor of another process (pidfd_open, pidfd_getfd; Linux 5.6). Returns the descriptor.
int linux_process_copy_descriptor(int process, int descriptor);

/// Opens a socket to ask the kernel about sockets (NETLINK_SOCK_DIAG) and asks about all packet sockets of the
/// caller's network namespace, with their filters. Returns the descriptor, from which the answers are to be read.
int linux_packet_sockets_ask(void);

#endif
