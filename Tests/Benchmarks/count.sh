#!/bin/sh
# What counting with 16 filters in one program costs beside the sum of the filters' own times, and how long `count` takes
# from its start until it counts. Prints the machine and Markdown. Needs root; its namespace has a loopback alone.
set -eu
cd "$(dirname "$0")/../.."
. examples/install.sh
install_packages libpcap-dev pkg-config hyperfine iproute2

build() {
    swift build -c release --product "$1" >/dev/null
    echo "$(swift build -c release --show-bin-path)/$1"
}
measure=$(build measure-counting)
tool=$(build cbpf2ebpf)
results=$(mktemp)
trap 'rm -f "$results"' EXIT

echo "machine: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), $(date -I)"
"$measure"
echo
for place in '-i lo' '-i lo --hook xdp' '-i lo --hook tcx-ingress' '--hook netfilter'; do
    # A millisecond of counting is in it.
    unshare -n sh -ec "ip link set lo up; hyperfine -N --warmup 3 --runs 30 --style none --export-json '$results' \
        '$tool count $place tcp udp icmp --for 1ms'" >/dev/null 2>&1
    python3 -c "
import json, sys
times = json.load(open(sys.argv[1]))['results'][0]
print(f'start of count {sys.argv[2]}: median {times[\"median\"] * 1000:.0f} ms, most {times[\"max\"] * 1000:.0f} ms (aim: under 100)')
" "$results" "$place"
done
