#include "buffers.hpp"

namespace flashlab::worker {

Buffers::~Buffers() {
  for (const Buffer& buffer : buffers_) cudaFree(buffer.allocation);
}

void* Buffers::add(const char* name, size_t bytes) {
  const size_t guard = guard_bytes();
  void* allocation = nullptr;
  check(cudaMalloc(&allocation, bytes + 2 * guard), "cudaMalloc");
  buffers_.push_back({name, static_cast<std::byte*>(allocation), bytes});
  std::byte* data = buffers_.back().allocation + guard;
  if (guard > 0) {
    check(cudaMemset(allocation, protocol::kGuardByte, bytes + 2 * guard), "cudaMemset");
  }
  check(cudaMemset(data, protocol::kPoison & 0xFF, bytes), "cudaMemset");
  // The submission may use any stream: nothing of ours may still be under way when it starts.
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  device_.forget_writes(data, bytes);  // a pattern is no value
  device_.name_buffer(data, name);
  return data;
}

void* Buffers::add_input(const char* name, std::span<const std::byte> bytes) {
  void* data = add(name, bytes.size());
  check(cudaMemcpy(data, bytes.data(), bytes.size(), cudaMemcpyHostToDevice), "cudaMemcpy");
  return data;
}

void* Buffers::add_output(const char* name, size_t bytes) {
  return add(name, bytes);
}

void* Buffers::allocate_workspace(void* context, const char* name, size_t bytes) {
  auto& self = *static_cast<Buffers*>(context);
  const bool fits = bytes > 0 && bytes <= self.workspace_limit_ - self.workspace_bytes_ &&
                    self.count() < protocol::kMaxBuffers;
  if (fits) {
    try {
      void* data = self.add(name != nullptr ? name : "", bytes);
      self.workspace_bytes_ += bytes;
      return data;
    } catch (const SetupError&) {
      cudaGetLastError();  // the caller learns it from nullptr, not from a later call
    }
  }
  ++self.refused_;
  return nullptr;
}

void Buffers::copy_back(size_t index, std::span<std::byte> target) const {
  check(cudaMemcpy(target.data(), buffers_[index].allocation + guard_bytes(), target.size(),
                   cudaMemcpyDeviceToHost),
        "cudaMemcpy");
}

bool Buffers::copy_guards(std::span<std::byte> target) const {
  const size_t guard = guard_bytes();
  if (guard == 0) return false;
  for (size_t i = 0; i < count(); ++i) {
    const std::byte* front = buffers_[i].allocation;
    const std::byte* back = front + guard + buffers_[i].bytes;
    std::byte* to = target.data() + 2 * i * guard;
    check(cudaMemcpy(to, front, guard, cudaMemcpyDeviceToHost), "cudaMemcpy");
    check(cudaMemcpy(to + guard, back, guard, cudaMemcpyDeviceToHost), "cudaMemcpy");
  }
  return true;
}

}  // namespace flashlab::worker
