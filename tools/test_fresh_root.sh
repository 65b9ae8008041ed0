#!/usr/bin/env bash
# Proves that a fresh machine needs nothing but git, make, python3 and root: makes a minimal Debian root (fresh_root.sh
# says how, and which variables choose another), puts the project into it, runs make targets there and prints their times.
#
#   tools/test_fresh_root.sh [TARGET...]     default: demo test; lab1 doctor of a student's archive
#
#   ARCHIVE=FILE.tar.gz   what `flashlab package student` wrote, instead of a clone of HEAD
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/fresh_root.sh

[ $# -gt 0 ] || { [ -n "${ARCHIVE:-}" ] && set -- lab1 doctor || set -- demo test; }
make_root

rm -rf "$root/root/flashlab"
if [ -n "${ARCHIVE:-}" ]; then
  tar xzf "$ARCHIVE" --no-same-owner -C "$root/root"
  echo "fresh-root: $(basename "$ARCHIVE") unpacked: $(find "$root/root/flashlab" -type f | wc -l) files"
else
  git clone --quiet --no-hardlinks . "$root/root/flashlab"
  echo "fresh-root: $(git describe --always) cloned"
fi
total=$SECONDS
for target in "$@"; do
  start=$SECONDS
  inside make -C /root/flashlab "$target" || die "make $target FAILED"
  echo "fresh-root: make $target passed in $((SECONDS - start)) s on $(nproc) cores"
done
echo "fresh-root: $* passed in $((SECONDS - total)) s in all"
