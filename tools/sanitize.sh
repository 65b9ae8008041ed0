#!/usr/bin/env bash
# Builds the virtual GPU with a sanitizer and runs with it what is built already: the test programs in build/tests and the
# C++ tests of its front end, the judge and the worker. A finding ends a program, and this script with exit code 1.
#
#   tools/sanitize.sh address|thread [JOBS]
set -uo pipefail
cd "$(dirname "$0")/.." || exit
kind=${1:-}
jobs=${2:-$(nproc)}
case $kind in
  address) sanitizers=address,undefined runtime=libasan.so ;;
  thread) sanitizers=thread runtime=libtsan.so ;;
  *) echo "usage: tools/sanitize.sh address|thread [JOBS]" >&2; exit 2 ;;
esac
folder=build/sanitize-$kind
tests=(ptx_test fatbin_test fuzz_elf fuzz_fatbin fuzz_program fuzz_ptx fuzz_ptxas judge_test worker_test)
cmake -S . -B "$folder" -G Ninja -Wno-dev --log-level=WARNING -DFLASHLAB_SANITIZE="$sanitizers" >/dev/null &&
  cmake --build "$folder" --parallel "$jobs" --target cudart vgpu "${tests[@]}" -- --quiet || exit

# Programs of nvcc have no instruments: the sanitizer's library has to be there before they start. They may exit with what
# they hold, and the runtime's own objects live as long as the process.
LD_PRELOAD=$(g++ -print-file-name=$runtime)
export ASAN_OPTIONS=detect_leaks=0:handle_segv=0
export TSAN_OPTIONS=suppressions=$PWD/tests/vgpu/thread_sanitizer.supp
export VGPU_QUIET=1
export LD_PRELOAD

# passed PROGRAM [ARGUMENT...]: whether it ran to its end without a finding.
passed() {
  local output
  if output=$("$@" 2>&1) && ! grep -q Sanitizer <<<"$output"; then
    echo "sanitize: ok      ${*: -1}"
  else
    echo "sanitize: FAILED  $*"
    grep -A12 -m1 -E 'Sanitizer|runtime error' <<<"$output" || tail -n 3 <<<"$output"
    return 1
  fi
}
export -f passed

commands() {
  local program
  for program in build/tests/vgpu/programs/* build/tests/vgpu/counters/* build/tests/vgpu/checks/*; do
    [ -f "$program" ] && [ -x "$program" ] && echo "$folder/bin/vgpu run --check all $program"
  done
  for program in "${tests[@]}"; do
    case $program in
      fuzz_*) echo "$(find "$folder" -name "$program" -type f) tests/vgpu/fuzz/corpus/${program#fuzz_}" ;;
      *) find "$folder" -name "$program" -type f ;;
    esac
  done
}
count=$(commands | wc -l)
[ "$count" -gt ${#tests[@]} ] || { echo "sanitize: no test programs in build/tests: make build-all first" >&2; exit 1; }
commands | xargs -P "$jobs" -I{} bash -c 'passed {}' && echo "sanitize: $count programs, no finding ($kind)"
