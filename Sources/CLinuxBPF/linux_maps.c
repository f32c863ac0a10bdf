#include "linux_maps.h"

#include <errno.h>

#ifdef __linux__

#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t address(const void *pointer) {
    return (uint64_t)(uintptr_t)pointer;
}

static int command(int number, union bpf_attr *argument) {
    long result = syscall(SYS_bpf, number, argument, sizeof *argument);
    return result < 0 ? -errno : (int)result;
}

int linux_bpf_map_delete(int map, const void *key) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.map_fd = (uint32_t)map;
    argument.key = address(key);
    return command(BPF_MAP_DELETE_ELEM, &argument);
}

int linux_bpf_map_next_key(int map, const void *key, void *next) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.map_fd = (uint32_t)map;
    argument.key = address(key);
    argument.next_key = address(next);
    return command(BPF_MAP_GET_NEXT_KEY, &argument);
}

int linux_bpf_map_lookup_batch(
    int map, const void *position, void *next, void *keys, void *values, uint32_t *count) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.batch.map_fd = (uint32_t)map;
    argument.batch.in_batch = address(position);
    argument.batch.out_batch = address(next);
    argument.batch.keys = address(keys);
    argument.batch.values = address(values);
    argument.batch.count = *count;
    int result = command(BPF_MAP_LOOKUP_BATCH, &argument);
    // Only where it ends is the number told beside an error.
    *count = result == 0 || result == -ENOENT ? argument.batch.count : 0;
    return result;
}

int linux_bpf_map_update_batch(int map, const void *keys, const void *values, uint32_t *count) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.batch.map_fd = (uint32_t)map;
    argument.batch.keys = address(keys);
    argument.batch.values = address(values);
    argument.batch.count = *count;
    int result = command(BPF_MAP_UPDATE_BATCH, &argument);
    *count = argument.batch.count;
    return result;
}

int linux_bpf_map_freeze(int map) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.map_fd = (uint32_t)map;
    return command(BPF_MAP_FREEZE, &argument);
}

int linux_bpf_map_share(int map, size_t size, int is_writable, void **start) {
    *start = mmap(NULL, size, PROT_READ | (is_writable ? PROT_WRITE : 0), MAP_SHARED, map, 0);
    return *start == MAP_FAILED ? -errno : 0;
}

void linux_bpf_map_unshare(void *start, size_t size) {
    munmap(start, size);
}

#else

int linux_bpf_map_delete(int map, const void *key) {
    (void)map, (void)key;
    return -ENOSYS;
}

int linux_bpf_map_next_key(int map, const void *key, void *next) {
    (void)map, (void)key, (void)next;
    return -ENOSYS;
}

int linux_bpf_map_lookup_batch(
    int map, const void *position, void *next, void *keys, void *values, uint32_t *count) {
    (void)map, (void)position, (void)next, (void)keys, (void)values, (void)count;
    return -ENOSYS;
}

int linux_bpf_map_update_batch(int map, const void *keys, const void *values, uint32_t *count) {
    (void)map, (void)keys, (void)values, (void)count;
    return -ENOSYS;
}

int linux_bpf_map_freeze(int map) {
    (void)map;
    return -ENOSYS;
}

int linux_bpf_map_share(int map, size_t size, int is_writable, void **start) {
    (void)map, (void)size, (void)is_writable, (void)start;
    return -ENOSYS;
}

void linux_bpf_map_unshare(void *start, size_t size) {
    (void)start, (void)size;
}

#endif
