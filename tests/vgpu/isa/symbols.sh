#!/usr/bin/env bash
# The lane code is compiled for several processors. A function that is not in its own namespace could be linked from any
# of them, and then run on a processor that lacks the instructions: none may be there.
# usage: symbols.sh VARIANT OBJECT...
set -euo pipefail
variant=$1
shift
[ $# -gt 0 ] || { echo "no objects given"; exit 1; }
# Defined symbols that other objects can see, without data that holds no code (V, u, B, D) and variant's own.
seen=$(nm -C --defined-only "$@" | grep -cE ' [TtW] ' || true)
[ "$seen" -gt 0 ] || { echo "no functions found in $*"; exit 1; }
strangers=$(nm -C --defined-only "$@" | grep -E ' [TW] ' | grep -v "vgpu::$variant::" || true)
[ -z "$strangers" ] || { echo "functions outside vgpu::$variant:"; echo "$strangers"; exit 1; }
echo "$seen functions, all in vgpu::$variant"
