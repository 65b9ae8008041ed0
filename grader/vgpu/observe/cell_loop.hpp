// Loops over shadows of memory are compiled for several instruction sets; the loader picks one.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define VGPU_CELL_LOOP [[gnu::target_clones("arch=x86-64-v4", "avx2", "default")]]
#else
#define VGPU_CELL_LOOP
#endif
