/* Attaches classic filters with SO_ATTACH_FILTER, sends each a packet and tells what it let through.
 *
 * The argument is the kind of socket: "unix" (datagrams), "packet" (Ethernet frames) or "udp" (port 9 to port 9).
 * The latter two run on the loopback interface of a network namespace of this process's own.
 * Standard input, in host byte order, any number of:
 *     u32 number of instructions, u32 number of packet bytes, u32 mark, the instructions, the packet.
 * Standard output, for each, an i32: the number of bytes that arrived, counted from where the filter sees the
 * packet begin; 0 if the filter dropped it; minus errno if it could not be attached or the packet not be sent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static void must(int succeeded, const char *what)
{
	if (!succeeded) {
		perror(what);
		exit(1);
	}
}

static void *read_bytes(size_t count)
{
	void *bytes = malloc(count + 1);

	must(bytes && fread(bytes, 1, count, stdin) == count, "a record is cut short");
	return bytes;
}

static void enter_own_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	must(unshare(CLONE_NEWNET) == 0, "unshare");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	must(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "lo up");
	close(fd);
}

/* Makes pair[0] to send and pair[1] to receive. Returns the bytes a filter sees that recv does not return. */
static int open_pair(const char *kind, int pair[2])
{
	if (!strcmp(kind, "unix")) {
		must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
		return 0;
	}
	if (!strcmp(kind, "packet")) {
		struct sockaddr_ll lo = {
			.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1,
		};
		int on = 1;

		pair[0] = socket(AF_PACKET, SOCK_RAW, 0);
		pair[1] = socket(AF_PACKET, SOCK_RAW, 0);
		must(setsockopt(pair[1], SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) == 0, "ignore outgoing");
		must(bind(pair[1], (void *)&lo, sizeof(lo)) == 0, "bind");
		lo.sll_protocol = 0;
		must(bind(pair[0], (void *)&lo, sizeof(lo)) == 0, "bind");
		return 0;
	}
	struct sockaddr_in port = { .sin_family = AF_INET, .sin_port = htons(9) };

	port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pair[0] = pair[1] = socket(AF_INET, SOCK_DGRAM, 0);
	must(bind(pair[1], (void *)&port, sizeof(port)) == 0, "bind");
	must(connect(pair[0], (void *)&port, sizeof(port)) == 0, "connect");
	return 8;
}

static int32_t pass(const char *kind, struct sock_fprog *filter, void *packet, uint32_t length, uint32_t mark)
{
	static char arrived[1 << 18];
	int pair[2], hidden = open_pair(kind, pair);
	int32_t result;

	if (setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof(*filter)) < 0) {
		result = -errno;
	} else {
		if (mark)
			must(setsockopt(pair[0], SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0, "mark");
		if (send(pair[0], packet, length, 0) < 0) {
			/* A datagram that its receiver's filter drops is one that may not be sent. */
			result = errno == EPERM ? 0 : -errno;
		} else {
			struct pollfd event = { .fd = pair[1], .events = POLLIN };
			int waits = strcmp(kind, "unix") ? 100 : 0;

			result = 0;
			if (poll(&event, 1, waits) == 1)
				result = recv(pair[1], arrived, sizeof(arrived), MSG_DONTWAIT) + hidden;
		}
	}
	close(pair[0]);
	if (pair[1] != pair[0])
		close(pair[1]);
	return result;
}

int main(int argc, char **argv)
{
	uint32_t head[3];

	must(argc == 2, "usage: run-classic unix|packet|udp");
	if (strcmp(argv[1], "unix"))
		enter_own_network();
	while (fread(head, sizeof(head), 1, stdin) == 1) {
		struct sock_filter *instructions = read_bytes(8 * (size_t)head[0]);
		void *packet = read_bytes(head[1]);
		struct sock_fprog filter = { .len = head[0], .filter = instructions };
		int32_t result = pass(argv[1], &filter, packet, head[1], head[2]);

		fwrite(&result, sizeof(result), 1, stdout);
		free(instructions);
		free(packet);
	}
	return 0;
}
