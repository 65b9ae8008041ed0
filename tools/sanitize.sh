#!/usr/bin/env bash
# Builds the virtual GPU with a sanitizer and runs with it what is built already: the test programs in build/tests, once
# more as compiled code where that is tested, and the C++ tests of its front end, the judge and the worker. A finding ends
# a program, and this script with exit code 1.
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
library=$(g++ -print-file-name=$runtime)
export ASAN_OPTIONS=detect_leaks=0:handle_segv=0
export TSAN_OPTIONS=suppressions=$PWD/tests/vgpu/thread_sanitizer.supp
export VGPU_QUIET=1
export library

# passed PROGRAM [ARGUMENT...]: whether it ran to its end without a finding, with exit code 0 or, if $worst is set, up to that.
passed() {
  local output status=0
  output=$(env LD_PRELOAD="$library" "$@" 2>&1) || status=$?
  if [ $status -le "${worst:-0}" ] && ! grep -qE 'Sanitizer|runtime error' <<<"$output"; then
    echo "sanitize: ok      $*"
  else
    echo "sanitize: FAILED  $*"
    grep -A12 -m1 -E 'Sanitizer|runtime error' <<<"$output" || tail -n 3 <<<"$output"
    return 1
  fi
}
export -f passed

# programs FOLDER...: the programs that the build has put there.
programs() {
  find "${@/#/build/tests/vgpu/}" -maxdepth 1 -type f -executable | sort
}

commands() {
  local program name number mode run="$folder/bin/vgpu run" conformance=build/tests/vgpu/cudart/conformance
  for program in $(programs programs counters field checks/clean checks/pairs cudart/linked cudart/cuda12/calls); do
    case $program in
      */machine_code_only) continue ;;  # has nothing to run
      */checks/*) program+=" --all" ;;
    esac
    echo "passed $run --check all $program"
  done
  for program in $(programs checks/seeded); do
    for name in $($program --list); do echo "worst=1 passed $run --check all $program $name"; done
  done
  for program in $(programs field compile); do echo "VGPU_COMPILE=1 passed $run $program"; done
  for program in $conformance ${conformance}_per_thread; do
    for mode in conformance fault trap assert misaligned reset; do echo "passed $run $program $mode"; done
  done
  for number in $(seq 0 $(($(wc -l <tests/vgpu/cudart/conformance/h200/errors.txt) - 1))); do
    echo "passed $run $conformance errors $number"
  done
  for program in "${tests[@]}"; do
    case $program in
      fuzz_*) echo "passed $(find "$folder" -name "$program" -type f) tests/vgpu/fuzz/corpus/${program#fuzz_}" ;;
      *) echo "passed $(find "$folder" -name "$program" -type f)" ;;
    esac
  done
}
for place in programs counters field compile checks/{clean,pairs,seeded} \
  cudart/{linked,cuda12/calls,conformance,conformance_per_thread}; do
  [ -n "$(programs "$place" 2>/dev/null)" ] && continue
  echo "sanitize: build/tests/vgpu/$place is missing: make build-all first" >&2
  exit 1
done
list=$(commands)
xargs -P "$jobs" -I{} bash -c '{}' <<<"$list" && echo "sanitize: $(wc -l <<<"$list") programs, no finding ($kind)"
