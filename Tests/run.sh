#!/bin/sh
# Runs all tests. Installs what they compare with: tcpdump, bpftool, libbpf, LLVM, iproute2, xdp-loader, iptables, bpfc
# and a C compiler.
# Arguments go to `swift test`, for instance --filter Pcap; without any, 100,000 random filters are compared as well.
set -eu
cd "$(dirname "$0")/.."

fail() { echo "Tests/run.sh: $*" >&2; exit 1; }

command -v swift >/dev/null || fail "no swift found; install a Swift 6.1 or later toolchain from swift.org and put it in PATH"

. examples/install.sh
install_packages libpcap-dev pkg-config tcpdump bpftool libbpf-dev clang llvm gcc libc6-dev binutils iproute2 \
    util-linux python3 python3-jsonschema netsniff-ng iptables xdp-tools

# Optimised, because most of the tests' time is spent in comparing; the assertions stay. Imports are held to what
# Package.swift draws and, in CI, warnings are errors, so that one build shows both. Beside the tests it makes the tool,
# for the tests that run it as a process.
flags="--scratch-path .build-tests --explicit-target-dependency-import-check error
    -Xswiftc -O -Xswiftc -assert-config -Xswiftc Debug"
[ "${CI:-}" != true ] || flags="$flags -Xswiftc -warnings-as-errors"
# shellcheck disable=SC2086
swift build --build-tests $flags
# shellcheck disable=SC2086
run_tests() { swift test --skip-build $flags "$@"; }
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "the kernel tests need root: run as root or install sudo"
    echo "Tests/run.sh: running the tests with sudo, they load programs into the kernel"
    # shellcheck disable=SC2086
    run_tests() { sudo -E env "PATH=$PATH" swift test --skip-build $flags "$@"; }
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
{
    status=0
    run_tests "$@" || status=$?
    echo "$status" >"$scratch/status"
} 2>&1 | tee "$scratch/log"
status=$(cat "$scratch/status")
# Where only the end of a log is kept, it is to say what failed.
[ "$status" -eq 0 ] || LC_ALL=C awk -f Tests/failures.awk "$scratch/log"
[ "$#" -eq 0 ] || exit "$status"

swift build -c release --product compare-with-interpreter
"$(swift build -c release --show-bin-path)/compare-with-interpreter" --programs 100000 || {
    [ "$status" -ne 0 ] || status=1
    echo "Tests/run.sh: optimised programs decide otherwise than their filters; see above"
}
exit "$status"
