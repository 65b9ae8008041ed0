#!/bin/sh
# exports.sh OURS NVCC: our library exports every function of NVIDIA's libcudart.so.13 and nothing else but vgpu*, each
# with the version node that programs ask for. 77 (skipped) where the toolkit has no shared runtime to compare with.
ours=$(nm -D --defined-only "$1" | awk '{print $3}' | sort)
strangers=$(echo "$ours" | grep -v '@@libcudart\.so\.13$' | grep -v '^libcudart\.so\.13$')
if [ -n "$strangers" ]; then
  echo "exported without the version node libcudart.so.13:" && echo "$strangers" && exit 1
fi
root=$(dirname "$(dirname "$(readlink -f "$2")")")
for theirs in "$root"/lib64/libcudart.so.13 "$root"/lib/libcudart.so.13 "$root"/targets/*/lib/libcudart.so.13; do
  [ -e "$theirs" ] || continue
  nm -D --defined-only "$theirs" | awk '{print $3}' | sort >exports_theirs.txt
  echo "$ours" | grep -v '^vgpu' | diff exports_theirs.txt - && echo "$(wc -l <exports_theirs.txt) names agree" && exit 0
  exit 1
done
echo "NVIDIA's libcudart.so.13 is not beside $2" && exit 77
