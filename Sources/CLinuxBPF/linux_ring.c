#include "linux_ring.h"

#include <errno.h>

#ifdef __linux__

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

int linux_ring_map(int map, size_t size, struct linux_ring *ring) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    if (consumer == MAP_FAILED) {
        return -errno;
    }
    // The producer's position has a page of its own in front of the data.
    void *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map, (off_t)page);
    if (producer == MAP_FAILED) {
        int error = errno;
        munmap(consumer, page);
        return -error;
    }
    ring->consumer_position = consumer;
    ring->producer_position = producer;
    ring->data = (const uint8_t *)producer + page;
    ring->size = size;
    ring->page = page;
    return 0;
}

void linux_ring_unmap(const struct linux_ring *ring) {
    munmap((void *)ring->consumer_position, ring->page);
    munmap((void *)ring->producer_position, ring->page + 2 * ring->size);
}

int linux_ring_wait(int map, const int *signals, int signal_count, int milliseconds) {
    struct pollfd places[2] = {{.fd = map, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    if (signal_count > 0) {
        sigset_t set;
        sigemptyset(&set);
        for (int index = 0; index < signal_count; index++) {
            sigaddset(&set, signals[index]);
        }
        places[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
        if (places[1].fd < 0) {
            return -errno;
        }
    }
    int result = poll(places, 2, milliseconds);
    int error = errno;
    if (places[1].fd >= 0) {
        close(places[1].fd);
    }
    // A signal that is not waited for ends a wait, too.
    if (result < 0) {
        return error == EINTR ? 0 : -error;
    }
    return (places[0].revents & POLLIN) != 0;
}

#else

int linux_ring_map(int map, size_t size, struct linux_ring *ring) {
    (void)map, (void)size, (void)ring;
    return -ENOSYS;
}

void linux_ring_unmap(const struct linux_ring *ring) {
    (void)ring;
}

int linux_ring_wait(int map, const int *signals, int signal_count, int milliseconds) {
    (void)map, (void)signals, (void)signal_count, (void)milliseconds;
    return -ENOSYS;
}

#endif
