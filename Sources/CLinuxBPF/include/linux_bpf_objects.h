// Programs and links that the kernel has already: pins, numbers, what the kernel tells of them. With plain arguments.
//
// Every function returns 0 or more when it worked and a negative errno when not. Away from Linux every one returns
// -ENOSYS.

#ifndef LINUX_BPF_OBJECTS_H
#define LINUX_BPF_OBJECTS_H

#include <stdint.h>

/// Gives a program, map or link a name in a BPF file system (BPF_OBJ_PIN).
int linux_bpf_object_pin(int descriptor, const char *path);

/// Opens what has a name in a BPF file system (BPF_OBJ_GET). Returns the descriptor.
int linux_bpf_object_get(const char *path);

/// Whether the folder is in a BPF file system: 1 or 0.
int linux_bpf_is_file_system(const char *folder);

/// The number of the first link behind that of number `after` (BPF_LINK_GET_NEXT_ID; Linux 5.8).
int linux_bpf_link_next(uint32_t after, uint32_t *next);

/// Opens the link of that number (BPF_LINK_GET_FD_BY_ID). Returns the descriptor.
int linux_bpf_link_open(uint32_t id);

/// Opens the program of that number (BPF_PROG_GET_FD_BY_ID). Returns the descriptor.
int linux_bpf_program_open(uint32_t id);

/// Takes a link's program from its place, whoever holds the link (BPF_LINK_DETACH; Linux 5.9).
int linux_bpf_link_detach(int link);

/// Has the kernel count the runs of all programs and their time as long as the descriptor is open, which is returned
/// (BPF_ENABLE_STATS; Linux 5.8).
int linux_bpf_enable_statistics(void);

/// What the kernel knows of a link.
struct linux_bpf_link_information {
    uint32_t type;
    uint32_t id;
    uint32_t program;
    // By type: the index of the interface; the number of the control group; the family and hook of netfilter.
    uint32_t interface;
    uint32_t attach_type;
    uint64_t control_group;
    uint32_t netfilter_family;
    uint32_t netfilter_hook;
    int32_t netfilter_priority;
    char tracepoint[128]; // ends with NUL
};

/// Tells what the kernel knows of a link.
int linux_bpf_link_get_information(int link, struct linux_bpf_link_information *information);

/// How often a program has run and for how many nanoseconds, while the kernel counted.
int linux_bpf_program_get_runs(int program, uint64_t *count, uint64_t *nanoseconds);

/// The number of a program's type information, and the first of its line records: the offsets of the file's name and
/// of the line's text among the strings, and the number of the line. All are 0 where there is none.
int linux_bpf_program_get_first_line(
    int program, uint32_t *types, uint32_t *file_name, uint32_t *text, uint32_t *line);

/// Copies the type information of that number to `bytes`, of which there are `room`. Returns how many it has.
int linux_bpf_types_read(uint32_t id, void *bytes, uint32_t room);

/// Opens the control group of that number in the mounted file system that `root` is a descriptor of. Returns the
/// descriptor.
int linux_control_group_open(int root, uint64_t number);

#endif
