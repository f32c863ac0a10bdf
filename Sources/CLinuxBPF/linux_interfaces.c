#include "linux_interfaces.h"

#include <errno.h>

#ifdef __linux__

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// Linux 4.20, later than some headers.
enum { ignore_outgoing = 23 };

int linux_interface_get(const char *name, struct linux_interface *interface) {
    struct ifreq request;
    if (strlen(name) >= sizeof request.ifr_name) {
        return -ENODEV;
    }
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, name);
    int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0) {
        return -errno;
    }
    int result = ioctl(any, SIOCGIFINDEX, &request);
    interface->index = (uint32_t)request.ifr_ifindex;
    if (result == 0) {
        result = ioctl(any, SIOCGIFHWADDR, &request);
        interface->hardware_type = request.ifr_hwaddr.sa_family;
    }
    if (result == 0) {
        result = ioctl(any, SIOCGIFFLAGS, &request);
        interface->flags = (uint16_t)request.ifr_flags;
    }
    result = result < 0 ? -errno : 0;
    close(any);
    return result;
}

int linux_interfaces_list(uint32_t *indices, uint32_t room) {
    struct if_nameindex *all = if_nameindex();
    if (all == NULL) {
        return -errno;
    }
    uint32_t count = 0;
    for (struct if_nameindex *each = all; each->if_index != 0; each++) {
        if (count < room) {
            indices[count] = each->if_index;
        }
        count += 1;
    }
    if_freenameindex(all);
    return (int)count;
}

int linux_packet_socket_open(void) {
    int result = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return result < 0 ? -errno : result;
}

int linux_packet_socket_ignore_outgoing(int socket) {
    int one = 1;
    return setsockopt(socket, SOL_PACKET, ignore_outgoing, &one, sizeof one) < 0 ? -errno : 0;
}

int linux_packet_socket_bind(int socket, uint32_t interface) {
    struct sockaddr_ll address;
    memset(&address, 0, sizeof address);
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = (int)interface;
    return bind(socket, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

#else

int linux_interface_get(const char *name, struct linux_interface *interface) {
    (void)name, (void)interface;
    return -ENOSYS;
}

int linux_interfaces_list(uint32_t *indices, uint32_t room) {
    (void)indices, (void)room;
    return -ENOSYS;
}

int linux_packet_socket_open(void) {
    return -ENOSYS;
}

int linux_packet_socket_ignore_outgoing(int socket) {
    (void)socket;
    return -ENOSYS;
}

int linux_packet_socket_bind(int socket, uint32_t interface) {
    (void)socket, (void)interface;
    return -ENOSYS;
}

#endif
