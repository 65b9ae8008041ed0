// Tensor cores: ldmatrix, mma.sync and wmma (PTX ISA 9.0, sections 9.7.14 and 9.7.13). How
// registers hold matrices: isa.hpp, MatrixHandlers.
//
// Products and sums are made in float32, in the order of k. The hardware keeps fewer bits of a sum
// and adds in another order, so results agree with it within a tolerance, not bit by bit.
#include <cstdint>
#include <cstring>

#include "isa/half.hpp"
#include "isa/isa.hpp"
#include "isa/lanes.hpp"
#include "machine/access_tensor.hpp"

namespace vgpu::VGPU_VARIANT {
namespace {

using isa::FragmentPiece;
using isa::PieceKind;

constexpr int kSide = 8;  // rows and columns of a tile

[[gnu::noinline, gnu::cold]] void some_lanes_absent(Warp& w, const Op* op) {
  w.fault(FaultCode::Synchronisation, op, __builtin_ctz(~w.active),
          "a tensor core instruction is executed by only some lanes of the warp",
          "all 32 threads of a warp must reach it together: no branch around it, no early return");
}
VGPU_INLINE void need_all_lanes(Warp& w, const Op* op) {
  if (w.active != kFullMask) [[unlikely]]
    some_lanes_absent(w, op);
}

VGPU_INLINE void transpose(const uint16_t* from, uint16_t* to) {
  for (int r = 0; r < kSide; ++r) {
    for (int c = 0; c < kSide; ++c) to[c * kSide + r] = from[r * kSide + c];
  }
}

// --- ldmatrix ---
[[gnu::noinline]] void load_matrices(Warp& w, const Op* op) {
  need_all_lanes(w, op);
  Addresses rows;
  if (op->b != 0)
    collect_addresses(rows, w.lanes<uint64_t>(op->a), op->imm, kFullMask);
  else
    collect_addresses(rows, w.lanes<uint32_t>(op->a), op->imm, kFullMask);
  check_matrix_rows(w, op, rows, op->d);
  for (uint32_t m = 0; m < op->d; ++m) {
    alignas(16) uint16_t tile[kSide * kSide];
    for (int r = 0; r < kSide; ++r) {
      std::memcpy(tile + r * kSide, w.shared + rows.at[m * kSide + static_cast<uint32_t>(r)],
                  kSide * sizeof *tile);
    }
    auto* const to = w.lanes<uint16_t>(w.operands[op->extra + m]);
    if (op->c != 0)
      transpose(tile, to);
    else
      std::memcpy(to, tile, sizeof tile);
  }
}
const Op* load_rows(Warp& w, const Op* op) {
  load_matrices(w, op);
  return next(w, op + 1);
}

// --- stmatrix ---
[[gnu::noinline]] void store_matrices(Warp& w, const Op* op) {
  need_all_lanes(w, op);
  Addresses rows;
  if (op->b != 0)
    collect_addresses(rows, w.lanes<uint64_t>(op->a), op->imm, kFullMask);
  else
    collect_addresses(rows, w.lanes<uint32_t>(op->a), op->imm, kFullMask);
  check_matrix_rows(w, op, rows, op->d, Intent::Store);
  for (uint32_t m = 0; m < op->d; ++m) {
    alignas(16) uint16_t tile[kSide * kSide];
    const auto* const from = w.lanes<uint16_t>(w.operands[op->extra + m]);
    if (op->c != 0)
      transpose(from, tile);
    else
      std::memcpy(tile, from, sizeof tile);
    for (int r = 0; r < kSide; ++r) {
      std::memcpy(w.shared + rows.at[m * kSide + static_cast<uint32_t>(r)], tile + r * kSide,
                  kSide * sizeof *tile);
    }
  }
}
const Op* store_rows(Warp& w, const Op* op) {
  store_matrices(w, op);
  return next(w, op + 1);
}

// --- mma: D = A B + C ---
using Row = float __attribute__((vector_size(kSide * sizeof(float))));

template <class Number>
struct Sixteen {
  static constexpr int kDepth = 8;  // columns of a tile of A
  VGPU_INLINE static float value(const uint8_t* tile, int i) {
    uint16_t x;
    std::memcpy(&x, tile + i * 2, sizeof x);
    return Number::widen(x);
  }
};
using Half = Sixteen<F16>;
using BFloat = Sixteen<Bf16>;
struct TFloat {
  static constexpr int kDepth = 4;
  VGPU_INLINE static float value(const uint8_t* tile, int i) {
    uint32_t x;
    std::memcpy(&x, tile + i * 4, sizeof x);
    return __builtin_bit_cast(float, x & 0xFFFFE000u);  // 10 bits of mantissa take part
  }
};

template <class In>
struct Operands {  // A row by row, B column by column of the tile, as float32
  float a[8][kSide][In::kDepth];
  Row b[8][In::kDepth];
};

template <class In>
VGPU_INLINE void unpack(const Warp& w, const uint32_t* registers, uint32_t a_tiles,
                        uint32_t b_tiles, Operands<In>& to) {
  for (uint32_t t = 0; t < a_tiles; ++t) {
    const uint8_t* tile = w.lanes<uint8_t>(registers[t]);
    for (int i = 0; i < kSide * In::kDepth; ++i) (&to.a[t][0][0])[i] = In::value(tile, i);
  }
  for (uint32_t t = 0; t < b_tiles; ++t) {
    const uint8_t* tile = w.lanes<uint8_t>(registers[a_tiles + t]);
    for (int k = 0; k < In::kDepth; ++k) {
      for (int n = 0; n < kSide; ++n) to.b[t][k][n] = In::value(tile, n * In::kDepth + k);
    }
  }
}

VGPU_INLINE void load_sum(const Warp& w, const uint32_t* registers, bool is_half, Row* sum) {
  float* const values = reinterpret_cast<float*>(sum);
  if (is_half) {
    const uint8_t* tile = w.lanes<uint8_t>(registers[0]);
    for (int i = 0; i < kSide * kSide; ++i) values[i] = Half::value(tile, i);
  } else {
    const float *even = w.lanes<float>(registers[0]), *odd = w.lanes<float>(registers[1]);
    for (int i = 0; i < kLanes; ++i) {
      values[2 * i] = even[i];
      values[2 * i + 1] = odd[i];
    }
  }
}

VGPU_INLINE void store_sum(const Warp& w, const uint32_t* registers, bool is_half, const Row* sum) {
  const float* const values = reinterpret_cast<const float*>(sum);
  if (is_half) {
    auto* const tile = w.lanes<uint16_t>(registers[0]);
    for (int i = 0; i < kSide * kSide; ++i) tile[i] = F16::narrow(values[i]);
  } else {
    const float nan = __builtin_bit_cast(float, 0x7FFFFFFF);
    float *even = w.lanes<float>(registers[0]), *odd = w.lanes<float>(registers[1]);
    for (int i = 0; i < kLanes; ++i) {
      const float e = values[2 * i], o = values[2 * i + 1];
      even[i] = e == e ? e : nan;
      odd[i] = o == o ? o : nan;
    }
  }
}

template <class In>
[[gnu::noinline]] void multiply_tiles(Warp& w, const Op* op) {
  need_all_lanes(w, op);
  const uint32_t* list = w.operands + op->extra;
  isa::MultiplyOperands shape;
  std::memcpy(&shape, list, sizeof shape);
  list += sizeof shape / sizeof *list;
  const uint32_t a_tiles = shape.m * shape.k, b_tiles = shape.n * shape.k;
  Operands<In> in;
  unpack<In>(w, list, a_tiles, b_tiles, in);
  const uint32_t* const c = list + a_tiles + b_tiles;
  const uint32_t c_registers = shape.c_is_half != 0 ? 1 : 2,
                 d_registers = shape.d_is_half != 0 ? 1 : 2;
  const uint32_t tiles = shape.m * shape.n;
  const uint32_t* const d = c + tiles * c_registers;
  Row sum[8][kSide];  // all sums before the first result: it may lie in the register of a C
  for (uint32_t t = 0; t < tiles; ++t) {
    Row acc[kSide];
    load_sum(w, c + t * c_registers, shape.c_is_half != 0, acc);
    for (uint32_t k = 0; k < shape.k; ++k) {
      const auto& a = in.a[t / shape.n * shape.k + k];
      const Row* const b = in.b[t % shape.n * shape.k + k];
      for (int j = 0; j < In::kDepth; ++j) {
#pragma GCC unroll 8
        for (int r = 0; r < kSide; ++r) acc[r] += a[r][j] * b[j];
      }
    }
    std::memcpy(sum[t], acc, sizeof acc);
  }
  for (uint32_t t = 0; t < tiles; ++t)
    store_sum(w, d + t * d_registers, shape.d_is_half != 0, sum[t]);
}
template <class In>
const Op* multiply(Warp& w, const Op* op) {
  multiply_tiles<In>(w, op);
  return next(w, op + 1);
}

// --- wmma.load, wmma.store ---
struct Matrix {  // in memory, as each lane sees it
  uint64_t base[kLanes];
  uint64_t stride[kLanes];  // bytes
  uint32_t element;         // bytes
  bool is_shared;

  uint64_t address(int lane, uint32_t i, uint32_t j) const {
    return base[lane] + i * stride[lane] + uint64_t{j} * element;
  }
};

VGPU_INLINE uint8_t* host(const Warp& w, const Matrix& matrix, uint64_t address) {
  return matrix.is_shared ? w.shared + address : reinterpret_cast<uint8_t*>(address);
}

VGPU_INLINE Matrix describe(const Warp& w, const Op* op, const isa::FragmentOperands& more,
                            uint32_t element) {
  Matrix matrix;
  matrix.element = element;
  const auto space = static_cast<isa::MemorySpace>(op->c);
  for (int i = 0; i < kLanes; ++i) {
    const uint64_t base =
        more.wide_address != 0 ? w.lanes<uint64_t>(op->a)[i] : w.lanes<uint32_t>(op->a)[i];
    matrix.base[i] = base + static_cast<uint64_t>(op->imm);
    matrix.stride[i] = uint64_t{w.lanes<uint32_t>(op->b)[i]} * element;
  }
  // All lanes give the same address, so it lies in one space.
  const bool in_window =
      space == isa::MemorySpace::Generic && (matrix.base[0] & kWindowMask) == kSharedWindow;
  matrix.is_shared = space == isa::MemorySpace::Shared || in_window;
  if (in_window) {
    for (uint64_t& base : matrix.base) base -= kSharedWindow;
  }
  return matrix;
}

struct LanePlaces {
  uint8_t i[kLanes], j[kLanes];
};
VGPU_INLINE LanePlaces places(PieceKind kind) {
  LanePlaces p;
  for (int t = 0; t < kLanes; ++t) {
    const auto row = static_cast<uint8_t>(t / 4), column = static_cast<uint8_t>(t % 4);
    const auto twice = static_cast<uint8_t>(2 * column);
    const bool across = kind == PieceKind::Across, element = kind == PieceKind::Element,
               across_element = kind == PieceKind::AcrossElement;
    p.i[t] = across ? twice : across_element ? column : row;
    p.j[t] = across || across_element ? row : element ? column : twice;
  }
  return p;
}

VGPU_INLINE uint32_t element_bytes(PieceKind kind) {
  return kind == PieceKind::Tile || kind == PieceKind::TransposedTile ? 2 : 4;
}

/// Counts 16-bit tiles as ldmatrix loads them, up to four at a time.
void check_as_rows(Warp& w, const Op* op, const Matrix& matrix, const FragmentPiece* pieces,
                   uint32_t count) {
  for (uint32_t first = 0; first < count; first += 4) {
    const uint32_t matrices = count - first < 4 ? count - first : 4;
    Addresses rows;
    for (uint32_t m = 0; m < matrices; ++m) {
      const FragmentPiece& piece = pieces[first + m];
      for (uint32_t r = 0; r < kSide; ++r)
        rows.at[m * kSide + r] = matrix.address(0, piece.major + r, piece.minor);
    }
    check_matrix_rows(w, op, rows, matrices);
  }
}

template <bool kStore>
void move_piece(Warp& w, const Op* op, const Matrix& matrix, const FragmentPiece& piece,
                bool is_checked) {
  const LanePlaces at = places(piece.kind);
  const uint32_t bytes = piece.kind == PieceKind::Pair ? 8 : 4;
  Addresses addresses;
  for (int t = 0; t < kLanes; ++t)
    addresses.at[t] = matrix.address(t, piece.major + at.i[t], piece.minor + at.j[t]);
  constexpr Intent kIntent = kStore ? Intent::Store : Intent::Load;
  if (!is_checked && matrix.is_shared)
    check_shared(w, op, addresses, bytes, kIntent);
  else if (!is_checked)
    check_global(w, op, addresses, bytes, kIntent);

  uint32_t words[kLanes];
  auto* const first = w.lanes<uint32_t>(piece.first);
  if constexpr (kStore) {
    if (piece.kind == PieceKind::TransposedTile)
      transpose(w.lanes<uint16_t>(piece.first), reinterpret_cast<uint16_t*>(words));
    else
      std::memcpy(words, first, sizeof words);
    for (int t = 0; t < kLanes; ++t)
      std::memcpy(host(w, matrix, addresses.at[t]), &words[t], sizeof(uint32_t));
  } else {
    for (int t = 0; t < kLanes; ++t)
      std::memcpy(&words[t], host(w, matrix, addresses.at[t]), sizeof(uint32_t));
    if (piece.kind == PieceKind::TransposedTile)
      transpose(reinterpret_cast<uint16_t*>(words), w.lanes<uint16_t>(piece.first));
    else
      std::memcpy(first, words, sizeof words);
  }
  if (piece.kind != PieceKind::Pair) return;
  auto* const second = w.lanes<uint32_t>(piece.second);
  for (int t = 0; t < kLanes; ++t) {
    uint8_t* const place = host(w, matrix, addresses.at[t] + 4);
    if constexpr (kStore)
      std::memcpy(place, &second[t], sizeof(uint32_t));
    else
      std::memcpy(&second[t], place, sizeof(uint32_t));
  }
}

template <bool kStore>
[[gnu::noinline]] void move_fragment(Warp& w, const Op* op) {
  need_all_lanes(w, op);
  isa::FragmentOperands more;
  std::memcpy(&more, w.operands + op->extra, sizeof more);
  FragmentPiece pieces[8];
  std::memcpy(pieces, w.operands + op->extra + sizeof more / sizeof(uint32_t),
              more.pieces * sizeof *pieces);
  const Matrix matrix = describe(w, op, more, element_bytes(pieces[0].kind));
  const bool by_rows = !kStore && more.as_rows != 0;
  if (by_rows) check_as_rows(w, op, matrix, pieces, more.pieces);
  for (uint32_t p = 0; p < more.pieces; ++p) move_piece<kStore>(w, op, matrix, pieces[p], by_rows);
}
template <bool kStore>
const Op* fragment(Warp& w, const Op* op) {
  move_fragment<kStore>(w, op);
  return next(w, op + 1);
}

}  // namespace

extern const isa::MatrixHandlers matrix_handlers;
const isa::MatrixHandlers matrix_handlers = {load_rows,        store_rows,       multiply<Half>,
                                             multiply<BFloat>, multiply<TFloat>, fragment<false>,
                                             fragment<true>};

}  // namespace vgpu::VGPU_VARIANT
