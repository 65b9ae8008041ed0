// Inline assembly as kernels write it: nested scopes that repeat names, comments, labels, pairs,
// vectors, tensor cores.
#include <cuda_bf16.h>

#include <cstdint>

__device__ __forceinline__ void copy_async(void* shared, const void* global, bool valid) {
  const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile(
      "{\n"
      "  .reg .pred p;\n"
      "  setp.ne.b32 p, %2, 0; // a comment; with a semicolon\n"
      "  @p cp.async.cg.shared.global.L2::128B [%0], [%1], 16;\n"
      "  /* a block\n"
      "     comment } */\n"
      "  @!p st.shared.v4.u32 [%0], {%3, %3, %3, %3};\n"
      "}\n" ::"r"(address),
      "l"(global), "r"(static_cast<int>(valid)), "r"(0));
}

__global__ void tensor(const __nv_bfloat16* a, float* c) {
  __shared__ __align__(16) __nv_bfloat16 tile[64 * 64];
  copy_async(tile + threadIdx.x * 8, a + threadIdx.x * 8, threadIdx.x < 20);
  copy_async(tile + threadIdx.x * 8 + 512, a + threadIdx.x * 8, threadIdx.x < 20);
  asm volatile("cp.async.commit_group;");
  asm volatile("cp.async.wait_group 0;");
  __syncthreads();
  uint32_t fa[4], fb[2];
  float fc[4] = {};
  const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(tile + threadIdx.x * 8));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(fa[0]), "=r"(fa[1]), "=r"(fa[2]), "=r"(fa[3])
               : "r"(address));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2+64];"
               : "=r"(fb[0]), "=r"(fb[1])
               : "r"(address));
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(fc[0]), "+f"(fc[1]), "+f"(fc[2]), "+f"(fc[3])
      : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
  for (int i = 0; i < 4; ++i) c[threadIdx.x * 4 + i] = fc[i];
}

__global__ void scopes_and_labels(uint32_t* out, float* f) {
  uint32_t value = threadIdx.x;
  int valid = 0;
  asm volatile(
      "{ .reg .pred p; .reg .b32 t; shfl.sync.down.b32 t|p, %0, 1, 0x1f, 0xffffffff; selp.s32 %1, "
      "1, 0, p; "
      "mov.b32 %0, t; { .reg .b32 t; add.u32 t, 0b101, 017U; xor.b32 %0, %0, t; } }"
      : "+r"(value), "=r"(valid));
  uint64_t pair;
  asm volatile("mov.b64 %0, {%1, %2};" : "=l"(pair) : "r"(value), "r"(valid));
  asm volatile(
      "{ .reg .b32 low; mov.b64 {low, _}, %1;\n mov.b32 %0, low; again: bra.uni done; done: }"
      : "=r"(value)
      : "l"(pair));
  uint32_t special;
  asm volatile("mov.u32 %0, %%lanemask_lt;" : "=r"(special));
  float x = 1.0f;
  asm volatile("add.f32 %0, %0, 0f3F800000; add.f32 %0, %0, 1.5; ex2.approx.ftz.f32 %0, %0;"
               : "+f"(x));
  asm volatile("red.global.add.f32 [%0+-4], %1;" ::"l"(f + 5), "f"(x));
  asm volatile("prefetch.global.L2 [%0];" ::"l"(f));
  asm volatile(
      "{ .reg .pred p, q; setp.lt.u32 p|q, %0, 3; @!p nanosleep.u32 20; lop3.b32 %0, %0, %1, 0x55, "
      "0xE8; }"
      : "+r"(value)
      : "r"(special));
  asm volatile(
      "{ here: .branchtargets there, gone; brx.idx %0, here; there: add.u32 %0, %0, WARP_SZ; gone: "
      "}"
      : "+r"(value));
  asm volatile("bar.sync 1, 64;");
  out[threadIdx.x] = value + special;
}
