#!/bin/sh
# How quickly each form of classic programs is read and written, for 1,000,000 instructions, and the peak memory of the
# process, which has the program, its text and what is read from that. Prints the machine and a line for each form.
set -eu
cd "$(dirname "$0")/../.."
. examples/install.sh
install_packages libpcap-dev pkg-config time

swift build -c release --product measure-forms >/dev/null
bin=$(swift build -c release --show-bin-path)/measure-forms

echo "machine: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), $(date -I)"
for form in tcpdump-d tcpdump-dd tcpdump-ddd xt-bpf bpf-asm c-array sock-filter cbpf-savefile llvm; do
    /usr/bin/time -f "    peak memory: %M KiB" "$bin" "$form" 2>&1
done
