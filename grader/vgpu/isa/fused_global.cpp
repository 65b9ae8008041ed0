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

/// The parts of an operation's operands.
struct Run {
  const GlobalRunHead* head;
  const GlobalRunLoad* loads;
  const GlobalRunSpan* spans;
  const GlobalRunStep* steps;

  explicit Run(const uint32_t* list)
      : head(reinterpret_cast<const GlobalRunHead*>(list)),
        loads(reinterpret_cast<const GlobalRunLoad*>(head + 1)),
        spans(reinterpret_cast<const GlobalRunSpan*>(loads + head->loads)),
        steps(reinterpret_cast<const GlobalRunStep*>(spans + head->spans)) {}
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

/// Touches and counts what each load does.
void count_loads(Warp& w, const Run& run, const Rows* rows) {
  uint64_t sector[2] = {~uint64_t{0}, ~uint64_t{0}};
  uint32_t sectors[2] = {};
  for (uint32_t i = 0; i < run.head->loads; ++i) {
    const GlobalRunLoad& load = run.loads[i];
    const Rows& lanes = rows[load.base];
    const AccessCache& cache = w.caches[run.head->base[load.base].site];
    const uint64_t begin = lanes.first + static_cast<uint64_t>(int64_t{load.offset}) - cache.begin;
    // Lanes that are whole sectors apart go on to the next sectors together.
    if (begin >> 5 != sector[load.base] || ((lanes.step | lanes.distance) & 31) != 0) {
      sector[load.base] = begin >> 5;
      sectors[load.base] = touch_rows(w, cache.touched, begin, lanes);
    }
    count_rows(w.site_counts[load.site].global, lanes, sectors[load.base], load.size);
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
  const Run run(w.operands + op->extra);
  Rows rows[2];
  for (uint32_t k = 0; k < run.head->bases; ++k) {
    const GlobalRunBase& base = run.head->base[k];
    if (!find_rows(w.lanes<uint64_t>(base.address), rows[k]) ||
        !rows_fit(w.caches[base.site], rows[k], base.low, base.high, base.largest_size))
      return false;
  }
  count_loads(w, run, rows);

  Source sources[3];
  sources[isa::kFromRegister].data = w.registers;
  alignas(64) float copied[isa::kMostGlobalWords * kLanes];
  for (uint32_t k = 0; k < run.head->bases; ++k) {
    const uint64_t* at = w.lanes<uint64_t>(run.head->base[k].address);
    Source& source = sources[k];
    source.is_uniform = rows[k].step == 0 && rows[k].distance == 0;
    source.is_copied =
        !source.is_uniform && (rows[k].width != kLanes || at[1] - at[0] != sizeof(float));
    source.data = source.is_copied ? reinterpret_cast<const uint8_t*>(copied)
                                   : reinterpret_cast<const uint8_t*>(at[0]);
  }
  float* to = copied;
  for (uint32_t i = 0; i < run.head->spans; ++i) {
    const GlobalRunSpan& span = run.spans[i];
    if (sources[span.base].is_copied)
      copy_words(to, w.lanes<uint64_t>(run.head->base[span.base].address), span.offset, span.words);
    to += span.words * kLanes;
  }
  execute_steps(w, sources, run.steps, run.steps + op->c);
  return true;
}

}  // namespace

const Op* global_run(Warp& w, const Op* op);
const Op* global_run(Warp& w, const Op* op) {
  const bool is_plain = w.active == kFullMask && w.quick == kFullMask;
  return next(w, is_plain && execute(w, op) ? op + op->imm : op + 1);
}

}  // namespace vgpu::VGPU_VARIANT
