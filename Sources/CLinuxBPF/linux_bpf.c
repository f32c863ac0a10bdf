#include "CLinuxBPF.h"

#include <errno.h>

#ifdef __linux__

#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Distributions ship headers older than the kernels they run, so the fields of later kernels are placed here by
// hand. An older kernel takes the longer argument as long as the fields it does not know are 0.

union load_argument {
    union bpf_attr known;
    struct {
        unsigned char before[offsetof(union bpf_attr, core_relo_rec_size) + sizeof(uint32_t)];
        uint32_t log_true_size; // 6.4
    } later;
};

union btf_argument {
    union bpf_attr known;
    struct {
        unsigned char before[offsetof(union bpf_attr, btf_log_level) + sizeof(uint32_t)];
        uint32_t log_true_size; // 6.4
    } later;
};

struct link_argument {
    uint32_t program;
    uint32_t target;
    uint32_t attach_type;
    uint32_t flags;
    struct {
        uint32_t family;
        uint32_t hook;
        int32_t priority;
        uint32_t flags;
    } netfilter; // 6.4
};

static uint64_t address(const void *pointer) {
    return (uint64_t)(uintptr_t)pointer;
}

static int command(int number, void *argument, size_t size) {
    long result = syscall(SYS_bpf, number, argument, (unsigned)size);
    return result < 0 ? -errno : (int)result;
}

int linux_bpf_program_load(const struct linux_bpf_load *load, uint32_t *log_true_size) {
    union load_argument argument;
    memset(&argument, 0, sizeof argument);
    argument.known.prog_type = load->type;
    argument.known.expected_attach_type = load->expected_attach_type;
    argument.known.attach_btf_id = load->attach_btf_id;
    argument.known.prog_flags = load->flags;
    argument.known.kern_version = load->kernel_version;
    argument.known.insns = address(load->instructions);
    argument.known.insn_cnt = load->instruction_count;
    argument.known.license = address(load->license);
    strncpy(argument.known.prog_name, load->name, sizeof argument.known.prog_name - 1);
    if (load->log_level != 0) {
        argument.known.log_level = load->log_level;
        argument.known.log_size = load->log_size;
        argument.known.log_buf = address(load->log);
    }
    if (load->function_record_count != 0 || load->line_record_count != 0) {
        argument.known.prog_btf_fd = load->btf_descriptor;
    }
    if (load->function_record_count != 0) {
        argument.known.func_info = address(load->function_records);
        argument.known.func_info_cnt = load->function_record_count;
        argument.known.func_info_rec_size = load->function_record_size;
    }
    if (load->line_record_count != 0) {
        argument.known.line_info = address(load->line_records);
        argument.known.line_info_cnt = load->line_record_count;
        argument.known.line_info_rec_size = load->line_record_size;
    }
    int result = command(BPF_PROG_LOAD, &argument, sizeof argument);
    *log_true_size = argument.later.log_true_size;
    return result;
}

int linux_bpf_btf_load(
    const void *btf, uint32_t btf_size, uint32_t log_level, void *log, uint32_t log_size, uint32_t *log_true_size) {
    union btf_argument argument;
    memset(&argument, 0, sizeof argument);
    argument.known.btf = address(btf);
    argument.known.btf_size = btf_size;
    if (log_level != 0) {
        argument.known.btf_log_level = log_level;
        argument.known.btf_log_size = log_size;
        argument.known.btf_log_buf = address(log);
    }
    int result = command(BPF_BTF_LOAD, &argument, sizeof argument);
    *log_true_size = argument.later.log_true_size;
    return result;
}

int linux_bpf_program_test_run(int program, struct linux_bpf_test_run *run) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.test.prog_fd = (uint32_t)program;
    argument.test.data_in = address(run->data_in);
    argument.test.data_size_in = run->data_in_size;
    argument.test.data_out = address(run->data_out);
    argument.test.data_size_out = run->data_out_size;
    argument.test.ctx_in = address(run->context_in);
    argument.test.ctx_size_in = run->context_in_size;
    argument.test.ctx_out = address(run->context_out);
    argument.test.ctx_size_out = run->context_out_size;
    argument.test.repeat = run->repeat;
    int result = command(BPF_PROG_TEST_RUN, &argument, sizeof argument);
    run->data_out_size = argument.test.data_size_out;
    run->context_out_size = argument.test.ctx_size_out;
    run->return_value = argument.test.retval;
    run->duration = argument.test.duration;
    return result;
}

int linux_bpf_program_get_information(int program, struct linux_bpf_program_information *information) {
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.info.bpf_fd = (uint32_t)program;
    argument.info.info_len = sizeof info;
    argument.info.info = address(&info);
    int result = command(BPF_OBJ_GET_INFO_BY_FD, &argument, sizeof argument);
    if (result < 0) return result;
    information->type = info.type;
    information->id = info.id;
    memcpy(information->tag, info.tag, sizeof information->tag);
    memcpy(information->name, info.name, sizeof information->name);
    information->translated_size = info.xlated_prog_len;
    information->jited_size = info.jited_prog_len;
    information->verified_instructions = info.verified_insns;
    return 0;
}

int linux_bpf_raw_tracepoint_open(const char *name, int program) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.raw_tracepoint.name = address(name);
    argument.raw_tracepoint.prog_fd = (uint32_t)program;
    return command(BPF_RAW_TRACEPOINT_OPEN, &argument, sizeof argument);
}

int linux_bpf_link_create(const struct linux_bpf_link *link) {
    struct link_argument argument;
    memset(&argument, 0, sizeof argument);
    argument.program = (uint32_t)link->program;
    argument.target = link->target;
    argument.attach_type = link->attach_type;
    argument.flags = link->flags;
    argument.netfilter.family = link->netfilter_family;
    argument.netfilter.hook = link->netfilter_hook;
    argument.netfilter.priority = link->netfilter_priority;
    argument.netfilter.flags = link->netfilter_flags;
    return command(BPF_LINK_CREATE, &argument, sizeof argument);
}

int linux_bpf_map_create(const struct linux_bpf_map *map) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.map_type = map->type;
    argument.key_size = map->key_size;
    argument.value_size = map->value_size;
    argument.max_entries = map->max_entries;
    argument.map_flags = map->flags;
    strncpy(argument.map_name, map->name, sizeof argument.map_name - 1);
    return command(BPF_MAP_CREATE, &argument, sizeof argument);
}

int linux_bpf_map_lookup(int map, const void *key, void *value) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.map_fd = (uint32_t)map;
    argument.key = address(key);
    argument.value = address(value);
    return command(BPF_MAP_LOOKUP_ELEM, &argument, sizeof argument);
}

int linux_bpf_map_update(int map, const void *key, const void *value, uint64_t flags) {
    union bpf_attr argument;
    memset(&argument, 0, sizeof argument);
    argument.map_fd = (uint32_t)map;
    argument.key = address(key);
    argument.value = address(value);
    argument.flags = flags;
    return command(BPF_MAP_UPDATE_ELEM, &argument, sizeof argument);
}

static int socket_option(int socket, int option, const void *value, socklen_t size) {
    return setsockopt(socket, SOL_SOCKET, option, value, size) < 0 ? -errno : 0;
}

int linux_bpf_socket_attach_program(int socket, int program) {
    return socket_option(socket, SO_ATTACH_BPF, &program, sizeof program);
}

int linux_bpf_socket_attach_classic(int socket, const void *instructions, uint16_t count) {
    struct sock_fprog filter = {.len = count, .filter = (struct sock_filter *)instructions};
    return socket_option(socket, SO_ATTACH_FILTER, &filter, sizeof filter);
}

int linux_bpf_socket_detach(int socket) {
    int unused = 0;
    return socket_option(socket, SO_DETACH_FILTER, &unused, sizeof unused);
}

#else

int linux_bpf_program_load(const struct linux_bpf_load *load, uint32_t *log_true_size) {
    (void)load, (void)log_true_size;
    return -ENOSYS;
}

int linux_bpf_btf_load(
    const void *btf, uint32_t btf_size, uint32_t log_level, void *log, uint32_t log_size, uint32_t *log_true_size) {
    (void)btf, (void)btf_size, (void)log_level, (void)log, (void)log_size, (void)log_true_size;
    return -ENOSYS;
}

int linux_bpf_program_test_run(int program, struct linux_bpf_test_run *run) {
    (void)program, (void)run;
    return -ENOSYS;
}

int linux_bpf_program_get_information(int program, struct linux_bpf_program_information *information) {
    (void)program, (void)information;
    return -ENOSYS;
}

int linux_bpf_raw_tracepoint_open(const char *name, int program) {
    (void)name, (void)program;
    return -ENOSYS;
}

int linux_bpf_link_create(const struct linux_bpf_link *link) {
    (void)link;
    return -ENOSYS;
}

int linux_bpf_map_create(const struct linux_bpf_map *map) {
    (void)map;
    return -ENOSYS;
}

int linux_bpf_map_lookup(int map, const void *key, void *value) {
    (void)map, (void)key, (void)value;
    return -ENOSYS;
}

int linux_bpf_map_update(int map, const void *key, const void *value, uint64_t flags) {
    (void)map, (void)key, (void)value, (void)flags;
    return -ENOSYS;
}

int linux_bpf_socket_attach_program(int socket, int program) {
    (void)socket, (void)program;
    return -ENOSYS;
}

int linux_bpf_socket_attach_classic(int socket, const void *instructions, uint16_t count) {
    (void)socket, (void)instructions, (void)count;
    return -ENOSYS;
}

int linux_bpf_socket_detach(int socket) {
    (void)socket;
    return -ENOSYS;
}

#endif
