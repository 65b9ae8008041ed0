#!/bin/sh
# exports.sh OURS VERSION NAMES|NVCC: our library exports every function of NVIDIA's libcudart.so.VERSION and nothing else
# but vgpu*, each with the version node that programs ask for. NAMES lists NVIDIA's functions; without a list the library
# beside NVCC is asked, and the answer is 77 (skipped) where the toolkit has no shared runtime to compare with.
node=libcudart.so.$2
versioned() { nm -D --defined-only "$1" | awk '{print $3}' | grep -v "^$node\$"; }
names() { versioned "$1" | sed 's/@.*//' | LC_ALL=C sort; }
strangers=$(versioned "$1" | grep -v "@@$node\$")
if [ -n "$strangers" ]; then
  echo "exported without the version node $node:" && echo "$strangers" && exit 1
fi
if [ "${3##*.}" = txt ]; then
  LC_ALL=C sort "$3" >"exports_$2.txt"
else
  root=$(dirname "$(dirname "$(readlink -f "$3")")")
  for theirs in "$root"/lib64/"$node" "$root"/lib/"$node" "$root"/targets/*/lib/"$node" ""; do
    [ -e "$theirs" ] && break
  done
  [ -n "$theirs" ] || { echo "NVIDIA's $node is not beside $3" && exit 77; }
  names "$theirs" >"exports_$2.txt"
fi
names "$1" | grep -v '^vgpu' | diff "exports_$2.txt" - && echo "$(wc -l <"exports_$2.txt") names agree"
