#define _GNU_SOURCE
#include "linux_bpf_objects.h"

#include <errno.h>

#ifdef __linux__

#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// As the kernel of 6.7 has it; the headers of distributions are often older than the kernels they run.
struct link_information {
    uint32_t type;
    uint32_t id;
    uint32_t program;
    uint32_t unused;
    union {
        struct {
            uint64_t name;
            uint32_t room;
        } raw_tracepoint;
        struct {
            uint32_t attach_type;
        } tracing;
        struct {
            uint64_t number;
            uint32_t attach_type;
        } control_group;
        struct {
            uint32_t index;
            uint32_t attach_type; // not of XDP
        } interface;
        struct {
            uint32_t family;
            uint32_t hook;
            int32_t priority;
        } netfilter;
        uint64_t room[8];
    } place;
};

// enum bpf_link_type
enum { raw_tracepoint = 1, tracing = 2, control_group = 3, xdp = 6, netfilter = 10, tcx = 11, netkit = 13 };

static uint64_t address(const void *pointer) {
    return (uint64_t)(uintptr_t)pointer;
}

static int command(int number, union bpf_attr *argument) {
    long result = syscall(SYS_bpf, number, argument, sizeof *argument);
    return result < 0 ? -errno : (int)result;
}

static int get_information(int descriptor, void *information, uint32_t size) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.info.bpf_fd = (uint32_t)descriptor;
    argument.info.info_len = size;
    argument.info.info = address(information);
    return command(BPF_OBJ_GET_INFO_BY_FD, &argument);
}

static int open_number(int number, uint32_t id) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.link_id = id; // at the place of prog_id and btf_id
    return command(number, &argument);
}

int linux_bpf_object_pin(int descriptor, const char *path) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.pathname = address(path);
    argument.bpf_fd = (uint32_t)descriptor;
    return command(BPF_OBJ_PIN, &argument);
}

int linux_bpf_object_get(const char *path) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.pathname = address(path);
    return command(BPF_OBJ_GET, &argument);
}

int linux_bpf_is_file_system(const char *folder) {
    struct statfs status;
    if (statfs(folder, &status) < 0) return -errno;
    return status.f_type == 0xcafe4a11; // BPF_FS_MAGIC
}

int linux_bpf_link_next(uint32_t after, uint32_t *next) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.start_id = after;
    int result = command(BPF_LINK_GET_NEXT_ID, &argument);
    *next = argument.next_id;
    return result;
}

int linux_bpf_link_open(uint32_t id) {
    return open_number(BPF_LINK_GET_FD_BY_ID, id);
}

int linux_bpf_program_open(uint32_t id) {
    return open_number(BPF_PROG_GET_FD_BY_ID, id);
}

int linux_bpf_link_detach(int link) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.link_detach.link_fd = (uint32_t)link;
    return command(BPF_LINK_DETACH, &argument);
}

int linux_bpf_enable_statistics(void) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.enable_stats.type = BPF_STATS_RUN_TIME;
    return command(BPF_ENABLE_STATS, &argument);
}

int linux_bpf_link_get_information(int link, struct linux_bpf_link_information *information) {
    struct link_information info;
    memset(&info, 0, sizeof info);
    memset(information, 0, sizeof *information);
    int result = get_information(link, &info, sizeof info);
    if (result < 0) return result;
    information->type = info.type;
    information->id = info.id;
    information->program = info.program;
    switch (info.type) {
    case raw_tracepoint:
        memset(&info, 0, sizeof info);
        info.place.raw_tracepoint.name = address(information->tracepoint);
        info.place.raw_tracepoint.room = sizeof information->tracepoint;
        result = get_information(link, &info, sizeof info);
        break;
    case tracing:
        information->attach_type = info.place.tracing.attach_type;
        break;
    case control_group:
        information->control_group = info.place.control_group.number;
        information->attach_type = info.place.control_group.attach_type;
        break;
    case xdp:
        information->interface = info.place.interface.index;
        break;
    case tcx:
    case netkit:
        information->interface = info.place.interface.index;
        information->attach_type = info.place.interface.attach_type;
        break;
    case netfilter:
        information->netfilter_family = info.place.netfilter.family;
        information->netfilter_hook = info.place.netfilter.hook;
        information->netfilter_priority = info.place.netfilter.priority;
        break;
    }
    return result;
}

int linux_bpf_program_get_runs(int program, uint64_t *count, uint64_t *nanoseconds) {
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    int result = get_information(program, &info, sizeof info);
    *count = info.run_cnt;
    *nanoseconds = info.run_time_ns;
    return result;
}

int linux_bpf_program_get_first_line(
    int program, uint32_t *types, uint32_t *file_name, uint32_t *text, uint32_t *line) {
    struct bpf_line_info record;
    struct bpf_prog_info info;
    memset(&record, 0, sizeof record);
    memset(&info, 0, sizeof info);
    info.nr_line_info = 1;
    info.line_info_rec_size = sizeof record;
    info.line_info = address(&record);
    int result = get_information(program, &info, sizeof info);
    *types = info.btf_id;
    *file_name = record.file_name_off;
    *text = record.line_off;
    *line = record.line_col >> 10;
    return result;
}

int linux_bpf_types_read(uint32_t id, void *bytes, uint32_t room) {
    int descriptor = open_number(BPF_BTF_GET_FD_BY_ID, id);
    if (descriptor < 0) return descriptor;
    struct bpf_btf_info info;
    memset(&info, 0, sizeof info);
    info.btf = address(bytes);
    info.btf_size = room;
    int result = get_information(descriptor, &info, sizeof info);
    close(descriptor);
    return result < 0 ? result : (int)info.btf_size;
}

int linux_control_group_open(int root, uint64_t number) {
    union {
        struct file_handle header;
        uint64_t room[(sizeof(struct file_handle) + sizeof number + 7) / 8];
    } handle;
    handle.header.handle_bytes = sizeof number;
    handle.header.handle_type = 0xfe; // of the kernel's own file systems (FILEID_KERNFS)
    memcpy(handle.header.f_handle, &number, sizeof number);
    int result = open_by_handle_at(root, &handle.header, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return result < 0 ? -errno : result;
}

#else

int linux_bpf_object_pin(int descriptor, const char *path) {
    (void)descriptor, (void)path;
    return -ENOSYS;
}

int linux_bpf_object_get(const char *path) {
    (void)path;
    return -ENOSYS;
}

int linux_bpf_is_file_system(const char *folder) {
    (void)folder;
    return -ENOSYS;
}

int linux_bpf_link_next(uint32_t after, uint32_t *next) {
    (void)after, (void)next;
    return -ENOSYS;
}

int linux_bpf_link_open(uint32_t id) {
    (void)id;
    return -ENOSYS;
}

int linux_bpf_program_open(uint32_t id) {
    (void)id;
    return -ENOSYS;
}

int linux_bpf_link_detach(int link) {
    (void)link;
    return -ENOSYS;
}

int linux_bpf_enable_statistics(void) {
    return -ENOSYS;
}

int linux_bpf_link_get_information(int link, struct linux_bpf_link_information *information) {
    (void)link, (void)information;
    return -ENOSYS;
}

int linux_bpf_program_get_runs(int program, uint64_t *count, uint64_t *nanoseconds) {
    (void)program, (void)count, (void)nanoseconds;
    return -ENOSYS;
}

int linux_bpf_program_get_first_line(
    int program, uint32_t *types, uint32_t *file_name, uint32_t *text, uint32_t *line) {
    (void)program, (void)types, (void)file_name, (void)text, (void)line;
    return -ENOSYS;
}

int linux_bpf_types_read(uint32_t id, void *bytes, uint32_t room) {
    (void)id, (void)bytes, (void)room;
    return -ENOSYS;
}

int linux_control_group_open(int root, uint64_t number) {
    (void)root, (void)number;
    return -ENOSYS;
}

#endif
