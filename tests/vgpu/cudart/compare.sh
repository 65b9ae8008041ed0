#!/bin/sh
# compare.sh VGPU PROGRAM MODE EXPECTED: the program must print exactly what EXPECTED holds.
VGPU_QUIET=1 "$1" run "$2" "$3" 2>/dev/null | diff -u "$4" -
