#if os(Linux)
    @testable import BPFKernel
    import SystemPackage
    import Testing

    struct KernelErrorTests {
        @Test(arguments: [
            (
                KernelError(.refused(.notPermitted), in: .loadProgram),
                "bpf(BPF_PROG_LOAD): operation not permitted (1), run it as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
            ),
            (
                KernelError(.refused(.invalidArgument), in: .loadProgram),
                "bpf(BPF_PROG_LOAD): invalid argument (22), this kernel does not know the program type, attach type or a flag, or the name is no C identifier"
            ),
            (
                KernelError(.refused(.argListTooLong), in: .loadProgram),
                "bpf(BPF_PROG_LOAD): argument list too long (7), the program has no instruction or more than 1000000"
            ),
            (
                KernelError(
                    .refused(.invalidArgument), in: .loadProgram,
                    log: "0: (95) exit\nR0 !read_ok\nverification time 9 usec\nprocessed 1 insns (limit 1000000)\n"),
                "bpf(BPF_PROG_LOAD): invalid argument (22), the verifier says: R0 !read_ok"
            ),
            (
                KernelError(.refused(.noFunction), in: .testRun),
                "bpf(BPF_PROG_TEST_RUN): function not implemented (38), this system has no bpf(2)"
            ),
            (
                KernelError(.refused(.invalidArgument), in: .testRun),
                "bpf(BPF_PROG_TEST_RUN): invalid argument (22), the packet lacks its Ethernet header or an IP header this announces, is over a page, or the context is wrong"
            ),
            (
                KernelError(.refused(Errno(rawValue: 524)), in: .testRun),
                "bpf(BPF_PROG_TEST_RUN): operation not supported (524), programs of this type have no test run"
            ),
            (
                KernelError(.refused(.noSpace), in: .getInformation),
                "bpf(BPF_OBJ_GET_INFO_BY_FD): no space left on device (28)"
            ),
            (
                KernelError(.refused(.noMemory), in: .attachClassic),
                "setsockopt(SO_ATTACH_FILTER): cannot allocate memory (12), the filter needs more memory than net.core.optmem_max allows"
            ),
            (
                KernelError(.refused(.invalidArgument), in: .attachClassic),
                "setsockopt(SO_ATTACH_FILTER): invalid argument (22), the filter breaks a rule for classic filters"
            ),
            (
                KernelError(.refused(.notPermitted), in: .attachClassic),
                "setsockopt(SO_ATTACH_FILTER): operation not permitted (1), the socket's filter is locked (SO_LOCK_FILTER)"
            ),
            (
                KernelError(.refused(.invalidArgument), in: .attachProgram),
                "setsockopt(SO_ATTACH_BPF): invalid argument (22), only a program of type socket_filter goes on a socket"
            ),
            (
                KernelError(.refused(.noSuchFileOrDirectory), in: .detach),
                "setsockopt(SO_DETACH_FILTER): no such file or directory (2), the socket has no filter"
            ),
            (
                KernelError(.refused(.notPermitted), in: .detach),
                "setsockopt(SO_DETACH_FILTER): operation not permitted (1), the filter is locked to the socket (SO_LOCK_FILTER)"
            ),
            (
                KernelError(.refused(.noSuchFileOrDirectory), in: .readTypeInformation),
                "/sys/kernel/btf/vmlinux: no such file or directory (2), this kernel is built without type information (CONFIG_DEBUG_INFO_BTF)"
            ),
            (
                KernelError(.refused(.invalidArgument), in: .openRawTracepoint),
                "bpf(BPF_RAW_TRACEPOINT_OPEN): invalid argument (22), the program is no tracing program, or reads an argument that the tracepoint does not have"
            ),
            (
                KernelError(.refused(Errno(rawValue: 524)), in: .openRawTracepoint),
                "bpf(BPF_RAW_TRACEPOINT_OPEN): operation not supported (524), this kernel attaches no programs there"
            ),
            (
                KernelError(.refused(.fileExists), in: .createLink),
                "bpf(BPF_LINK_CREATE): file exists (17), another program is there already"
            ),
            (
                KernelError(.refused(.resourceBusy), in: .createLink),
                "bpf(BPF_LINK_CREATE): device or resource busy (16), another program is there already"
            ),
            (
                KernelError(.refused(.invalidArgument), in: .createMap),
                "bpf(BPF_MAP_CREATE): invalid argument (22), a size or a flag is none for this kind of map"
            ),
            (
                KernelError(
                    .refused(.permissionDenied), in: .loadProgram,
                    log: "9: (0f) r1 += r2\nR1 has pointer, pointer arithmetic with it prohibited for !root\n"),
                "bpf(BPF_PROG_LOAD): permission denied (13), the verifier says: R1 has pointer, pointer arithmetic with it prohibited for !root (CAP_PERFMON allows it)"
            ),
            (
                KernelError(.refused(.notSupported), in: .detachLink),
                "bpf(BPF_LINK_DETACH): operation not supported (95), the links of tracing programs end with the process that holds them, or with their pin"
            ),
            (
                KernelError(.refused(.invalidArgument), in: .nextLink),
                "bpf(BPF_LINK_GET_NEXT_ID): invalid argument (22), it needs Linux 5.8"
            ),
            (
                KernelError(.refused(.noMemory), in: .createMap),
                "bpf(BPF_MAP_CREATE): cannot allocate memory (12), the system, or the control group of this process, has too little memory"
            ),
            (
                KernelError(.refused(.argListTooLong), in: .createMap),
                "bpf(BPF_MAP_CREATE): argument list too long (7), it needs more memory than a map may have"
            ),
            (
                KernelError(.refused(Errno(rawValue: 524)), in: .lookUpBatch),
                "bpf(BPF_MAP_LOOKUP_BATCH): operation not supported (524), this kind of map has no batches"
            ),
            (
                KernelError(.refused(.noSuchFileOrDirectory), in: .openProgram),
                "bpf(BPF_PROG_GET_FD_BY_ID): no such file or directory (2), there is no program of that number"
            ),
            (
                KernelError(.refused(.notPermitted), in: .openPinned),
                "bpf(BPF_OBJ_GET): operation not permitted (1), it is in no BPF file system, or not yours to open"
            ),
            (
                KernelError(.cannotPin("/p/x", .refused(.notPermitted)), in: .pin),
                "bpf(BPF_OBJ_PIN): /p/x: it is not allowed, run it as root"
            ),
            (
                KernelError(.cannotPin("/p/x", .refused(.noMemory)), in: .pin),
                "bpf(BPF_OBJ_PIN): /p/x: Cannot allocate memory (12)"
            ),
            (
                KernelError(.wrongSize(3, expected: 4), in: .lookUpElement),
                "bpf(BPF_MAP_LOOKUP_ELEM): 3 bytes, the map has 4 there"
            ),
            (
                KernelError(.tooLarge(65_536, limit: 65_535), in: .attachClassic),
                "setsockopt(SO_ATTACH_FILTER): 65536 is too large, at most 65535 is allowed"
            ),
            (
                KernelError(.partialRecord(bytes: 9, recordSize: 8), in: .attachClassic),
                "setsockopt(SO_ATTACH_FILTER): 9 bytes are no whole number of records of 8 bytes"
            ),
            (
                KernelError(.unknownSymbol("bpf_x"), in: .readSymbols),
                "/proc/kallsyms: this kernel has no symbol bpf_x"
            ),
            (
                KernelError(.hiddenAddresses, in: .readSymbols),
                "/proc/kallsyms: the kernel hides addresses, read them as root with kernel.kptr_restrict at most 1"
            ),
            (
                KernelError(.symbolTooFar("bpf_x", distance: 1 << 40), in: .readSymbols),
                "/proc/kallsyms: bpf_x is 1099511627776 bytes from __bpf_call_base, a call reaches 31 bits"
            ),
        ])
        func saysWhatWouldBeRight(_ error: KernelError, _ text: String) {
            #expect(error.description == text)
        }

        /// On Linux before 5.11, which counts maps and programs as locked memory.
        @Test func theLimitOfLockedMemoryIsSaid() {
            #expect(
                KernelError.privileges(countingLockedMemory: true)
                    == "run it as root, and raise the limit of locked memory, which counts before Linux 5.11: ulimit -l unlimited"
            )
        }
    }
#endif
