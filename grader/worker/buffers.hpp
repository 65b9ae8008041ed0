// Device memory of one case: every tensor and every workspace buffer, poisoned, guarded and
// metered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "device.hpp"
#include "protocol.hpp"

namespace flashlab::worker {

/// Device memory that outlives a call: a timed call must not wait for cudaMalloc. It grows to what
/// the calls before have asked for, so only a first call can be short of it.
class Arena {
 public:
  Arena() = default;
  ~Arena() { cudaFree(memory_); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Makes all of it free again, large enough for the largest call so far, and poisons it. Throws
  /// SetupError.
  void prepare();
  /// Poisoned memory aligned to 256 bytes; nullptr when there is too little left.
  void* take(size_t bytes);

 private:
  std::byte* memory_ = nullptr;
  size_t bytes_ = 0, asked_ = 0, largest_ = 0;
};

/// The buffers of one case. On a real GPU each lies between two guard bands filled with kGuardByte;
/// on the virtual GPU each is an allocation of its own size, because that GPU checks the bounds of
/// allocations itself.
class Buffers {
 public:
  /// With an arena, the workspace comes from there, without guard bands, as far as it has room.
  Buffers(const Device& device, uint64_t workspace_limit, Arena* arena = nullptr)
      : device_(device), workspace_limit_(workspace_limit), arena_(arena) {}
  ~Buffers();
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  /// Adds a tensor of the case: filled from `bytes`. Throws SetupError.
  void* add_input(const char* name, std::span<const std::byte> bytes);
  /// Adds a tensor filled with the poison pattern. Throws SetupError.
  void* add_output(const char* name, size_t bytes);
  /// What flashlab::Workspace calls; `context` is the Buffers. Returns nullptr when the limit or
  /// the device is full.
  static void* allocate_workspace(void* context, const char* name, size_t bytes);

  /// Starts to copy buffer `index` to another place on the device. Throws SetupError.
  void snapshot(size_t index, void* target) const;
  /// Copies buffer `index` from the device. Throws SetupError.
  void copy_back(size_t index, std::span<std::byte> target) const;
  /// Copies the guard bands of all buffers, front and back in turn; false when there are none.
  /// Throws SetupError.
  bool copy_guards(std::span<std::byte> target) const;

  size_t count() const { return buffers_.size(); }
  const std::string& name(size_t index) const { return buffers_[index].name; }
  size_t bytes(size_t index) const { return buffers_[index].bytes; }
  uint64_t workspace_bytes() const { return workspace_bytes_; }
  uint32_t refused() const { return refused_; }

 private:
  struct Buffer {
    std::string name;
    std::byte* allocation;  ///< nullptr when the arena owns it
    std::byte* data;
    size_t bytes;
  };

  size_t guard_bytes() const { return device_.is_virtual() ? 0 : protocol::kGuardBytes; }
  /// One poisoned buffer. Throws SetupError.
  void* add(const char* name, size_t bytes);

  const Device& device_;
  uint64_t workspace_limit_, workspace_bytes_ = 0;
  Arena* arena_;
  uint32_t refused_ = 0;
  std::vector<Buffer> buffers_;
};

}  // namespace flashlab::worker
