// Tensor cores whose results are exact or round once for each step: 8-bit integers and double
// precision (PTX ISA 9.0, sections 9.7.14 and 9.7.15). How registers hold matrices: isa.hpp,
// ExactShape.
#include <cstdint>
#include <cstring>

#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/access.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using isa::ExactShape;

constexpr uint32_t kSide = 8;  // rows of a tile; a group of four lanes holds one of them

VGPU_INLINE void need_all_lanes(Warp& w, const Op* op) {
  if (w.active != kFullMask) [[unlikely]] {
    w.fault(
        FaultCode::Synchronisation, op, __builtin_ctz(~w.active),
        "a tensor core instruction is executed by only some lanes of the warp",
        "all 32 threads of a warp must reach it together: no branch around it, no early return");
  }
}

/// Element e of register r of lane t: of A and (transposed) of B.
struct Place {
  uint32_t line, k;
};
VGPU_INLINE Place input_place(uint32_t r, uint32_t t, uint32_t e, uint32_t tiles, uint32_t each) {
  return {t / 4 + kSide * (r % tiles), t % 4 * each + e + 4 * each * (r / tiles)};
}
/// Register r of lane t of C and D.
struct Cell {
  uint32_t row, column;
};
VGPU_INLINE Cell sum_cell(uint32_t r, uint32_t t, uint32_t row_tiles) {
  return {t / 4 + kSide * (r / 2 % row_tiles), t % 4 * 2 + r % 2 + kSide * (r / 2 / row_tiles)};
}

/// Shape of a product and the registers of its matrices.
struct Matrices {
  ExactShape shape;
  uint32_t a_count, b_count, c_count;
  const uint32_t *a, *b, *c, *d;
};
VGPU_INLINE Matrices read_matrices(const Warp& w, const Op* op) {
  ExactShape s;
  const uint32_t* const list = w.operands + op->extra;
  std::memcpy(&s, list, sizeof s);
  const uint32_t a_count = s.m * s.k, b_count = s.n * s.k, c_count = 2 * s.m * s.n;
  const uint32_t *const a = list + sizeof s / sizeof *list, *const c = a + a_count + b_count;
  return {s, a_count, b_count, c_count, a, a + a_count, c, c + c_count};
}

constexpr uint32_t kMostLines = 32, kMostDepth = 32;

template <class T>
struct Inputs {
  T a[kMostLines][kMostDepth], b[kMostLines][kMostDepth];
};

VGPU_INLINE int32_t byte_of(const Warp& w, uint32_t registers, uint32_t lane, uint32_t e,
                            bool is_signed) {
  const auto byte = w.lanes<uint8_t>(registers)[4 * lane + e];
  return is_signed ? static_cast<int8_t>(byte) : byte;
}

[[gnu::noinline]] void multiply_bytes(Warp& w, const Op* op) {
  need_all_lanes(w, op);
  const auto [shape, a_count, b_count, c_count, a, b, c, d] = read_matrices(w, op);
  Inputs<int32_t> in;
  for (uint32_t t = 0; t < kLanes; ++t) {
    for (uint32_t e = 0; e < 4; ++e) {
      for (uint32_t r = 0; r < a_count; ++r) {
        const Place p = input_place(r, t, e, shape.m, 4);
        in.a[p.line][p.k] = byte_of(w, a[r], t, e, shape.a_signed != 0);
      }
      for (uint32_t r = 0; r < b_count; ++r) {
        const Place p = input_place(r, t, e, shape.n, 4);
        in.b[p.line][p.k] = byte_of(w, b[r], t, e, shape.b_signed != 0);
      }
    }
  }
  int32_t result[16][kLanes];
  for (uint32_t r = 0; r < c_count; ++r) {
    for (uint32_t t = 0; t < kLanes; ++t) {
      const Cell cell = sum_cell(r, t, shape.m);
      int64_t sum = w.lanes<int32_t>(c[r])[t];
      for (uint32_t k = 0; k < 16 * shape.k; ++k) sum += in.a[cell.row][k] * in.b[cell.column][k];
      if (shape.saturates != 0)
        sum = sum < INT32_MIN ? INT32_MIN : sum > INT32_MAX ? INT32_MAX : sum;
      result[r][t] = static_cast<int32_t>(sum);
    }
  }
  for (uint32_t r = 0; r < c_count; ++r)
    std::memcpy(w.lanes<int32_t>(d[r]), result[r], sizeof result[r]);
}

[[gnu::noinline]] void multiply_doubles(Warp& w, const Op* op) {
  need_all_lanes(w, op);
  const auto [shape, a_count, b_count, c_count, a, b, c, d] = read_matrices(w, op);
  Inputs<double> in;
  for (uint32_t t = 0; t < kLanes; ++t) {
    for (uint32_t r = 0; r < a_count; ++r) {
      const Place p = input_place(r, t, 0, shape.m, 1);
      in.a[p.line][p.k] = w.lanes<double>(a[r])[t];
    }
    for (uint32_t r = 0; r < b_count; ++r) {
      const Place p = input_place(r, t, 0, shape.n, 1);
      in.b[p.line][p.k] = w.lanes<double>(b[r])[t];
    }
  }
  double result[16][kLanes];
  for (uint32_t r = 0; r < c_count; ++r) {
    for (uint32_t t = 0; t < kLanes; ++t) {
      const Cell cell = sum_cell(r, t, shape.m);
      double sum = w.lanes<double>(c[r])[t];
      for (uint32_t k = 0; k < 4 * shape.k; ++k)
        sum = __builtin_fma(in.a[cell.row][k], in.b[cell.column][k], sum);
      result[r][t] = sum;
    }
  }
  for (uint32_t r = 0; r < c_count; ++r)
    std::memcpy(w.lanes<double>(d[r]), result[r], sizeof result[r]);
}

// --- wmma.load, wmma.store ---
uint8_t* host(const Warp& w, bool is_shared, uint64_t address) {
  return is_shared ? w.shared + address : reinterpret_cast<uint8_t*>(address);
}

template <bool kStore>
[[gnu::noinline]] void move_fragment(Warp& w, const Op* op) {
  need_all_lanes(w, op);
  isa::ExactFragment f;
  const uint32_t* registers = w.operands + op->extra;
  std::memcpy(&f, registers, sizeof f);
  registers += sizeof f / sizeof *registers;
  const auto space = static_cast<isa::MemorySpace>(op->c);
  uint64_t base =
      (f.wide_address != 0 ? w.lanes<uint64_t>(op->a)[0] : w.lanes<uint32_t>(op->a)[0]) +
      static_cast<uint64_t>(op->imm);
  const bool in_window =
      space == isa::MemorySpace::Generic && (base & kWindowMask) == kSharedWindow;
  const bool is_shared = space == isa::MemorySpace::Shared || in_window;
  if (in_window) base -= kSharedWindow;
  const uint64_t stride = w.lanes<uint32_t>(op->b)[0];
  // Elements of a lane that lie side by side move together: those of a register, or of two
  // registers of a sum.
  const uint32_t per_register = f.is_sum != 0 ? 1 : f.bytes == 1 ? 4 : 1;
  const uint32_t together = f.across != 0 ? 1 : f.is_sum != 0 ? 2 : per_register;
  const uint32_t elements = f.registers * per_register, register_bytes = f.bytes * per_register;
  for (uint32_t first = 0; first < elements; first += together) {
    Addresses at;
    for (uint32_t t = 0; t < kLanes; ++t) {
      uint64_t line, along;
      if (f.is_sum != 0) {
        const Cell cell = sum_cell(first, t, f.tiles);
        line = cell.row;
        along = cell.column;
      } else {
        const Place p =
            input_place(first / per_register, t, first % per_register, f.tiles, per_register);
        line = p.line;
        along = p.k;
      }
      at.at[t] = base + (f.across != 0 ? along * stride + line : line * stride + along) * f.bytes;
    }
    const uint32_t bytes = together * f.bytes;
    if (is_shared)
      check_shared(w, op, at, bytes, kStore ? Intent::Store : Intent::Load);
    else
      check_global(w, op, at, bytes, kStore ? Intent::Store : Intent::Load);
    for (uint32_t e = first; e < first + together; ++e) {
      auto* const slot = w.lanes<uint8_t>(registers[e / per_register]) + e % per_register * f.bytes;
      for (uint32_t t = 0; t < kLanes; ++t) {
        uint8_t* const place = host(w, is_shared, at.at[t]) + (e - first) * f.bytes;
        uint8_t* const lane = slot + t * register_bytes;
        std::memcpy(kStore ? place : lane, kStore ? lane : place, f.bytes);
      }
    }
  }
}

template <void F(Warp&, const Op*)>
const Op* handler(Warp& w, const Op* op) {
  F(w, op);
  return next(w, op + 1);
}

}  // namespace

extern const isa::ExactMatrixHandlers exact_matrix_handlers;
const isa::ExactMatrixHandlers exact_matrix_handlers = {
    handler<multiply_bytes>, handler<multiply_doubles>, handler<move_fragment<false>>,
    handler<move_fragment<true>>};

}  // namespace vgpu::VGPU_VARIANT
