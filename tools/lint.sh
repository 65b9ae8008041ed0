#!/usr/bin/env bash
# Checks the style of a built tree. Every check runs even when an earlier one fails; the exit code is non-zero when
# any does. `make format` repairs what a formatter can.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
jobs=${1:-$(nproc)}
max_lines=450
failed=()

for tool in clang-format-14 clang-tidy-14 .venv/bin/ruff; do
  command -v "$tool" >/dev/null || { echo "lint: $tool is missing: run make lint, which installs it" >&2; exit 1; }
done

check() {
  local name=$1
  shift
  local start=$SECONDS
  if "$@"; then
    printf 'lint: %-14s ok (%d s)\n' "$name" $((SECONDS - start))
  else
    printf 'lint: %-14s FAILED\n' "$name" >&2
    failed+=("$name")
  fi
}

sources() { git ls-files -z -- '*.cpp' '*.hpp' '*.h' '*.cu' '*.cuh'; }

clang_format() {
  local places
  places=$(sources | xargs -0 clang-format-14 --dry-run 2>&1 | grep -E '(warning|error): ' | cut -d: -f1 | sort | uniq -c)
  [ -z "$places" ] || { printf '%s\n' "$places (places in each file; make format repairs them)" >&2; return 1; }
}

# Our own translation units: those that git knows and the build compiles. One that passed is not looked at again until
# it, a header or the configuration changes.
clang_tidy() {
  mkdir -p build/lint
  # The commands of the build, without what only GCC knows.
  sed -E 's/ -fno-(thread-jumps|tree-pre)//g' build/compile_commands.json > build/lint/compile_commands.json
  headers=$(git ls-files -z -- '*.hpp' '*.h' .clang-tidy | xargs -0 sha256sum | sha256sum)
  export headers
  # shellcheck disable=SC2016  # the inner shell's own variables
  comm -12 <(git ls-files -- '*.cpp' | sort) \
    <(.venv/bin/python -c 'import json, os
for unit in json.load(open("build/compile_commands.json")):
    print(os.path.relpath(os.path.join(unit["directory"], unit["file"])))' | sort -u) |
    tr '\n' '\0' | xargs -0 -P "$jobs" -n 1 bash -c '
      passed=build/lint/$({ echo "$headers"; sha256sum "$1"; } | sha256sum | cut -c 1-32)
      [ -e "$passed" ] || { clang-tidy-14 -p build/lint --quiet --warnings-as-errors="*" "$1" && touch "$passed"; }' - \
      2> >(grep -Ev 'warnings? generated|^Suppressed|^Use -header-filter' >&2)
}

ruff_check() { .venv/bin/ruff check --quiet .; }
ruff_format() { .venv/bin/ruff format --quiet --check .; }
stubs() { .venv/bin/python tools/make_stubs.py --check; }

# Recorded data, inputs of fuzzers, lock files and the tables of a lab's cases are as long as they are.
file_sizes() {
  git ls-files -z -- ':!*.lock' ':!labs/*/lab.toml' ':!handouts/data/*' ':!tests/vgpu/fuzz/corpus/*' ':!*.json' ':!*.png' ':!*.svg' ':!*.bin' ':!*.npy' ':!*.npz' |
    xargs -0 wc -l | awk -v max=$max_lines '$2 != "total" && $1 > max {
      printf "%s: %d lines, more than %d: split it by responsibility\n", $2, $1, max; bad = 1 } END { exit bad }' >&2
}

check clang-format clang_format
check clang-tidy clang_tidy
check ruff ruff_check
check ruff-format ruff_format
check stubs stubs
check file-sizes file_sizes

[ ${#failed[@]} = 0 ] || { echo "lint: failed: ${failed[*]}" >&2; exit 1; }
