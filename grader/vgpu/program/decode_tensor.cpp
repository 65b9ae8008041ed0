// cp.async and tensor cores. Here lies what PTX leaves to tables: which register of a fragment
// holds which tile of a matrix (PTX ISA 9.0, section 9.7.14.5, the figures of each shape; wmma
// fragments as an H200 fills them).
#include <algorithm>
#include <cstring>
#include <limits>

#include "program/decoder.hpp"

namespace vgpu {
namespace {

using isa::FragmentPiece;
using isa::MemorySpace;
using isa::PieceKind;

struct Shape {
  std::string_view name;
  uint32_t m, n, k;
};
constexpr Shape kShapes[] = {
    {"m16n16k16", 16, 16, 16}, {"m8n32k16", 8, 32, 16}, {"m32n8k16", 32, 8, 16},
    {"m16n16k8", 16, 16, 8},   {"m16n8k16", 16, 8, 16}, {"m16n8k8", 16, 8, 8},
    {"m16n8k4", 16, 8, 4},
};

const Shape* shape_of(const ptx::Instruction& i) {
  for (const Shape& shape : kShapes) {
    if (i.has(shape.name)) return &shape;
  }
  return nullptr;
}

/// Rows and columns of a fragment, in the order in which its registers hold the tiles.
/// `transposed`: lanes lie along the columns.
struct Tile {
  uint32_t row, column;
};
struct Fragment {
  std::vector<Tile> tiles;
  bool transposed = false;
};

// Along `inner` within blocks of `block` rows, then the next rows or columns.
std::vector<Tile> tiles_of(uint32_t rows, uint32_t columns, uint32_t depth, uint32_t block) {
  std::vector<Tile> tiles;
  for (uint32_t top = 0; top < rows; top += block) {
    for (uint32_t column = 0; column < columns; column += depth) {
      for (uint32_t row = top; row < std::min(rows, top + block); row += 8)
        tiles.push_back({row, column});
    }
  }
  return tiles;
}

// `depth`: k in a register, 8 or (tf32) 4. A and an ordinary accumulator run down 16 rows, then go
// right. B is stored transposed. The accumulator of m8n32k16 is that of its transpose.
Fragment fragment_of(char matrix, const Shape& shape, uint32_t depth) {
  Fragment f;
  const bool is_transpose = shape.m == 8;
  if (matrix == 'a') {
    f.tiles = tiles_of(shape.m, shape.k, depth, 16);
  } else if (matrix == 'b') {
    f.transposed = true;
    f.tiles = tiles_of(shape.n, shape.k, depth, is_transpose ? 16 : 8);
  } else {
    f.transposed = is_transpose;
    f.tiles = is_transpose ? tiles_of(shape.n, shape.m, 8, 16) : tiles_of(shape.m, shape.n, 8, 16);
  }
  if (f.transposed) {
    for (Tile& tile : f.tiles) std::swap(tile.row, tile.column);
  }
  return f;
}

std::vector<uint32_t> as_words(const auto& operands) {
  static_assert(sizeof operands % sizeof(uint32_t) == 0);
  std::vector<uint32_t> words(sizeof operands / sizeof(uint32_t));
  std::memcpy(words.data(), &operands, sizeof operands);
  return words;
}

void append(std::vector<uint32_t>& list, const std::vector<uint32_t>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

bool Decoder::decode_tensor(const Instruction& i) {
  if (i.opcode == "cp" && i.has("async"))
    decode_async(i);
  else if (i.opcode == "ldmatrix")
    decode_ldmatrix(i);
  else if (i.opcode == "stmatrix")
    decode_stmatrix(i);
  else if (i.opcode == "mma" || (i.opcode == "wmma" && i.has("mma")))
    decode_mma(i);
  else if (i.opcode == "wmma")
    decode_fragment(i);
  else
    return false;
  return true;
}

// cp.async.{ca,cg}.shared.global [to], [from], bytes[, present | ignore][, cache policy].
void Decoder::decode_async(const Instruction& i) {
  set_kind(InstructionClass::Async);
  const isa::AsyncHandlers& handlers = isa::async();
  const std::string& what = i.modifiers.at(1);
  if (what == "commit_group") {
    emit(handlers.commit);
    return;
  }
  if (what == "wait_all" || what == "wait_group") {
    constexpr int64_t kMostGroups = std::numeric_limits<int32_t>::max();
    const int64_t groups = what == "wait_all" ? -1 : i.operands.at(0).bits;
    if (groups < -1 || groups > kMostGroups) throw Untranslatable(i.mnemonic());
    emit(handlers.wait).imm = groups + 1;
    return;
  }
  const auto is_known = [](std::string_view word) {
    return word == "async" || word == "ca" || word == "cg" || word == "shared" ||
           word == "shared::cta" || word == "global" || word.starts_with("L2::");
  };
  if ((what != "ca" && what != "cg") ||
      !std::all_of(i.modifiers.begin(), i.modifiers.end(), is_known))
    throw Untranslatable(i.mnemonic());
  const Operand& bytes = i.operands.at(2);
  if (bytes.bits != 16 && (what == "cg" || (bytes.bits != 4 && bytes.bits != 8)))
    throw Untranslatable(i.mnemonic() + " of this size");
  const Address to = address(i.operands.at(0), ptx::Space::Shared);
  const Address from = address(i.operands.at(1), ptx::Space::Global);
  isa::AsyncOperands more;
  more.source_offset = static_cast<int32_t>(from.offset);
  more.present = more.ignore = isa::kNone;
  more.wide_destination = to.wide ? 1 : 0;
  more.through_l1 = what == "ca" ? 1 : 0;
  const size_t operands = i.operands.size() - (i.has("L2::cache_hint") ? 1 : 0);
  if (operands > 3) {
    const Operand& last = i.operands[3];
    if (last.kind == Operand::Kind::Register && register_width(last) == 0)
      more.ignore = predicate(last);
    else
      more.present = source(last, 4);
  }
  const uint32_t extra = list(as_words(more));
  Op& op = emit(handlers.copy);
  op.a = to.base;
  op.imm = to.offset;
  op.b = from.base;
  op.c = static_cast<uint32_t>(bytes.bits);
  op.extra = extra;
}

std::vector<uint32_t> Decoder::registers_of(const Operand& operand, bool is_destination) {
  if (operand.kind != Operand::Kind::Vector)
    return {is_destination ? destination(operand, 4) : source(operand, 4)};
  std::vector<uint32_t> registers;
  for (const Operand& element : operand.elements)
    registers.push_back(is_destination ? destination(element, 4) : source(element, 4));
  return registers;
}

void Decoder::decode_ldmatrix(const Instruction& i) {
  if (!i.has("m8n8") || !i.has("b16")) throw Untranslatable(i.mnemonic());
  set_kind(InstructionClass::LoadShared);
  const std::vector<uint32_t> registers = registers_of(i.operands.at(0), true);
  const size_t matrices = i.has("x4") ? 4 : i.has("x2") ? 2 : 1;
  if (registers.size() != matrices) throw Untranslatable(i.mnemonic());
  const Address from = address(i.operands.at(1), ptx::Space::Shared);
  const uint32_t extra = list(registers);
  Op& op = emit(isa::matrix().load_rows);
  op.a = from.base;
  op.b = from.wide ? 1 : 0;
  op.c = i.has("trans") ? 1 : 0;
  op.d = static_cast<uint32_t>(registers.size());
  op.imm = from.offset;
  op.extra = extra;
}

void Decoder::decode_stmatrix(const Instruction& i) {
  if (!i.has("m8n8") || !i.has("b16")) throw Untranslatable(i.mnemonic());
  set_kind(InstructionClass::StoreShared);
  const std::vector<uint32_t> registers = registers_of(i.operands.at(1), false);
  const Address to = address(i.operands.at(0), ptx::Space::Shared);
  const uint32_t extra = list(registers);
  Op& op = emit(isa::matrix().store_rows);
  op.a = to.base;
  op.b = to.wide ? 1 : 0;
  op.c = i.has("trans") ? 1 : 0;
  op.d = static_cast<uint32_t>(registers.size());
  op.imm = to.offset;
  op.extra = extra;
}

// mma.sync.aligned.SHAPE.row.col.D.A.B.C d, a, b, c;
// wmma.mma.sync.aligned.ALAYOUT.BLAYOUT.SHAPE.D.C (f16) or .D.A.B.C d, a, b, c.
void Decoder::decode_mma(const Instruction& i) {
  const Shape* shape = shape_of(i);
  const bool is_wmma = i.opcode == "wmma";
  std::vector<std::string_view> types;
  for (const std::string& word : i.modifiers) {
    if (word == "f16" || word == "bf16" || word == "tf32" || word == "f32")
      types.push_back(word);
    else if (word != "mma" && word != "sync" && word != "aligned" && word != "row" &&
             word != "col" && (shape == nullptr || word != shape->name))
      throw Untranslatable(i.mnemonic());
  }
  if (types.size() == 2 && is_wmma) types = {types[0], "f16", "f16", types[1]};
  if (shape == nullptr || types.size() != 4 || types[1] != types[2] || types[1] == "f32")
    throw Untranslatable(i.mnemonic());
  set_kind(InstructionClass::Matrix);
  const uint32_t depth = types[1] == "tf32" ? 4 : 8;

  // Registers of a matrix by tile, in the order of rows and then columns of [m][k], [n][k] or
  // [m][n].
  const auto by_tile = [&](char matrix, const Operand& operand, uint32_t each, bool is_result) {
    const Fragment f = fragment_of(matrix, *shape, depth);
    const std::vector<uint32_t> registers = registers_of(operand, is_result);
    if (registers.empty() || registers.size() % (f.tiles.size() * each) != 0)
      throw Untranslatable(i.mnemonic());
    std::vector<size_t> order(f.tiles.size());
    for (size_t t = 0; t < order.size(); ++t) order[t] = t;
    const auto place = [&](size_t t) {
      const Tile& tile = f.tiles[t];
      return f.transposed ? std::pair(tile.column, tile.row) : std::pair(tile.row, tile.column);
    };
    std::sort(order.begin(), order.end(), [&](size_t x, size_t y) { return place(x) < place(y); });
    std::vector<uint32_t> sorted;
    for (const size_t t : order) {
      for (uint32_t e = 0; e < each; ++e) sorted.push_back(registers[t * each + e]);
    }
    return sorted;
  };
  isa::MultiplyOperands sizes;
  sizes.m = shape->m / 8;
  sizes.n = shape->n / 8;
  sizes.k = shape->k / depth;
  sizes.c_is_half = types[3] == "f16" ? 1 : 0;
  sizes.d_is_half = types[0] == "f16" ? 1 : 0;
  auto c = by_tile('c', i.operands.at(3), sizes.c_is_half != 0 ? 1 : 2, false);
  auto d = by_tile('c', i.operands.at(0), sizes.d_is_half != 0 ? 1 : 2, true);
  auto a = by_tile('a', i.operands.at(1), 1, false), b = by_tile('b', i.operands.at(2), 1, false);
  if (fragment_of('c', *shape, 8).transposed) {  // its transpose is B^T A^T
    std::swap(sizes.m, sizes.n);
    std::swap(a, b);
  }
  std::vector<uint32_t> words = as_words(sizes);
  for (const auto* part : {&a, &b, &c, &d}) append(words, *part);
  const isa::MatrixHandlers& handlers = isa::matrix();
  const uint32_t extra = list(words);
  emit(types[1] == "f16"    ? handlers.multiply_f16
       : types[1] == "bf16" ? handlers.multiply_bf16
                            : handlers.multiply_tf32)
      .extra = extra;
}

// wmma.{load.{a,b,c}, store.d}.sync.aligned.LAYOUT.SHAPE[.SPACE].TYPE {...}, [address], stride.
void Decoder::decode_fragment(const Instruction& i) {
  const bool is_store = i.has("store");
  const char matrix = i.modifiers.at(1).front();
  const Shape* shape = shape_of(i);
  const std::string& type = i.modifiers.back();
  const bool is_sum = matrix == 'c' || matrix == 'd', is_half = type == "f16" || type == "bf16";
  if (shape == nullptr || (!is_half && type != (is_sum ? "f32" : "tf32")))
    throw Untranslatable(i.mnemonic());
  const Fragment f = fragment_of(matrix, *shape, is_half || is_sum ? 8 : 4);
  const bool in_columns = i.has("col");
  const bool turned = f.transposed != in_columns;  // memory runs across the lanes

  const std::vector<uint32_t> registers = registers_of(i.operands.at(is_store ? 1 : 0), !is_store);
  const size_t each = is_sum && !is_half ? 2 : 1;
  if (registers.empty() || registers.size() % (f.tiles.size() * each) != 0)
    throw Untranslatable(i.mnemonic());
  std::vector<FragmentPiece> pieces;
  for (size_t r = 0; r < f.tiles.size() * each; r += each) {
    const Tile& tile = f.tiles[r / each];
    FragmentPiece piece{};
    piece.major = in_columns ? tile.column : tile.row;
    piece.minor = in_columns ? tile.row : tile.column;
    piece.first = registers[r];
    piece.second = registers[r + each - 1];
    piece.kind = is_half  ? (turned ? PieceKind::TransposedTile : PieceKind::Tile)
                 : is_sum ? (turned ? PieceKind::Across : PieceKind::Pair)
                          : (turned ? PieceKind::AcrossElement : PieceKind::Element);
    pieces.push_back(piece);
    if (piece.kind == PieceKind::Across) {
      piece.major += 1;  // the odd columns
      piece.first = piece.second;
      pieces.push_back(piece);
    }
  }

  const ptx::Space space = space_of(i);
  const Address at = address(i.operands.at(is_store ? 0 : 1), space);
  const bool in_shared = at.space == MemorySpace::Shared;
  set_kind(is_store ? (in_shared ? InstructionClass::StoreShared : InstructionClass::StoreGlobal)
                    : (in_shared ? InstructionClass::LoadShared : InstructionClass::LoadGlobal));
  const uint32_t rows = matrix == 'a' ? shape->m : matrix == 'b' ? shape->k : shape->m;
  const uint32_t columns = matrix == 'a' ? shape->k : shape->n;
  const uint32_t stride =
      i.operands.size() > 2 ? source(i.operands[2], 4) : constant(in_columns ? rows : columns, 4);
  isa::FragmentOperands more;
  more.pieces = static_cast<uint32_t>(pieces.size());
  more.wide_address = at.wide ? 1 : 0;
  more.as_rows = in_shared && is_half && !is_sum ? 1 : 0;
  std::vector<uint32_t> words = as_words(more);
  for (const FragmentPiece& piece : pieces) append(words, as_words(piece));
  const uint32_t extra = list(words);
  Op& op = emit(is_store ? isa::matrix().store_fragment : isa::matrix().load_fragment);
  op.a = at.base;
  op.b = stride;
  op.c = static_cast<uint32_t>(at.space);
  op.imm = at.offset;
  op.extra = extra;
  // Half-precision fragments repeat a matrix that does not fill their registers.
  for (size_t r = f.tiles.size() * each; !is_store && r < registers.size(); ++r)
    move(registers[r], registers[r % (f.tiles.size() * each)], 4);
}

}  // namespace vgpu
