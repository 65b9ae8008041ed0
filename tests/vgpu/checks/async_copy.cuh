// cp.async as the pipelines here use it: 16 bytes of each thread, groups, and waits for groups.
#pragma once

__device__ __forceinline__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}
/// Starts a copy of 16 bytes from global to shared memory, past L1. Both are 16-byte aligned.
__device__ __forceinline__ void copy_async(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(to)), "l"(from)
               : "memory");
}
/// The same for the first `present` bytes; the others become zeros.
__device__ __forceinline__ void copy_async(void* to, const void* from, int present) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(present)
               : "memory");
}
/// Closes the group of the copies that this thread has started.
__device__ __forceinline__ void commit_group() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until at most kPending groups of this thread are not complete.
template <int kPending>
__device__ __forceinline__ void wait_group() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}
