#!/bin/sh
# How long the tool takes from its start to the object, beside `tcpdump -d` for the same expression in the same run,
# and how much memory. Prints the machine, the times and the ratio.
set -eu
cd "$(dirname "$0")/../.."
. examples/install.sh
install_packages libpcap-dev pkg-config tcpdump hyperfine time

swift build -c release --static-swift-stdlib --product cbpf2ebpf >/dev/null
built=$(swift build -c release --static-swift-stdlib --show-bin-path)/cbpf2ebpf
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
results=$scratch/results.json
# A copy, as an installed tool is one: the file the linker wrote lies in smaller pieces in the page cache, which costs
# a tenth of the time.
bin=$scratch/cbpf2ebpf
cp "$built" "$bin"

echo "machine: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), $(date -I)"
hyperfine -N --warmup 20 --runs 300 --style basic --export-json "$results" \
    "$bin -o /dev/null 'icmp or udp'" "tcpdump -d 'icmp or udp'" 2>/dev/null
python3 - "$results" <<'PYTHON'
import json, sys
ours, theirs = (result["median"] for result in json.load(open(sys.argv[1]))["results"])
print(f"median: cbpf2ebpf {ours * 1000:.2f} ms, tcpdump -d {theirs * 1000:.2f} ms, ratio {ours / theirs:.2f} (aim: at most 2)")
PYTHON
memory=$(/usr/bin/time -f %M "$bin" -o /dev/null 'icmp or udp' 2>&1)
echo "memory: $((memory / 1024)) MiB (aim: under 30)"
