#!/usr/bin/env bash
# Runs every test of a built tree: CTest for C++, then pytest. Both run even when the first fails; the exit code is
# non-zero when either does.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
jobs=${1:-$(nproc)}

verdict() { if [ "$1" = 0 ]; then echo passed; else echo "FAILED (exit code $1)"; fi; }

# Of the tests that pass, only their number is worth reading.
ctest --test-dir build --no-tests=error --output-on-failure -j"$jobs" |
  grep --line-buffered -vE '^ +Start +[0-9]+: |[0-9]+/[0-9]+ Test .* Passed '
cpp=${PIPESTATUS[0]}
.venv/bin/python -m pytest tests -n "$jobs"
python=$?

printf '\nC++ tests:    %s\nPython tests: %s\n%d s\n' "$(verdict "$cpp")" "$(verdict $python)" $SECONDS
[ "$cpp" = 0 ] && [ $python = 0 ]
