#!/usr/bin/env bash
# Looks for inputs that break what reads files (tests/vgpu/fuzz), with libFuzzer and the address and undefined behaviour
# sanitizers. Needs clang-14 and libclang-rt-14-dev.
#
#   tools/fuzz.sh TARGET SECONDS    TARGET: elf, fatbin, ptx, ptxas or program
#
# Starts from tests/vgpu/fuzz/corpus/TARGET, collects what reaches new code in build/fuzz/found/TARGET, and stops with exit
# code 1 at an input that breaks the target, which it leaves there too: put it into the corpus under a name that says why.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-} seconds=${2:-}
corpus=tests/vgpu/fuzz/corpus/$target
[ -n "$seconds" ] && [ -d "$corpus" ] || { echo "usage: tools/fuzz.sh elf|fatbin|ptx|ptxas|program SECONDS" >&2; exit 2; }
command -v clang++-14 >/dev/null || { echo "fuzz: clang++-14 is missing: apt-get install clang-14 libclang-rt-14-dev" >&2; exit 1; }

[ -f build/fuzz/build.ninja ] || cmake -S . -B build/fuzz -G Ninja -Wno-dev --log-level=WARNING \
  -DCMAKE_CXX_COMPILER=clang++-14 -DFLASHLAB_SANITIZE=fuzzer >/dev/null
cmake --build build/fuzz --target "fuzz_$target" -- --quiet >&2
found=build/fuzz/found/$target
mkdir -p "$found"
options=(-max_total_time="$seconds" -max_len=16384 -rss_limit_mb=3000 -timeout=30 -print_final_stats=1 -close_fd_mask=1)
case $target in ptx | program) options+=(-dict=tests/vgpu/fuzz/ptx.dict) ;; esac
# What printf in a kernel writes goes nowhere (-close_fd_mask=1), what libFuzzer says to stderr.
exec build/fuzz/tests/vgpu/fuzz/fuzz_"$target" "${options[@]}" -artifact_prefix="$found/" "$found" "$corpus"
