#include "machine/async_copies.hpp"

#include <algorithm>
#include <cstring>

#include "machine/observer.hpp"
#include "machine/warp.hpp"

namespace vgpu {
namespace {

constexpr uint8_t kPoison = 0xFF;  // NaN in every format

template <class F>
void for_each_lane(uint32_t lanes, F f) {
  for (uint32_t left = lanes; left != 0; left &= left - 1) f(__builtin_ctz(left));
}

// A piece of a fixed size is one load and one store.
template <uint32_t kBytes>
void copy_pieces(const AsyncCopy& copy, uint32_t lanes, uint8_t* shared) {
  for_each_lane(lanes, [&](int i) {
    uint8_t piece[kBytes] = {};
    const auto* from = reinterpret_cast<const uint8_t*>(copy.from[i]);
    if (copy.present[i] == kBytes) [[likely]]
      std::memcpy(piece, from, kBytes);
    else if (copy.present[i] != 0)
      std::memcpy(piece, from, copy.present[i]);
    std::memcpy(shared + copy.to[i], piece, kBytes);
  });
}

void carry_out(const AsyncCopy& copy, uint32_t lanes, uint8_t* shared) {
  if (copy.bytes == 16) return copy_pieces<16>(copy, lanes, shared);
  if (copy.bytes == 8) return copy_pieces<8>(copy, lanes, shared);
  copy_pieces<4>(copy, lanes, shared);
}

}  // namespace

void AsyncCopies::issue(const AsyncCopy& copy, uint8_t* shared) {
  for_each_lane(copy.lanes, [&](int i) { std::memset(shared + copy.to[i], kPoison, copy.bytes); });
  pending_.push_back(copy);
}

void AsyncCopies::commit(uint32_t lanes) {
  for (size_t i = 0, count = pending_.size(); i < count; ++i) {
    const uint32_t apart = pending_[i].lanes & ~lanes;
    if (apart == pending_[i].lanes) continue;
    if (apart != 0) {  // only some of its lanes commit
      AsyncCopy rest = pending_[i];
      rest.lanes = apart;
      pending_.push_back(rest);
      pending_[i].lanes &= lanes;
    }
    ++pending_[i].groups;
  }
}

void AsyncCopies::wait(const Warp& warp, uint32_t groups) {
  for (AsyncCopy& copy : pending_) {
    const uint32_t lanes = copy.lanes & warp.active;
    if (copy.groups < groups || lanes == 0) continue;
    carry_out(copy, lanes, warp.shared);
    if (warp.quick == 0) {
      uint64_t to[kWarpSize];
      const uint32_t first = copy.to[__builtin_ctz(lanes)];
      for (int i = 0; i < kWarpSize; ++i) to[i] = (lanes >> i & 1) != 0 ? copy.to[i] : first;
      const auto [low, high] = std::minmax_element(to, to + kWarpSize);
      notify_copy_landed(
          {warp, copy.op, MemoryKind::Shared, Intent::Store, copy.bytes, lanes, to, *low, *high});
    }
    copy.lanes &= ~lanes;
  }
  std::erase_if(pending_, [](const AsyncCopy& copy) { return copy.lanes == 0; });
}

}  // namespace vgpu
