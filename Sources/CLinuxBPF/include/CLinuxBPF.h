// The Linux system calls that BPFKernel makes, with plain arguments.
//
// <linux/bpf.h> and <linux/filter.h> stay inside the .c files: libpcap declares structures of the same names
// differently, and Swift cannot import both into one program. Every function returns 0 or more when it worked and a
// negative errno when not. Away from Linux every one returns -ENOSYS.

#ifndef CLINUXBPF_H
#define CLINUXBPF_H

#include <stddef.h>
#include <stdint.h>

#include "linux_bpf_objects.h"
#include "linux_interfaces.h"
#include "linux_maps.h"
#include "linux_ring.h"
#include "linux_sockets.h"
#include "linux_traffic.h"

/// What BPF_PROG_LOAD takes. Texts end with NUL; a pointer may be null where its size or count is 0.
struct linux_bpf_load {
    uint32_t type;
    uint32_t expected_attach_type;
    uint32_t attach_btf_id;     // of vmlinux; 0 for none
    uint32_t flags;
    uint32_t kernel_version;
    const void *instructions;
    uint32_t instruction_count; // in slots of 8 bytes
    uint32_t btf_descriptor;    // of meaning where a record count is not 0
    const char *license;
    const char *name;           // at most 15 bytes and the NUL are used
    uint32_t log_level;
    uint32_t log_size;
    void *log;
    const void *function_records;
    const void *line_records;
    uint32_t function_record_count;
    uint32_t function_record_size;
    uint32_t line_record_count;
    uint32_t line_record_size;
};

/// Loads a program. Returns its file descriptor.
///
/// `log_true_size` becomes the size in bytes that the whole log needs, its NUL included, where the kernel tells
/// (6.4 and later) and 0 where it does not.
int linux_bpf_program_load(const struct linux_bpf_load *load, uint32_t *log_true_size);

/// Loads type information. Returns its file descriptor. `log_true_size` as above.
int linux_bpf_btf_load(
    const void *btf, uint32_t btf_size, uint32_t log_level, void *log, uint32_t log_size, uint32_t *log_true_size);

/// What BPF_PROG_TEST_RUN takes and gives. The sizes of both outputs are the room in and the bytes used out.
struct linux_bpf_test_run {
    const void *data_in;
    void *data_out;
    const void *context_in;
    void *context_out;
    uint32_t data_in_size;
    uint32_t data_out_size;
    uint32_t context_in_size;
    uint32_t context_out_size;
    uint32_t repeat;
    uint32_t return_value;
    uint32_t duration; // of one run, in nanoseconds
};

/// Runs a program on a packet.
int linux_bpf_program_test_run(int program, struct linux_bpf_test_run *run);

/// What the kernel knows of a loaded program.
struct linux_bpf_program_information {
    uint32_t type;
    uint32_t id;
    uint8_t tag[8];
    char name[16];
    uint32_t translated_size; // in bytes
    uint32_t jited_size;      // in bytes; 0 where no machine code was made
    uint32_t verified_instructions;
};

/// Tells what the kernel knows of the program.
int linux_bpf_program_get_information(int program, struct linux_bpf_program_information *information);

/// Attaches a program to the tracepoint called `name`, or, where that is null, to what it was loaded for
/// (BPF_RAW_TRACEPOINT_OPEN). Returns the file descriptor of what holds it there.
int linux_bpf_raw_tracepoint_open(const char *name, int program);

/// What BPF_LINK_CREATE takes.
struct linux_bpf_link {
    int program;
    uint32_t target; // a file descriptor or the index of an interface, by the kind of place; 0 for none
    uint32_t attach_type;
    uint32_t flags;
    // Of meaning for netfilter only; 0 for other places.
    uint32_t netfilter_family;
    uint32_t netfilter_hook;
    int32_t netfilter_priority;
    uint32_t netfilter_flags;
};

/// Attaches a program. Returns the link's file descriptor.
int linux_bpf_link_create(const struct linux_bpf_link *link);

/// What BPF_MAP_CREATE takes. `name` is as for programs.
struct linux_bpf_map {
    uint32_t type;
    uint32_t key_size;
    uint32_t value_size;
    uint32_t max_entries;
    uint32_t flags;
    const char *name;
};

/// Makes a map. Returns its file descriptor.
int linux_bpf_map_create(const struct linux_bpf_map *map);

/// Copies the value of `key` to `value`, which has room for what the map keeps under a key.
int linux_bpf_map_lookup(int map, const void *key, void *value);

/// Puts `value` under `key`. `flags` are those of BPF_MAP_UPDATE_ELEM.
int linux_bpf_map_update(int map, const void *key, const void *value, uint64_t flags);

/// Attaches an eBPF program to a socket (SO_ATTACH_BPF).
int linux_bpf_socket_attach_program(int socket, int program);

/// Attaches `count` instructions of struct sock_filter to a socket (SO_ATTACH_FILTER).
int linux_bpf_socket_attach_classic(int socket, const void *instructions, uint16_t count);

/// Detaches whichever filter a socket has (SO_DETACH_FILTER).
int linux_bpf_socket_detach(int socket);

#endif
