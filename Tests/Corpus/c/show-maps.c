// Loads an object with libbpf and prints what the kernel says of each of its maps.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>

int main(int argc, char **argv) {
    struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
    if (!object) return 1;
    if (bpf_object__load(object)) return 2;
    struct bpf_map *map;
    bpf_object__for_each_map(map, object) {
        struct bpf_map_info info = {};
        __u32 size = sizeof info;
        if (bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size)) return 3;
        printf("%s %s flags %u key %u value %u entries %u types %d\n", libbpf_bpf_map_type_str(info.type), info.name,
               info.map_flags, info.key_size, info.value_size, info.max_entries, info.btf_value_type_id != 0);
    }
    bpf_object__close(object);
    return 0;
}
