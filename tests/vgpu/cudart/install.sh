#!/bin/sh
# install.sh CMAKE BUILD PROGRAM: the installed vgpu runs a program with the runtime that was installed beside it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" --install "$2" --component vgpu --prefix "$folder" > /dev/null
test "$(cd "$folder" && find . -type f | sort | tr '\n' ' ')" = "./bin/vgpu ./lib/libcudart.so.12 ./lib/libcudart.so.13 "
"$folder/bin/vgpu" run "$3"
