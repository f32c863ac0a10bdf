#include "linux_sockets.h"

#include <errno.h>

#ifdef __linux__

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int linux_socket_get_classic(int socket, void *instructions, uint32_t room) {
    // The option's size counts instructions, not bytes.
    socklen_t count = room;
    return getsockopt(socket, SOL_SOCKET, SO_GET_FILTER, instructions, &count) < 0 ? -errno : (int)count;
}

int linux_process_copy_descriptor(int process, int descriptor) {
    int reference = (int)syscall(SYS_pidfd_open, process, 0);
    if (reference < 0) {
        return -errno;
    }
    int copy = (int)syscall(SYS_pidfd_getfd, reference, descriptor, 0);
    int result = copy < 0 ? -errno : copy;
    close(reference);
    return result;
}

int linux_packet_sockets_ask(void) {
    int diagnosis = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diagnosis < 0) {
        return -errno;
    }
    struct {
        struct nlmsghdr header;
        struct packet_diag_req request;
    } message;
    memset(&message, 0, sizeof message);
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = AF_PACKET;
    message.request.pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_FILTER;
    if (send(diagnosis, &message, sizeof message, 0) < 0) {
        int result = -errno;
        close(diagnosis);
        return result;
    }
    return diagnosis;
}

#else

int linux_socket_get_classic(int socket, void *instructions, uint32_t room) {
    (void)socket, (void)instructions, (void)room;
    return -ENOSYS;
}

int linux_process_copy_descriptor(int process, int descriptor) {
    (void)process, (void)descriptor;
    return -ENOSYS;
}

int linux_packet_sockets_ask(void) {
    return -ENOSYS;
}

#endif
