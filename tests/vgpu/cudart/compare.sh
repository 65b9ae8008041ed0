#!/bin/sh
# compare.sh EXPECTED COMMAND...: the command must print exactly what EXPECTED holds.
expected=$1
shift
"$@" 2>/dev/null | diff -u "$expected" -
