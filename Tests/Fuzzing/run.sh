#!/bin/sh
# Fuzzes the parsers: Tests/Fuzzing/run.sh SECONDS [FORM ...], each form for that many seconds.
# What stops a parser is kept in Corpus/FORM, which the tests read too. Needs the Swift toolchain on Linux.
set -eu
cd "$(dirname "$0")"
seconds=$1
shift
root=../..
build=$root/.build/fuzzing
forms=${*:-tcpdump-d tcpdump-dd tcpdump-ddd xt-bpf bpf-asm c-array sock-filter cbpf-savefile ebpf-asm pcap-filter object}
mkdir -p "$build"

# Module by module, as `swift build` would do it but for the instrumentation.
flags="-O -enable-testing -sanitize=fuzzer -parse-as-library -swift-version 6 -I $build"
for module in ClassicBPF ExtendedBPF BPFAssembly BPFObject; do
    # shellcheck disable=SC2046,SC2086
    swiftc $flags -wmo -module-name $module -emit-module -emit-module-path "$build/$module.swiftmodule" \
        -emit-object -o "$build/$module.o" $(find "$root/Sources/$module" -name '*.swift')
done
# shellcheck disable=SC2086
swiftc $flags -o "$build/fuzz" Fuzz.swift "$build"/ClassicBPF.o "$build"/ExtendedBPF.o "$build"/BPFAssembly.o \
    "$build"/BPFObject.o

status=0
for form in $forms; do
    mkdir -p "Corpus/$form" "$build/$form"
    echo "== $form"
    # New inputs of interest go to the build folder, crashers to the corpus.
    if ! FORM=$form SWIFT_BACKTRACE=enable=no "$build/fuzz" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
        -rss_limit_mb=2048 -artifact_prefix="Corpus/$form/" -print_final_stats=1 -verbosity=0 \
        "$build/$form" "Corpus/$form" >"$build/$form.log" 2>&1
    then
        status=1
        tail -20 "$build/$form.log"
    fi
    grep stat::number_of_executed_units "$build/$form.log" || true
done
exit $status
