#include "buffers.hpp"

#include <algorithm>

namespace flashlab::worker {

void Arena::prepare() {
  if (largest_ > bytes_) {
    check(cudaFree(memory_), "cudaFree");
    memory_ = nullptr;
    bytes_ = 0;
    void* memory = nullptr;
    check(cudaMalloc(&memory, largest_), "cudaMalloc");
    memory_ = static_cast<std::byte*>(memory);
    bytes_ = largest_;
  }
  if (bytes_ > 0) check(cudaMemset(memory_, protocol::kPoison & 0xFF, bytes_), "cudaMemset");
  asked_ = 0;
}

void* Arena::take(size_t bytes) {
  constexpr size_t kAlignment = 256;
  const size_t start = asked_;
  asked_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  largest_ = std::max(largest_, asked_);
  return asked_ <= bytes_ ? memory_ + start : nullptr;
}

Buffers::~Buffers() {
  for (const Buffer& buffer : buffers_) cudaFree(buffer.allocation);
}

void* Buffers::add(const char* name, size_t bytes) {
  const size_t guard = guard_bytes();
  void* allocation = nullptr;
  check(cudaMalloc(&allocation, bytes + 2 * guard), "cudaMalloc");
  std::byte* data = static_cast<std::byte*>(allocation) + guard;
  buffers_.push_back({name, static_cast<std::byte*>(allocation), data, bytes});
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
      if (name == nullptr) name = "";
      void* data = self.arena_ != nullptr ? self.arena_->take(bytes) : nullptr;
      if (data != nullptr) {
        self.buffers_.push_back({name, nullptr, static_cast<std::byte*>(data), bytes});
      } else {
        data = self.add(name, bytes);
      }
      self.workspace_bytes_ += bytes;
      return data;
    } catch (const SetupError&) {
      cudaGetLastError();  // the caller learns it from nullptr, not from a later call
    }
  }
  ++self.refused_;
  return nullptr;
}

void Buffers::snapshot(size_t index, void* target) const {
  const Buffer& buffer = buffers_[index];
  check(cudaMemcpyAsync(target, buffer.data, buffer.bytes, cudaMemcpyDeviceToDevice),
        "cudaMemcpyAsync");
}

void Buffers::copy_back(size_t index, std::span<std::byte> target) const {
  check(cudaMemcpy(target.data(), buffers_[index].data, target.size(), cudaMemcpyDeviceToHost),
        "cudaMemcpy");
}

bool Buffers::copy_guards(std::span<std::byte> target) const {
  const size_t guard = guard_bytes();
  if (guard == 0) return false;
  for (size_t i = 0; i < count(); ++i) {
    const std::byte* front = buffers_[i].data - guard;
    const std::byte* back = buffers_[i].data + buffers_[i].bytes;
    std::byte* to = target.data() + 2 * i * guard;
    check(cudaMemcpy(to, front, guard, cudaMemcpyDeviceToHost), "cudaMemcpy");
    check(cudaMemcpy(to + guard, back, guard, cudaMemcpyDeviceToHost), "cudaMemcpy");
  }
  return true;
}

}  // namespace flashlab::worker
