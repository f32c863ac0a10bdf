/* Runs eBPF programs with BPF_PROG_TEST_RUN and tells their results.
 *
 * Standard input, in host byte order, any number of:
 *     u32 program type, u32 number of slots, u32 number of packet bytes, u32 number of context bytes,
 *     the slots, the packet, the context.
 * Standard output, for each: i32 errno of loading or running, or 0; u32 result of the program.
 * The verifier's words about the first program it refuses go to standard error. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char log_text[1 << 20];

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void *read_bytes(size_t count)
{
	void *bytes = malloc(count + 1);

	if (!bytes || fread(bytes, 1, count, stdin) != count) {
		fprintf(stderr, "a record is cut short\n");
		exit(1);
	}
	return bytes;
}

static int load(uint32_t type, const void *slots, uint32_t count, int verbose)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uintptr_t)slots;
	attr.insn_cnt = count;
	attr.license = (uintptr_t)"GPL";
	if (verbose) {
		attr.log_buf = (uintptr_t)log_text;
		attr.log_size = sizeof(log_text);
		attr.log_level = 1;
	}
	return bpf(BPF_PROG_LOAD, &attr);
}

int main(void)
{
	uint32_t head[4];
	int complained = 0;

	while (fread(head, sizeof(head), 1, stdin) == 1) {
		void *slots = read_bytes(8 * (size_t)head[1]);
		void *packet = read_bytes(head[2]);
		void *context = read_bytes(head[3]);
		struct { int32_t error; uint32_t result; } answer = { 0, 0 };
		int fd = load(head[0], slots, head[1], 0);

		if (fd < 0) {
			answer.error = errno;
			if (!complained) {
				load(head[0], slots, head[1], 1);
				fputs(log_text, stderr);
				complained = 1;
			}
		} else {
			union bpf_attr attr;

			memset(&attr, 0, sizeof(attr));
			attr.test.prog_fd = fd;
			attr.test.data_in = (uintptr_t)packet;
			attr.test.data_size_in = head[2];
			attr.test.ctx_in = head[3] ? (uintptr_t)context : 0;
			attr.test.ctx_size_in = head[3];
			attr.test.repeat = 1;
			if (bpf(BPF_PROG_TEST_RUN, &attr) < 0)
				answer.error = errno;
			answer.result = attr.test.retval;
			close(fd);
		}
		fwrite(&answer, sizeof(answer), 1, stdout);
		free(slots);
		free(packet);
		free(context);
	}
	return 0;
}
