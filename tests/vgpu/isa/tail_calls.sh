#!/usr/bin/env bash
# A handler ends by jumping to the next one. One that calls it instead leaves a frame on the stack for every instruction
# that a kernel executes, until the stack is full: no function of the lane code may call through a pointer.
# usage: tail_calls.sh OBJECT...
set -euo pipefail
[ $# -gt 0 ] || { echo "no objects given"; exit 1; }
listing() { objdump -d -C --no-show-raw-insn "$@"; }
jumps=$(listing "$@" | grep -cE 'jmp +\*' || true)
[ "$jumps" -gt 0 ] || { echo "no jumps through pointers found in $*"; exit 1; }
calls=$(listing "$@" | awk '/^[0-9a-f]+ <.*>:$/ { name = $0 } /call +\*/ { print name }' | sort -u)
[ -z "$calls" ] || { echo "these functions call a handler instead of jumping to it:"; echo "$calls"; exit 1; }
echo "$jumps jumps through pointers, no calls"
