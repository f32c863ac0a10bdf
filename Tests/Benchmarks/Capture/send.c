// Sends numbered UDP packets of 64 bytes at an interface, so many a second: send INTERFACE PACKETS PACKETS-A-SECOND.
// Prints how many were sent and how long that took.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { batch = 32, size = 64 };

static uint64_t nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static const uint8_t head[] = {
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, // Ethernet
    0x45, 0, 0, size - 14, 0, 0, 0, 0, 64, 17, 0x66, 0x9f, 192, 0, 2, 1, 192, 0, 2, 2,
    0, 9, 0, 9, 0, size - 34, 0, 0,
};

int main(int count, char **arguments) {
    if (count != 4) {
        return 2;
    }
    uint64_t packets = strtoull(arguments[2], NULL, 10);
    double rate = strtod(arguments[3], NULL);
    int sender = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex(arguments[1])};
    if (sender < 0 || bind(sender, (struct sockaddr *)&address, sizeof address) < 0) {
        perror(arguments[1]);
        return 1;
    }
    static uint8_t frames[batch][size];
    struct iovec parts[batch];
    struct mmsghdr messages[batch];
    memset(messages, 0, sizeof messages);
    for (int index = 0; index < batch; index++) {
        memcpy(frames[index], head, sizeof head);
        parts[index] = (struct iovec){frames[index], size};
        messages[index].msg_hdr.msg_iov = &parts[index];
        messages[index].msg_hdr.msg_iovlen = 1;
    }
    uint64_t start = nanoseconds(), sent = 0;
    while (sent < packets) {
        while ((double)(nanoseconds() - start) * 1e-9 * rate < (double)sent) {
        }
        int wanted = packets - sent < batch ? (int)(packets - sent) : batch;
        for (int index = 0; index < wanted; index++) {
            uint64_t number = sent + (uint64_t)index;
            memcpy(frames[index] + sizeof head, &number, sizeof number);
        }
        int done = sendmmsg(sender, messages, (unsigned)wanted, 0);
        if (done < 0 && errno != ENOBUFS && errno != EAGAIN) {
            perror("sendmmsg");
            return 1;
        }
        sent += done < 0 ? 0 : (uint64_t)done;
    }
    printf("%llu %.3f\n", (unsigned long long)sent, (double)(nanoseconds() - start) * 1e-9);
    return 0;
}
