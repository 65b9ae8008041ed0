// Memory that judge and worker share: the judge decides its size and layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "worker/protocol.hpp"

namespace flashlab::judge {

/// An anonymous file, mapped. Its size is sealed, so that a worker cannot shrink it under the
/// judge's feet.
class SharedMemory {
 public:
  /// Throws EnvironmentError when the memory cannot be had.
  explicit SharedMemory(size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  int fd() const { return fd_; }
  size_t size() const { return bytes_.size(); }
  std::span<std::byte> region(const protocol::Span& span) const {
    return bytes_.subspan(span.offset, span.bytes);
  }

 private:
  int fd_;
  std::span<std::byte> bytes_;
};

/// Hands out the regions of one case, one after the other, aligned to 64 bytes.
class Layout {
 public:
  protocol::Span take(uint64_t bytes) {
    const protocol::Span span{used_, bytes};
    used_ += (bytes + 63) / 64 * 64;
    return span;
  }
  uint64_t used() const { return used_; }

 private:
  uint64_t used_ = 0;
};

}  // namespace flashlab::judge
