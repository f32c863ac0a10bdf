// Ring buffers that BPF programs write (BPF_MAP_TYPE_RINGBUF), as the kernel shows them to their one reader.
//
// Functions that return an int return 0 or more when they worked and a negative errno when not. Away from Linux these
// return -ENOSYS.

#ifndef LINUX_RING_H
#define LINUX_RING_H

#include <stddef.h>
#include <stdint.h>

/// A ring buffer in the memory of the process.
struct linux_ring {
    uint64_t *consumer_position; // ours to write
    const uint64_t *producer_position;
    const uint8_t *data; // twice, one behind the other, so that a record at the end is in one piece
    size_t size;
    size_t page;
};

/// Maps the ring buffer with that descriptor, which has `size` bytes.
int linux_ring_map(int map, size_t size, struct linux_ring *ring);

/// Gives the memory back.
void linux_ring_unmap(const struct linux_ring *ring);

/// Waits until the ring buffer has something to read, one of `signals`, which are blocked, is pending, or the time in
/// milliseconds is over. Returns 1 in the first case and 0 in the others.
int linux_ring_wait(int map, const int *signals, int signal_count, int milliseconds);

/// What the kernel wrote before it set the position is there to be read behind this.
static inline uint64_t linux_ring_get_position(const uint64_t *position) {
    return __atomic_load_n(position, __ATOMIC_ACQUIRE);
}

/// What was read is read before the kernel sees the position.
static inline void linux_ring_set_position(uint64_t *position, uint64_t value) {
    __atomic_store_n(position, value, __ATOMIC_RELEASE);
}

/// The length of the record that begins there, with its flags; what it holds is there to be read behind this.
static inline uint32_t linux_ring_get_length(const void *record) {
    return __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
}

#endif
