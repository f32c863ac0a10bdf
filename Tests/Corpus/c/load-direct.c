// Loads a classifier with bpf(2) from files: instructions, BTF, func_info, line_info.
// Prints what the kernel then says of it, the lines with the slot in the translated program.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>

static char log_text[1 << 20];

static void *contents(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(10);
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    void *bytes = malloc(*size + 1);
    if (fread(bytes, 1, *size, file) != (size_t)*size) exit(11);
    fclose(file);
    return bytes;
}

int main(int argc, char **argv) {
    long code_size, btf_size, functions_size, lines_size;
    void *code = contents(argv[1], &code_size), *btf = contents(argv[2], &btf_size);
    void *functions = contents(argv[3], &functions_size), *lines = contents(argv[4], &lines_size);
    LIBBPF_OPTS(bpf_btf_load_opts, btf_options, .log_buf = log_text, .log_size = sizeof log_text, .log_level = 1);
    int btf_fd = bpf_btf_load(btf, btf_size, &btf_options);
    if (btf_fd < 0) { fputs(log_text, stderr); return 1; }
    LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log_text, .log_size = sizeof log_text, .log_level = 1,
                .prog_btf_fd = btf_fd, .func_info = functions, .func_info_cnt = functions_size / atoi(argv[5]),
                .func_info_rec_size = atoi(argv[5]), .line_info = lines, .line_info_cnt = lines_size / atoi(argv[6]),
                .line_info_rec_size = atoi(argv[6]));
    int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "direct", "GPL", code, code_size / 8, &options);
    if (fd < 0) { fputs(log_text, stderr); return 2; }

    struct bpf_func_info function_records[16];
    struct bpf_line_info line_records[64];
    struct bpf_prog_info info = {.func_info = (unsigned long)function_records, .nr_func_info = 16,
                                 .func_info_rec_size = sizeof function_records[0],
                                 .line_info = (unsigned long)line_records, .nr_line_info = 64,
                                 .line_info_rec_size = sizeof line_records[0]};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(fd, &info, &size)) return 3;
    struct btf *types = btf__load_from_kernel_by_id(info.btf_id);
    if (!types) return 4;
    for (unsigned i = 0; i < info.nr_func_info; i++) {
        const struct btf_type *type = btf__type_by_id(types, function_records[i].type_id);
        printf("function %s\n", btf__name_by_offset(types, type->name_off));
    }
    for (unsigned i = 0; i < info.nr_line_info; i++)
        printf("line %s:%u %s\n", btf__name_by_offset(types, line_records[i].file_name_off),
               BPF_LINE_INFO_LINE_NUM(line_records[i].line_col), btf__name_by_offset(types, line_records[i].line_off));
    return 0;
}
