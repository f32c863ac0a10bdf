// Opens and loads an object with libbpf and prints what libbpf and the kernel make of each program in it.
// Two numbers behind the file name are the type and the attach type, where the section is one libbpf does not know.
// The kernel keeps no more than 15 bytes of a program's name; bpf_program__name is the symbol.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
    if (!object) return 1;
    struct bpf_program *program;
    if (argc == 4) {
        program = bpf_object__next_program(object, NULL);
        bpf_program__set_type(program, atoi(argv[2]));
        bpf_program__set_expected_attach_type(program, atoi(argv[3]));
    }
    if (bpf_object__load(object)) return 2;
    bpf_object__for_each_program(program, object) {
        struct bpf_prog_info info = {};
        __u32 size = sizeof info;
        if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)) return 3;
        const char *type = libbpf_bpf_prog_type_str(info.type);
        printf("name=%s section=%s type=%s functions=%u lines=%u gpl=%u\n", bpf_program__name(program),
               bpf_program__section_name(program), type ? type : "unknown", info.nr_func_info,
               info.nr_line_info, info.gpl_compatible);
    }
    bpf_object__close(object);
    return 0;
}
