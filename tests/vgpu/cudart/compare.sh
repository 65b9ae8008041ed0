#!/bin/sh
# compare.sh EXPECTED COMMAND...: the command must print exactly what EXPECTED holds, a record of a real GPU; a line of
# deliberate/NAME stands for the one of the same beginning, up to ` =` or `:`.
expected=$1
shift
deliberate=$(dirname "$expected")/../deliberate/$(basename "$expected")
[ -f "$deliberate" ] || deliberate=/dev/null
wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
awk -F ' =|:' -v own="$deliberate" '
  BEGIN { while ((getline line < own) > 0) { split(line, part, FS); ours[part[1]] = line } }
  { print ($1 in ours) ? ours[$1] : $0; delete ours[$1] }
  END { for (name in ours) print "not in the record: " name }' "$expected" >"$wanted"
"$@" 2>/dev/null | diff -u "$wanted" -
