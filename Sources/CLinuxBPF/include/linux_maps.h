// What maps can besides single lookups and updates, with plain arguments.
//
// Every function returns 0 or more when it worked and a negative errno when not. Away from Linux every one returns
// -ENOSYS.

#ifndef LINUX_MAPS_H
#define LINUX_MAPS_H

#include <stddef.h>
#include <stdint.h>

/// Removes a key and its value (BPF_MAP_DELETE_ELEM).
int linux_bpf_map_delete(int map, const void *key);

/// Copies the key behind `key`, or the first one where that is null, to `next` (BPF_MAP_GET_NEXT_KEY). -ENOENT behind
/// the last one.
int linux_bpf_map_next_key(int map, const void *key, void *next);

/// Copies up to `*count` keys and values (BPF_MAP_LOOKUP_BATCH; Linux 5.6), those behind `position` or, where that is
/// null, the first ones. `*count` becomes how many were copied, `next` where to go on, which needs as many bytes as a
/// key and 4 at least. -ENOENT with the last ones.
int linux_bpf_map_lookup_batch(
    int map, const void *position, void *next, void *keys, void *values, uint32_t *count);

/// Puts `*count` values under their keys (BPF_MAP_UPDATE_BATCH; Linux 5.6). `*count` becomes how many were put.
int linux_bpf_map_update_batch(int map, const void *keys, const void *values, uint32_t *count);

/// Keeps processes from changing a map from now on (BPF_MAP_FREEZE; Linux 5.2).
int linux_bpf_map_freeze(int map);

/// Puts `size` bytes of the values of a map into the caller's memory, which becomes `*start`.
int linux_bpf_map_share(int map, size_t size, int is_writable, void **start);

/// Takes them from there again.
void linux_bpf_map_unshare(void *start, size_t size);

#endif
