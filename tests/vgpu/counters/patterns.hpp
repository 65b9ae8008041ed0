// Which element each lane of a warp accesses: the shapes that kernels use, and random ones.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "../differential/random.hpp"

constexpr int kLanes = 32;
constexpr int kOff = -1;  // a lane that does not take part

/// Element per lane, or kOff.
using WarpIndices = std::array<int, kLanes>;

struct Pattern {
  const char* name;
  int (*index)(int lane, Random& random, int elements);  ///< called for lane 0, 1, ... in turn
  bool in_pairs = false;       ///< lanes 2i and 2i + 1 take the same element
  bool two_apart = false;      ///< lanes n and n ^ 2 take the same element
  bool random_mask = false;    ///< half of the lanes, chosen at random, are off
  bool no_repetition = false;  ///< shuffle the lanes' elements
};

inline int any_of(Random& random, int count) {
  return static_cast<int>(random() % static_cast<uint64_t>(count));
}

/// Patterns for arrays of at least 1024 elements.
inline const std::vector<Pattern>& patterns() {
  static constexpr auto kLinear = [](int lane, Random&, int) { return lane; };
  static constexpr auto kAnywhere = [](int, Random& r, int elements) {
    return any_of(r, elements);
  };
  static const std::vector<Pattern> list = {
      {"linear", kLinear},
      {"broadcast", [](int, Random&, int) { return 7; }},
      {"reversed", [](int lane, Random&, int) { return 31 - lane; }},
      {"offset 1", [](int lane, Random&, int) { return lane + 1; }},
      {"offset 5", [](int lane, Random&, int) { return lane + 5; }},
      {"stride 2", [](int lane, Random&, int) { return lane * 2; }},
      {"stride 3", [](int lane, Random&, int) { return lane * 3; }},
      {"stride 8", [](int lane, Random&, int) { return lane * 8; }},
      {"stride 32", [](int lane, Random&, int) { return lane * 32; }},
      {"padded 33", [](int lane, Random&, int) { return lane * 33; }},
      {"swizzled", [](int lane, Random&, int) { return lane * 8 + ((lane ^ lane >> 3) & 7); }},
      {"tile 8x4", [](int lane, Random&, int) { return lane % 8 * 16 + lane / 8; }},
      {"pairs", [](int lane, Random&, int) { return lane / 2; }},
      {"quads", [](int lane, Random&, int) { return lane / 4; }},
      {"two apart", kLinear, false, true},
      {"lane 17", [](int lane, Random&, int) { return lane == 17 ? 3 : kOff; }},
      {"five lanes", [](int lane, Random&, int) { return lane < 5 ? lane : kOff; }},
      {"odd lanes", [](int lane, Random&, int) { return lane % 2 == 1 ? lane : kOff; }},
      {"linear, random lanes", kLinear, false, false, true},
      {"permutation", kLinear, false, false, false, true},
      {"random of 32", [](int, Random& r, int) { return any_of(r, 32); }},
      {"random of 64, random lanes", [](int, Random& r, int) { return any_of(r, 64); }, false,
       false, true},
      {"random", kAnywhere},
      {"random, random lanes", kAnywhere, false, false, true},
      {"random pairs", kAnywhere, true},
      {"random pairs, random lanes", kAnywhere, true, false, true},
      {"random two apart", kAnywhere, false, true},
      {"random two apart, random lanes", kAnywhere, false, true, true},
  };
  return list;
}

inline WarpIndices indices(const Pattern& pattern, Random& random, int elements) {
  WarpIndices of_lane{};
  for (int lane = 0; lane < kLanes; ++lane) {
    const auto at = static_cast<size_t>(lane);
    of_lane[at] = pattern.index(lane, random, elements);
    if (pattern.in_pairs && lane % 2 == 1) of_lane[at] = of_lane[at - 1];
    if (pattern.two_apart && (lane & 2) != 0) of_lane[at] = of_lane[at - 2];
  }
  for (int lane = kLanes - 1; pattern.no_repetition && lane > 0; --lane)
    std::swap(of_lane[static_cast<size_t>(lane)],
              of_lane[static_cast<size_t>(any_of(random, lane + 1))]);
  for (size_t lane = 0; pattern.random_mask && lane < kLanes; ++lane)
    if (random() % 2 == 0) of_lane[lane] = kOff;
  return of_lane;
}

/// Byte offsets for `warps` warps, kOff for lanes that do not take part.
inline std::vector<int> byte_offsets(const Pattern& pattern, int warps, int element_bytes,
                                     int array_bytes) {
  Random random(7);
  std::vector<int> offsets;
  for (int warp = 0; warp < warps; ++warp) {
    for (const int index : indices(pattern, random, array_bytes / element_bytes))
      offsets.push_back(index == kOff ? kOff : index * element_bytes);
  }
  return offsets;
}
