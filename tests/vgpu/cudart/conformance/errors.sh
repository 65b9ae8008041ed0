#!/bin/sh
# errors.sh PROGRAM...: what the program prints as its case 0, 1, 2, ... of `errors`, until it knows no more (exit code 2).
number=0
while :; do
  line=$("$@" errors $number 2>/dev/null)
  case $? in
    0) echo "$line" ;;
    2) exit 0 ;;
    *) echo "${line}crashed" ;;
  esac
  number=$((number + 1))
done
