#!/bin/sh
# How long the optimiser takes for unoptimised libpcap programs of 15,000, 30,000 and 60,000 instructions, without
# libpcap's time, and the peak memory of the whole process. Prints the machine and a line for each.
set -eu
cd "$(dirname "$0")/../.."
. examples/install.sh
install_packages libpcap-dev pkg-config time

swift build -c release --product measure-compile-time >/dev/null
bin=$(swift build -c release --show-bin-path)/measure-compile-time

echo "machine: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), $(date -I)"
for hook in xdp tc; do
    for hosts in 501 1002 2003; do
        /usr/bin/time -f "    peak memory: %M KiB (aim: under 512000)" "$bin" "$hook" "$hosts" 2>&1
    done
done
