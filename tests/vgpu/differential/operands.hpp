// What the operations are applied to: edge values and random ones, the same on every machine.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "random.hpp"

/// What a column holds. kShift: shift amounts, positions and lengths of bit fields. kSelector: of
/// prmt. kCell: the address of a cell of global memory of the thread's own.
enum class Kind { kI16, kI32, kI64, kF32, kF64, kShift, kSelector, kCell };

/// Values of a kind: the most telling edges first, then (for floats) powers of two with their
/// neighbours and values that lie halfway between others, then random ones.
inline std::vector<uint64_t> values_of(Kind kind) {
  std::vector<uint64_t> values;
  Random random(1);
  const auto add_random = [&](auto make) {
    while (values.size() < 16384) values.push_back(make(random()));
  };
  switch (kind) {
    case Kind::kShift:
      values = {0, 1, 2, 5, 8, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 127, 128, 255, 256, 257};
      values.insert(values.end(), {0x10001, 0x80000000, 0x8000001F, 0xFFFFFFFF});
      return values;
    case Kind::kSelector:
      values = {0x3210, 0x7654, 0x0123, 0xFEDC, 0xBA98, 0x89AB, 0x0000, 0xFFFF, 1, 2, 3, 0x44};
      add_random([](uint64_t r) { return r >> 32; });
      return values;
    case Kind::kI16:
    case Kind::kI32:
    case Kind::kI64: {
      const int width = kind == Kind::kI16 ? 16 : kind == Kind::kI32 ? 32 : 64;
      const uint64_t mask = ~uint64_t{0} >> (64 - width), top = uint64_t{1} << (width - 1);
      for (const uint64_t edge : {uint64_t{0}, uint64_t{1}, top, top - 1, mask, top + 1, mask - 1})
        values.push_back(edge);
      for (const uint64_t edge : {2, 3, 7, 10, 127, 128, 129, 255, 256, 32767, 32768, 65535})
        values.push_back(edge);
      for (const uint64_t edge : {-2, -3, -7, -10, -127, -128, -129, -255, -256})
        values.push_back(edge & mask);
      for (const uint64_t edge : {0x5555555555555555u, 0xAAAAAAAAAAAAAAAAu, 0x0123456789ABCDEFu})
        values.push_back(edge & mask);
      for (int bit = 1; bit < width; ++bit) {
        const uint64_t power = uint64_t{1} << bit;
        for (const uint64_t edge : {power, power - 1, power + 1, 0 - power})
          values.push_back(edge & mask);
      }
      // As many small numbers as large ones.
      add_random(
          [&](uint64_t r) { return (r & mask) >> (r >> 58) % static_cast<uint64_t>(width); });
      return values;
    }
    case Kind::kF32: {
      values = {0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FFFFFFF,
                0x7FC00000, 0xFFC00001, 0x7F800001, 0x00000001, 0x80000001, 0x007FFFFF, 0x807FFFFF,
                0x00800000, 0x80800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x3F000000, 0xBF000000, 0x3FC00000,
                0x40200000, 0xC0200000, 0x3F800001, 0x3F7FFFFF, 0x40400000, 0x3EAAAAAB, 0x4B800000,
                0x4B7FFFFF, 0x4F000000, 0x4EFFFFFF, 0xCF000000, 0xCF000001, 0x5F000000, 0x7F000000,
                0x7E800001, 0x20000000, 0x1F800001, 0xC2FE0000, 0x40490FDB};
      for (uint32_t exponent = 0; exponent < 255; ++exponent) {
        for (const uint32_t offset : {0u, 1u, ~0u, 0x400000u})
          values.push_back(((exponent << 23) + offset) & 0x7FFFFFFF);
        values.push_back(exponent << 23 | 0x80000000);
      }
      for (int half = -600; half < 600; half += 3)
        values.push_back(std::bit_cast<uint32_t>(static_cast<float>(half) / 2));
      // Any bits; exponents near 0 so that sums interact; few digits so that ties happen.
      add_random([&](uint64_t r) {
        const auto bits = static_cast<uint32_t>(r);
        const uint32_t near = (bits & 0x807FFFFF) | (102 + (r >> 32) % 50) << 23;
        return (r >> 62) == 0 ? bits : (r >> 62) == 1 ? near & 0xFFFC0000 : near;
      });
      return values;
    }
    case Kind::kF64: {
      for (const double edge : {0.0,
                                1.0,
                                0.5,
                                1.5,
                                2.5,
                                3.0,
                                1.0 / 3,
                                3.5,
                                0.1,
                                255.5,
                                65535.5,
                                2147483647.0,
                                2147483647.5,
                                2147483648.0,
                                4294967295.5,
                                4294967296.0,
                                9007199254740993.0,
                                0x1p63,
                                0x1p64,
                                0x1.fffffep127,
                                0x1.ffffffp127}) {
        values.push_back(std::bit_cast<uint64_t>(edge));
        values.push_back(std::bit_cast<uint64_t>(-edge));
      }
      std::vector<uint64_t> special = {
          0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000, 0xFFF8000000000001,
          0x7FFFFFFFFFFFFFFF, 0x7FF0000000000001, 0x0000000000000001, 0x8000000000000001,
          0x000FFFFFFFFFFFFF, 0x800FFFFFFFFFFFFF, 0x0010000000000000, 0x8010000000000000,
          0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF, 0x3FF0000000000001, 0x3FEFFFFFFFFFFFFF};
      values.insert(values.begin(), special.begin(), special.end());
      for (uint64_t exponent = 0; exponent < 2047; exponent += 3) {
        for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}})
          values.push_back(((exponent << 52) + offset) & ~uint64_t{0} >> 1);
      }
      // On, between and beside floats, down to their denormals.
      for (uint64_t exponent = 1023 - 152; exponent < 1023 + 130; ++exponent) {
        const uint64_t digits = random() & 0x000FFFFFE0000000u;
        for (const uint64_t tail : {0x00000000u, 0x0FFFFFFFu, 0x10000000u, 0x10000001u})
          values.push_back((exponent & 1) << 63 | exponent << 52 | digits | tail);
      }
      add_random([&](uint64_t r) {
        const uint64_t other = random();
        const uint64_t near = (r & 0x800FFFFFFFFFFFFFu) | (1023 - 40 + (other >> 8) % 80) << 52;
        return (other & 3) == 0 ? r : (other & 3) == 1 ? near & 0xFFFFFF0000000000u : near;
      });
      return values;
    }
    case Kind::kCell:
      return {0};  // filled in by the program
  }
  return values;
}

/// The columns of an operation: all combinations of the first edges, then random combinations. One
/// operand: all its values.
inline std::vector<std::vector<uint64_t>> columns_for(const std::vector<Kind>& kinds) {
  constexpr size_t kEdges[] = {0, 16384, 128, 36, 16}, kRandom = 16384;
  std::vector<std::vector<uint64_t>> values, columns(kinds.size());
  std::vector<size_t> edges;
  size_t combinations = 1;
  for (const Kind kind : kinds) {
    values.push_back(values_of(kind));
    const size_t most = kind == Kind::kShift ? 24 : kEdges[kinds.size()];
    edges.push_back(values.back().size() < most ? values.back().size() : most);
    combinations *= edges.back();
  }
  for (size_t i = 0; i < combinations; ++i) {
    size_t rest = i;
    for (size_t k = 0; k < kinds.size(); ++k) {
      columns[k].push_back(values[k][rest % edges[k]]);
      rest /= edges[k];
    }
  }
  Random random(2);
  for (size_t i = 0; kinds.size() > 1 && i < kRandom; ++i) {
    for (size_t k = 0; k < kinds.size(); ++k)
      columns[k].push_back(values[k][random() % values[k].size()]);
  }
  return columns;
}
