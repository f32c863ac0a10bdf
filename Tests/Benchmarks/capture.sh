#!/bin/sh
# Captures small packets at XDP on a veth pair and at other hooks, at several rates, and tells how many of them are in
# the file. The sender has a processor of its own, what else the machine does notwithstanding. Needs root.
#
#   capture.sh [SECONDS]
set -eu
cd "$(dirname "$0")/../.."
. examples/install.sh
install_packages libpcap-dev pkg-config tcpdump iproute2 util-linux gcc

seconds=${1:-5}
swift build -c release --static-swift-stdlib --product cbpf2ebpf >/dev/null
tool=$(swift build -c release --static-swift-stdlib --show-bin-path)/cbpf2ebpf
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc -O2 -o "$scratch/send" Tests/Benchmarks/Capture/send.c
export tool scratch seconds

echo "machine: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) processors, Linux $(uname -r), $(date -I)"
unshare -n sh -eu <<'SCRIPT'
pid=
trap '[ -z "$pid" ] || kill $pid 2>/dev/null || true' EXIT
ip link add left type veth peer name right
for name in left right; do
    echo 1 >/proc/sys/net/ipv6/conf/$name/disable_ipv6
    ip link set $name arp off addrgenmode none up
done
sleep 1

received() { awk '$1 == "right:" { print $3 }' /proc/self/net/dev; }

# capture NAME RATE ARGUMENT...
capture() {
    name=$1; rate=$2; shift 2
    # The shell keeps Ctrl-C from what it starts in the background.
    env --default-signal=INT nice -n -19 "$tool" capture -w "$scratch/file.pcapng" "$@" udp 2>"$scratch/report" & pid=$!
    until grep -qs Ctrl-C "$scratch/report"; do kill -0 $pid; sleep 0.1; done
    before=$(received)
    sent=$(chrt -f 1 "$scratch/send" left $((rate * seconds)) "$rate")
    sleep 0.2
    time=$(awk '{ printf "%.2f", ($14 + $15) / '"$(getconf CLK_TCK)"' }' /proc/$pid/stat)
    memory=$(awk '/VmHWM/ { printf "%d", $2 / 1024 }' /proc/$pid/status)
    kill -INT $pid; wait $pid; pid=
    arrived=$(($(received) - before))
    in_file=$(tcpdump -r "$scratch/file.pcapng" --count 2>/dev/null | sed 's/ .*//')
    set -- $sent
    echo "$name: $1 sent in $2 s ($(echo "$1 $2" | awk '{ printf "%d", $1 / $2 }')/s), $arrived arrived, $in_file in the file," \
        "$(sed -n 's/.*captured, //p' "$scratch/report"); the reader had $time s of a processor and $memory MiB"
}
for rate in 200000 400000 2000000; do capture xdp $rate -i right --hook xdp; done
for hook in tcx-ingress socket; do capture $hook 200000 -i right --hook $hook; done
capture "xdp, 96 bytes of each" 200000 -i right --hook xdp -s 96
SCRIPT
