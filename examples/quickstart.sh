#!/bin/sh
# From a fresh Debian machine with a Swift toolchain to a tcpdump expression that runs as eBPF.
# Installs what the build needs, builds, filters the sample capture, and loads the program where that is allowed.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "quickstart: $*" >&2; exit 1; }

command -v swift >/dev/null || fail "no swift found; install a Swift 6.1 or later toolchain from swift.org and put it in PATH"

. examples/install.sh
install_packages libpcap-dev pkg-config

echo "quickstart: building; a first build takes a few minutes, a linker's warning of mktemp is harmless"
swift build -c release --static-swift-stdlib --product cbpf2ebpf
swift build -c release --static-swift-stdlib --product match-capture
bin=$(swift build -c release --static-swift-stdlib --show-bin-path)

echo
echo "quickstart: cbpf2ebpf --emit classic 'icmp or udp'"
"$bin/cbpf2ebpf" --emit classic 'icmp or udp'
echo
echo "quickstart: cbpf2ebpf --emit asm 'icmp or udp'"
"$bin/cbpf2ebpf" --emit asm 'icmp or udp'
echo
object=$(mktemp -d)/prog.o
trap 'rm -rf "$(dirname "$object")"' EXIT
echo "quickstart: cbpf2ebpf 'icmp or udp' > prog.o"
"$bin/cbpf2ebpf" 'icmp or udp' > "$object"
echo "prog.o has $(wc -c < "$object") bytes"
echo
echo "quickstart: match-capture examples/sample.pcap 'icmp or udp'"
"$bin/match-capture" examples/sample.pcap 'icmp or udp'
echo
echo "quickstart: done. The tool is $bin/cbpf2ebpf; copy it to where your shell looks, such as /usr/local/bin."
