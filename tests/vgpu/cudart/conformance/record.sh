#!/bin/sh
# Records on a real GPU what the conformance program must print: ./record.sh h200, in this folder.
set -e
nvcc -std=c++17 -arch=sm_90 -cudart shared -o /tmp/conformance *.cu
/tmp/conformance >"$1/conformance.txt"
for mode in fault trap assert misaligned reset; do /tmp/conformance $mode >"$1/${mode}.txt" 2>/dev/null; done
./errors.sh /tmp/conformance >"$1/errors.txt"
only_ptx="-cudart shared -arch=compute_80 -code=compute_80"
nvcc $only_ptx --compress-mode none -o /tmp/image ../image.cu
nvcc $only_ptx -o /tmp/image_compressed ../image.cu
python3 ../images.py /tmp/image /tmp/image_compressed >"$1/images.txt"
