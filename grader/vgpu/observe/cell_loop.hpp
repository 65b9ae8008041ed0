// Loops over shadows of memory are compiled for several instruction sets; the loader picks one.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define VGPU_CELL_LOOP [[gnu::target_clones("arch=x86-64-v4", "avx2", "default")]]
#else
#define VGPU_CELL_LOOP
#endif

// In front of a loop whose rounds write different cells, or one cell alike.
#if defined(__clang__)
#define VGPU_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define VGPU_INDEPENDENT _Pragma("GCC ivdep")
#endif
