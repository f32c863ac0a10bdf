// Structures whose layout a host compiler prints and clang describes in BTF.
struct inner {
    int x;
};

struct shape {
    char first;
    union {
        struct {
            char low;
            short high;
        };
        long whole;
        const struct {
            int quarter, half;
        };
    };
    unsigned flag : 3;
    unsigned rest : 5;
    int after;
    struct inner named;
    union {
        union {
            char deepest[0];
            int deep;
        };
    };
    volatile struct inner *link;
    long last;
};

#ifdef __bpf__
int use(struct shape *shape) { return shape->after; }
#else
#include <stdio.h>
#define PRINT(member) printf(#member " %lu\n", (unsigned long)__builtin_offsetof(struct shape, member))
int main(void) {
    PRINT(first);
    PRINT(low);
    PRINT(high);
    PRINT(whole);
    PRINT(quarter);
    PRINT(half);
    PRINT(after);
    PRINT(named);
    PRINT(deepest);
    PRINT(deep);
    PRINT(link);
    PRINT(last);
}
#endif
