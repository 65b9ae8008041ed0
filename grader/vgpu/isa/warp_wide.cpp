// Operations that exchange values between the lanes of a warp (PTX ISA 9.0, section 9.7.9
// shfl.sync, 9.7.13 vote, match, redux).
#include <bit>
#include <cstdint>

#include "isa/map.hpp"
#include "machine/observer.hpp"
#include "machine/vector.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

enum class Shuffle : uint8_t { Up, Down, Butterfly, Index };

[[gnu::always_inline]] inline bool together(const Warp& w, uint32_t members) {
  return (members & w.live & ~w.active) == 0;
}

[[gnu::noinline]] void check_members(Warp& w, const Op* op, uint32_t members) {
  if ((w.active & ~members) == 0) return;
  w.fault(FaultCode::Synchronisation, op, std::countr_zero(w.active & ~members),
          "a warp-wide operation is executed by a lane that its mask does not name",
          "the mask must contain every lane that takes part");
}

/// The lanes of `left` that name the same members as its first lane.
uint32_t group_of(const uint32_t* masks, uint32_t left) {
  const uint32_t members = masks[std::countr_zero(left)];
  uint32_t group = 0;
  for (int i = 0; i < 32; ++i) group |= static_cast<uint32_t>(masks[i] == members) << i;
  return group & left;
}

using Exchange = void (*)(Warp& w, const Op* op, uint32_t members);

/// Lanes with different masks take part in one instruction, as the tiles of a warp do: each group
/// on its own. A group that is not complete waits apart from the others.
template <Exchange kExchange>
[[gnu::noinline]] const Op* exchange_by_groups(Warp& w, const Op* op, const uint32_t* lane_masks) {
  const uint32_t all = w.active;
  uint32_t masks[32];
  __builtin_memcpy(masks, lane_masks, sizeof masks);
  for (uint32_t left = all, group = 0; left != 0; left &= ~group) {
    group = group_of(masks, left);
    if ((masks[std::countr_zero(group)] & w.live & ~group) != 0) return w.leave_behind(op, group);
  }
  for (uint32_t left = all, group = 0; left != 0; left &= ~group) {
    group = group_of(masks, left);
    w.active = group;
    const uint32_t members = masks[std::countr_zero(group)];
    check_members(w, op, members);
    kExchange(w, op, members);
  }
  w.active = all;
  return op + 1;
}

/// Exchanges values when every lane alive among those that the mask at `offset` names is here.
/// Returns what to execute next. Not inlined: a handler with arrays of its own could not end in a
/// tail call.
template <Exchange kExchange>
[[gnu::noinline]] const Op* collective(Warp& w, const Op* op, uint32_t offset) {
  const uint32_t* masks = w.lanes<uint32_t>(offset);
  const uint32_t members = masks[std::countr_zero(w.active)];
  if (!is_uniform(masks) &&
      (test_lanes([&](int i) { return masks[i] != members; }) & w.active) != 0)
    return exchange_by_groups<kExchange>(w, op, masks);
  if (!together(w, members)) return w.collect(op, members);
  check_members(w, op, members);
  kExchange(w, op, members);
  return op + 1;
}

/// Tells the observers which lanes take the value of one of `absent`.
[[gnu::noinline]] void tell_absent(const Warp& w, const Op* op, uint32_t absent,
                                   const uint8_t* source) {
  if (absent == 0) return;
  for (int i = 0; i < 32; ++i) {
    if ((w.active >> i & 1) != 0 && (absent >> source[i] & 1) != 0)
      notify_absent_lane(w, op, i, source[i]);
  }
}

/// All lanes on, exchanged at one distance across the whole warp: what reductions do. False when
/// the shuffle is another one.
[[gnu::always_inline]] inline bool exchange_all(Warp& w, const Op* op) {
  const uint32_t* b = w.lanes<uint32_t>(op->b);
  const uint32_t* c = w.lanes<uint32_t>(op->c);
  constexpr uint32_t kSegmentAndClamp = 0x1F1F;
  if (w.active != kFullMask || (c[0] & kSegmentAndClamp) != 0x1F || !is_uniform(c) ||
      !is_uniform(b))
    return false;
  const int distance = static_cast<int>(b[0] & 31), other = distance * 4 / kVectorBytes;
  IntVec v[kVectors];
  for (int n = 0; n < kVectors; ++n)
    v[n] = load_vector<IntVec>(w.registers + op->a + (n ^ other) * kVectorBytes);
  for (int n = 0; n < kVectors; ++n)
    store_vector(w.registers + op->d + n * kVectorBytes, exchanged(v[n], distance));
  const uint32_t predicate = w.operands[op->extra + 1];
  if (predicate != isa::kNone) w.predicate(predicate) = kFullMask;
  return true;
}

// Operands: d = value, a = source, b = lane or distance, c = clamp and segment mask,
// operands[extra] = members, operands[extra + 1] = predicate "source in range" or kNone.
template <Shuffle kMode>
[[gnu::noinline]] void shuffle_lanes(Warp& w, const Op* op, uint32_t members) {
  if (kMode == Shuffle::Butterfly && exchange_all(w, op)) return;
  const uint32_t* a = w.lanes<uint32_t>(op->a);
  const uint32_t* b = w.lanes<uint32_t>(op->b);
  const uint32_t* c = w.lanes<uint32_t>(op->c);
  alignas(64) uint32_t result[32];
  uint8_t source[32];
  uint32_t in_range = 0;
  for (int i = 0; i < 32; ++i) {
    const int distance = static_cast<int>(b[i] & 31);
    const int segment = static_cast<int>(c[i] >> 8 & 31), clamp = static_cast<int>(c[i] & 31);
    const int most = (i & segment) | (clamp & ~segment), least = i & segment;
    int from = i;
    bool valid = true;
    if constexpr (kMode == Shuffle::Up) {
      from = i - distance;
      valid = from >= most;  // for `up` the clamp is the lower bound
    } else if constexpr (kMode == Shuffle::Down) {
      from = i + distance;
      valid = from <= most;
    } else if constexpr (kMode == Shuffle::Butterfly) {
      from = i ^ distance;
      valid = from <= most;
    } else {
      from = least | (distance & ~segment);
      valid = from <= most;
    }
    source[i] = static_cast<uint8_t>(valid ? from : i);
    result[i] = a[source[i]];
    in_range |= static_cast<uint32_t>(valid) << i;
  }
  if (w.quick == 0) tell_absent(w, op, members & ~w.active, source);
  write_lanes<uint32_t>(w, op->d, [&](int i) { return result[i]; });
  const uint32_t predicate = w.operands[op->extra + 1];
  if (predicate != isa::kNone) write_predicate(w, predicate, in_range);
}
template <Shuffle kMode>
const Op* shuffle(Warp& w, const Op* op) {
  return next_if_any(w, collective<shuffle_lanes<kMode>>(w, op, w.operands[op->extra]));
}

enum class Vote : uint8_t { All, Any, Uniform, Ballot };

// d = result, a = predicate, b = ~0 when negated, c = members.
template <Vote kMode>
void vote_lanes(Warp& w, const Op* op, uint32_t members) {
  const uint32_t voters = members & w.active;
  const uint32_t yes = (w.predicate(op->a) ^ op->b) & voters;
  if constexpr (kMode == Vote::Ballot) {
    write_lanes<uint32_t>(w, op->d, [&](int) { return yes; });
  } else {
    const bool result = kMode == Vote::All   ? yes == voters
                        : kMode == Vote::Any ? yes != 0
                                             : yes == voters || yes == 0;
    write_predicate(w, op->d, result ? kFullMask : 0);
  }
}
template <Vote kMode>
const Op* vote(Warp& w, const Op* op) {
  return next_if_any(w, collective<vote_lanes<kMode>>(w, op, op->c));
}

// d = lanes with the same value, a = value, b = members, c = predicate of match.all or kNone.
template <class T, bool kAll>
[[gnu::noinline]] void match_lanes(Warp& w, const Op* op, uint32_t members) {
  const T* a = w.lanes<T>(op->a);
  const uint32_t voters = members & w.active;
  uint32_t same[32];
  bool all = true;
  for (int i = 0; i < 32; ++i) {
    same[i] = 0;
    for (int k = 0; k < 32; ++k) same[i] |= static_cast<uint32_t>(a[i] == a[k]) << k;
    same[i] &= voters;
    if ((voters >> i & 1) != 0) all &= same[i] == voters;
  }
  write_lanes<uint32_t>(w, op->d, [&](int i) { return !kAll ? same[i] : all ? voters : 0; });
  if (kAll && op->c != isa::kNone) write_predicate(w, op->c, all ? kFullMask : 0);
}
template <class T, bool kAll>
const Op* match(Warp& w, const Op* op) {
  return next_if_any(w, collective<match_lanes<T, kAll>>(w, op, op->b));
}

template <class T>
T r_add(T x, T y) {
  return static_cast<T>(static_cast<uint32_t>(x) + static_cast<uint32_t>(y));
}
template <class T>
T r_min(T x, T y) {
  return y < x ? y : x;
}
template <class T>
T r_max(T x, T y) {
  return y > x ? y : x;
}
template <class T>
T r_and(T x, T y) {
  return x & y;
}
template <class T>
T r_or(T x, T y) {
  return x | y;
}
template <class T>
T r_xor(T x, T y) {
  return x ^ y;
}

// d = result, a = value, b = members.
template <class T, T F(T, T)>
void reduce_lanes(Warp& w, const Op* op, uint32_t members) {
  const T* a = w.lanes<T>(op->a);
  const uint32_t voters = members & w.active;
  T result = a[std::countr_zero(voters)];
  for (uint32_t left = voters & (voters - 1); left != 0; left &= left - 1)
    result = F(result, a[std::countr_zero(left)]);
  write_lanes<T>(w, op->d, [&](int) { return result; });
}
template <class T, T F(T, T)>
const Op* reduce(Warp& w, const Op* op) {
  return next_if_any(w, collective<reduce_lanes<T, F>>(w, op, op->b));
}

constexpr auto kWarp = InstructionClass::Warp;
#define REDUCE(name, f, type, T) \
  { "redux.sync." name "." type, reduce<T, f<T>>, "d4s4s4", kWarp }

constexpr isa::Form kForms[] = {
    {"shfl.sync.up.b32", shuffle<Shuffle::Up>, "", kWarp},
    {"shfl.sync.down.b32", shuffle<Shuffle::Down>, "", kWarp},
    {"shfl.sync.bfly.b32", shuffle<Shuffle::Butterfly>, "", kWarp},
    {"shfl.sync.idx.b32", shuffle<Shuffle::Index>, "", kWarp},
    {"vote.sync.all.pred", vote<Vote::All>, "", kWarp},
    {"vote.sync.any.pred", vote<Vote::Any>, "", kWarp},
    {"vote.sync.uni.pred", vote<Vote::Uniform>, "", kWarp},
    {"vote.sync.ballot.b32", vote<Vote::Ballot>, "", kWarp},
    {"match.any.sync.b32", match<uint32_t, false>, "", kWarp},
    {"match.any.sync.b64", match<uint64_t, false>, "", kWarp},
    {"match.all.sync.b32", match<uint32_t, true>, "", kWarp},
    {"match.all.sync.b64", match<uint64_t, true>, "", kWarp},
    REDUCE("add", r_add, "u32", uint32_t),
    REDUCE("add", r_add, "s32", int32_t),
    REDUCE("min", r_min, "u32", uint32_t),
    REDUCE("min", r_min, "s32", int32_t),
    REDUCE("max", r_max, "u32", uint32_t),
    REDUCE("max", r_max, "s32", int32_t),
    REDUCE("and", r_and, "b32", uint32_t),
    REDUCE("or", r_or, "b32", uint32_t),
    REDUCE("xor", r_xor, "b32", uint32_t),
};

}  // namespace

extern const isa::FormList warp_wide_forms;
const isa::FormList warp_wide_forms = {kForms, sizeof kForms / sizeof *kForms};

}  // namespace vgpu::VGPU_VARIANT
