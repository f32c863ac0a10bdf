#!/bin/sh
# How long the tool takes, and how much memory, for an unoptimised libpcap program of 60,000 instructions, without the
# time that libpcap itself takes. Prints the machine and a line for each hook.
set -eu
cd "$(dirname "$0")/../.."
. examples/install.sh
install_packages libpcap-dev pkg-config time python3

swift build -c release --static-swift-stdlib --product cbpf2ebpf >/dev/null
bin=$(swift build -c release --static-swift-stdlib --show-bin-path)/cbpf2ebpf
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -c 'print(" or ".join(f"host 10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(2003)))' >"$scratch/hosts"

echo "machine: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), $(date -I)"
seconds() { /usr/bin/time -f '%U %M' "$bin" --no-pcap-optimizer -F "$scratch/hosts" -o /dev/null "$@" 2>&1 | tail -n 1; }
classic=$(seconds --emit classic)
for hook in 'xdp --match drop' 'tc --match shot'; do
    # shellcheck disable=SC2086
    whole=$(seconds --emit raw --hook $hook)
    python3 - "$hook" $classic $whole <<'PYTHON'
import sys
hook, classic, _, whole, memory = sys.argv[1:]
print(f"{hook}: {float(whole) - float(classic):.2f} s (aim: under 2), {int(memory) // 1024} MiB (aim: under 500), "
      f"and {float(classic):.1f} s of libpcap")
PYTHON
done
