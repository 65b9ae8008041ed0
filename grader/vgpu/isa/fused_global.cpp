// Runs of loads from global memory and the multiply-adds that use up what they load: the inner
// loops of matrix products without shared memory. A run is an operation in front of its ordinary
// instructions. When all lanes are on and their addresses lie in rows it does the work of all of
// them, with one check for each base, and jumps behind; otherwise they execute as usual. Counts are
// the same both ways.
#include <utility>

#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/access.hpp"
#include "machine/vector.hpp"

namespace vgpu::VGPU_VARIANT {

using isa::GlobalRunBase;
using isa::GlobalRunFactor;
using isa::GlobalRunHead;
using isa::GlobalRunLoad;
using isa::GlobalRunSpan;
using isa::GlobalRunStep;

namespace {

/// What an operation has to do with one of its bases.
struct Base {
  const GlobalRunBase& base;
  const GlobalRunLoad* loads;
  const GlobalRunSpan* spans;
  const uint64_t* address;  ///< of each lane
  Rows rows{};
};

/// Where the factors of one origin lie: behind `data`, at their offset or where they were copied.
struct Source {
  const uint8_t* data = nullptr;
  bool is_copied = false;
  bool is_uniform = false;  ///< one value for all lanes
};

// --- words at 32 addresses -> rows of 32 lanes ---

/// 16 bytes at each of `kParts` addresses, side by side.
template <size_t kParts>
VGPU_INLINE auto load_parts(const uint64_t* address, int64_t offset) {
  if constexpr (kParts == 1) {
    using Part [[gnu::vector_size(16)]] = float;
    return load_vector<Part>(
        reinterpret_cast<const void*>(*address + static_cast<uint64_t>(offset)));
  } else {
    const auto low = load_parts<kParts / 2>(address, offset);
    // The next part belongs to the lane four further.
    const auto high = load_parts<kParts / 2>(address + 4 * (kParts / 2), offset);
    return [&]<size_t... I>(std::index_sequence<I...>) {
      return __builtin_shufflevector(low, high, I...);
    }
    (std::make_index_sequence<4 * kParts>{});
  }
}

/// In each 16 bytes of two vectors: elements A and B of the first, then C and D of the second.
template <size_t A, size_t B, size_t C, size_t D, size_t... I>
VGPU_INLINE Vec mix(Vec a, Vec b, std::index_sequence<I...>) {
  constexpr size_t kOf[] = {A, B, C + kVectorBytes / 4, D + kVectorBytes / 4};
  return __builtin_shufflevector(a, b, (kOf[I % 4] + I / 4 * 4)...);
}

/// Four words behind each lane's address, each as a row of 32 lanes.
VGPU_INLINE void copy_four_words(float* to, const uint64_t* address, int64_t offset) {
  constexpr auto kEach = std::make_index_sequence<kVectorBytes / 4>{};
  constexpr int kParts = kVectorBytes / 16;
  for (int lane = 0; lane < kLanes; lane += 4 * kParts) {
    Vec of_lane[4];
    for (int i = 0; i < 4; ++i) of_lane[i] = load_parts<kParts>(address + lane + i, offset);
    // A 4 x 4 transpose in each 16 bytes.
    const Vec a = mix<0, 1, 0, 1>(of_lane[0], of_lane[1], kEach),
              b = mix<2, 3, 2, 3>(of_lane[0], of_lane[1], kEach),
              c = mix<0, 1, 0, 1>(of_lane[2], of_lane[3], kEach),
              d = mix<2, 3, 2, 3>(of_lane[2], of_lane[3], kEach);
    store_vector(to + lane, mix<0, 2, 0, 2>(a, c, kEach));
    store_vector(to + kLanes + lane, mix<1, 3, 1, 3>(a, c, kEach));
    store_vector(to + 2 * kLanes + lane, mix<0, 2, 0, 2>(b, d, kEach));
    store_vector(to + 3 * kLanes + lane, mix<1, 3, 1, 3>(b, d, kEach));
  }
}

void copy_words(float* to, const uint64_t* address, int64_t offset, uint32_t words) {
  constexpr auto kWord = static_cast<int64_t>(sizeof(float));
  if (words < 4) {
    for (uint32_t k = 0; k < words; ++k) {
      for (int i = 0; i < kLanes; ++i)
        to[k * kLanes + static_cast<uint32_t>(i)] =
            *reinterpret_cast<const float*>(address[i] + static_cast<uint64_t>(offset + k * kWord));
    }
    return;
  }
  // The last four may be copied in part before.
  for (uint32_t k = 0; k < words; k += 4) {
    const uint32_t first = k + 4 <= words ? k : words - 4;
    copy_four_words(to + first * kLanes, address, offset + first * kWord);
  }
}

// --- checks and counts ---

VGPU_INLINE bool find_rows(const uint64_t* at, Rows& rows) {
  const uint64_t step = at[1] - at[0];
  if (has_step(at, step)) {
    rows = make_rows(at[0], step, 0, kLanes);
    return true;
  }
  const uint32_t width = row_width(at);
  if (width != 0) rows = make_rows(at[0], step, at[width] - at[0], width);
  return width != 0;
}

VGPU_OUTLINE uint32_t touch_again(Warp& w, uint64_t* map, uint64_t begin, const Rows& rows) {
  return touch_rows(w, map, begin, rows);
}

/// Touches and counts what the loads of a base do. Lanes that lie whole sectors apart go on to the
/// next sectors together: then all loads count the same, and no sector is looked at twice.
VGPU_INLINE void count_loads(Warp& w, const Base& b, RunCount& run) {
  const AccessCache& cache = w.caches[b.base.site];
  const uint64_t begin = b.rows.first - cache.begin;
  const uint32_t values = count_values(b.rows);
  if (((b.rows.step | b.rows.distance) & 31) == 0) {
    uint32_t sectors = 0;
    for (uint32_t k = 0; k < b.base.spans; ++k) {
      const auto at = begin + static_cast<uint64_t>(int64_t{b.spans[k].offset}),
                 end = at + b.spans[k].words * sizeof(float);
      for (uint64_t sector = at >> 5; sector << 5 < end; ++sector)
        sectors = touch_again(w, cache.touched, sector << 5, b.rows);
    }
    run.executed += 1;
    run.sectors += sectors;
    run.values += values;
    return;
  }
  for (uint32_t k = 0; k < b.base.loads; ++k) {
    const GlobalRunLoad& load = b.loads[k];
    Traffic& traffic = w.site_counts[load.site].global;
    traffic.requests += 1;
    traffic.sectors +=
        touch_again(w, cache.touched, begin + static_cast<uint64_t>(int64_t{load.offset}), b.rows);
    traffic.bytes += uint64_t{values} * load.size;
  }
}

// --- the multiply-adds ---

VGPU_INLINE void load_factor(Vec* v, const Source* sources, const GlobalRunFactor& factor) {
  const Source& source = sources[factor.from];
  const uint8_t* const at = source.data + (source.is_copied ? factor.copied : factor.offset);
  if (source.is_uniform) {
    float value = 0;
    std::memcpy(&value, at, sizeof value);
    for (int n = 0; n < kVectors; ++n) v[n] = value - Vec{};  // not a sum: -0 stays -0
  } else {
    for (int n = 0; n < kVectors; ++n) v[n] = load_vector(at + n * kVectorBytes);
  }
}

VGPU_INLINE void execute_steps(const Warp& w, const Source* sources, const GlobalRunStep* step,
                               const GlobalRunStep* end) {
  while (step != end) {
    Vec sum[kVectors];
    for (int n = 0; n < kVectors; ++n)
      sum[n] = load_vector(w.registers + step->c + n * kVectorBytes);
    uint32_t d = 0;
    do {
      Vec a[kVectors], b[kVectors];
      load_factor(a, sources, step->a);
      load_factor(b, sources, step->b);
      for (int n = 0; n < kVectors; ++n) sum[n] = fused(a[n], b[n], sum[n]);
      d = step->d;
      ++step;
    } while (step != end && step->chained != 0);
    for (int n = 0; n < kVectors; ++n)
      store_vector(w.registers + d + n * kVectorBytes, canonical_nan(sum[n]));
  }
}

/// False, and nothing done, when the instructions have to execute one by one.
[[gnu::noinline]] bool execute(Warp& w, const Op* op) {
  const auto& head = *reinterpret_cast<const GlobalRunHead*>(w.operands + op->extra);
  const GlobalRunBase &first = head.base[0], &second = head.base[1];
  const auto* const loads = reinterpret_cast<const GlobalRunLoad*>(&head + 1);
  const auto* const spans =
      reinterpret_cast<const GlobalRunSpan*>(loads + first.loads + second.loads);
  const auto* const steps =
      reinterpret_cast<const GlobalRunStep*>(spans + first.spans + second.spans);
  Base bases[] = {
      {first, loads, spans, w.lanes<uint64_t>(first.address)},
      {second, loads + first.loads, spans + first.spans, w.lanes<uint64_t>(second.address)}};
  for (uint32_t k = 0; k < head.bases; ++k) {
    Base& b = bases[k];
    if (!find_rows(b.address, b.rows)) return false;
    AccessCache& cache = w.caches[b.base.site];
    const uint64_t lowest = b.rows.first + static_cast<uint64_t>(int64_t{b.base.low});
    if (lowest < cache.begin || lowest >= cache.end) w.block->find_allocation(lowest, cache);
    if (!rows_fit(cache, b.rows, b.base.low, b.base.high, b.base.largest_size)) return false;
  }

  Source sources[3];
  sources[isa::kFromRegister].data = w.registers;
  alignas(64) float copied[isa::kMostGlobalWords * kLanes];
  float* to = copied;
  for (uint32_t k = 0; k < head.bases; ++k) {
    const Base& b = bases[k];
    count_loads(w, b, w.run_counts[op->d + k]);
    Source& source = sources[k];
    source.data = reinterpret_cast<const uint8_t*>(b.address[0]);
    source.is_uniform = b.rows.step == 0 && b.rows.distance == 0;
    const bool is_vector = b.rows.width == kLanes && b.address[1] - b.address[0] == sizeof(float);
    if (!source.is_uniform && !is_vector) {
      source.is_copied = true;
      source.data = reinterpret_cast<const uint8_t*>(copied);
    }
    for (uint32_t i = 0; i < b.base.spans; ++i) {
      if (source.is_copied) copy_words(to, b.address, b.spans[i].offset, b.spans[i].words);
      to += b.spans[i].words * kLanes;
    }
  }
  execute_steps(w, sources, steps, steps + op->c);
  return true;
}

}  // namespace

const Op* global_run(Warp& w, const Op* op);
const Op* global_run(Warp& w, const Op* op) {
  const bool is_plain = w.active == kFullMask && w.quick == kFullMask;
  return next(w, is_plain && execute(w, op) ? op + op->imm : op + 1);
}

}  // namespace vgpu::VGPU_VARIANT
