// Tensor cores on 8-bit integers and doubles: mma and wmma. The registers' order is that of mma's
// figures (PTX ISA 9.0, section 9.7.15.5); that of wmma is not documented, and ours is the same.
#include <cstring>

#include "program/decoder.hpp"

namespace vgpu {
namespace {

struct Shape {
  std::string_view name;
  uint32_t m, n, k;
};
constexpr Shape kByteShapes[] = {{"m16n16k16", 16, 16, 16}, {"m32n8k16", 32, 8, 16},
                                 {"m8n32k16", 8, 32, 16},   {"m8n8k16", 8, 8, 16},
                                 {"m16n8k16", 16, 8, 16},   {"m16n8k32", 16, 8, 32}};
constexpr Shape kDoubleShapes[] = {
    {"m8n8k4", 8, 8, 4}, {"m16n8k4", 16, 8, 4}, {"m16n8k8", 16, 8, 8}, {"m16n8k16", 16, 8, 16}};

const Shape* shape_of(const ptx::Instruction& i, bool is_double) {
  const Shape* const first = is_double ? std::begin(kDoubleShapes) : std::begin(kByteShapes);
  const Shape* const last = is_double ? std::end(kDoubleShapes) : std::end(kByteShapes);
  for (const Shape* shape = first; shape != last; ++shape) {
    if (i.has(shape->name)) return shape;
  }
  return nullptr;
}

template <class T>
std::vector<uint32_t> as_words(const T& value) {
  std::vector<uint32_t> words(sizeof value / sizeof(uint32_t));
  std::memcpy(words.data(), &value, sizeof value);
  return words;
}

}  // namespace

// True when the instruction is of this kind: its matrices hold 8-bit integers or doubles.
bool Decoder::decode_matrix_exact(const Instruction& i) {
  const bool of_bytes = i.has("s8") || i.has("u8") || i.has("s32"), of_doubles = i.has("f64");
  if ((i.opcode != "mma" && i.opcode != "wmma") || (!of_bytes && !of_doubles)) return false;
  const Shape* const shape = shape_of(i, of_doubles);
  if (shape == nullptr) throw Untranslatable(i.mnemonic());
  if (i.opcode == "wmma" && !i.has("mma"))
    decode_exact_fragment(i, of_doubles, shape->m / 8, shape->n / 8);
  else
    decode_exact_multiply(
        i, of_doubles, {shape->m / 8, shape->n / 8, shape->k / (of_doubles ? 4u : 16u), 0, 0, 0});
  return true;
}

std::vector<uint32_t> Decoder::exact_registers(const Operand& operand, uint32_t width,
                                               bool is_destination) {
  const std::vector<Operand> single{operand};
  std::vector<uint32_t> registers;
  for (const Operand& element : operand.kind == Operand::Kind::Vector ? operand.elements : single)
    registers.push_back(is_destination ? destination(element, width) : source(element, width));
  return registers;
}

// [w]mma...D.A.B.C d, a, b, c;
void Decoder::decode_exact_multiply(const Instruction& i, bool of_doubles, isa::ExactShape shape) {
  std::vector<std::string_view> types;
  for (const std::string& word : i.modifiers) {
    if (word == "s8" || word == "u8" || word == "s32" || word == "f64") types.push_back(word);
    if (word == "rz" || word == "rm" || word == "rp" || word == "sp")
      throw Untranslatable(i.mnemonic());
  }
  if (types.size() != 4) throw Untranslatable(i.mnemonic());
  set_kind(InstructionClass::Matrix);
  shape.a_signed = types[1] == "s8" ? 1 : 0;
  shape.b_signed = types[2] == "s8" ? 1 : 0;
  shape.saturates = i.has("satfinite") ? 1 : 0;
  const uint32_t width = of_doubles ? 8 : 4;
  std::vector<uint32_t> words = as_words(shape);
  const size_t head = words.size();
  for (const size_t operand : {1, 2, 3, 0}) {
    const std::vector<uint32_t> registers =
        exact_registers(i.operands.at(operand), width, operand == 0);
    words.insert(words.end(), registers.begin(), registers.end());
  }
  if (words.size() - head != shape.k * (shape.m + shape.n) + 4 * shape.m * shape.n)
    throw Untranslatable(i.mnemonic());
  const uint32_t extra = list(words);
  emit(of_doubles ? isa::exact_matrix().multiply_doubles : isa::exact_matrix().multiply_bytes)
      .extra = extra;
}

// wmma.{load.{a,b,c}, store.d}.sync.aligned.LAYOUT.SHAPE[.SPACE].TYPE {...}, [address], stride.
void Decoder::decode_exact_fragment(const Instruction& i, bool of_doubles, uint32_t row_tiles,
                                    uint32_t column_tiles) {
  const bool is_store = i.has("store");
  const char matrix = i.modifiers.at(1).front();
  const bool is_sum = matrix == 'c' || matrix == 'd';
  const std::vector<uint32_t> registers =
      exact_registers(i.operands.at(is_store ? 1 : 0), of_doubles ? 8 : 4, !is_store);
  const Address at = address(i.operands.at(is_store ? 0 : 1), space_of(i));
  const bool in_shared = at.space == isa::MemorySpace::Shared;
  set_kind(is_store ? (in_shared ? InstructionClass::StoreShared : InstructionClass::StoreGlobal)
                    : (in_shared ? InstructionClass::LoadShared : InstructionClass::LoadGlobal));
  isa::ExactFragment f;
  f.registers = static_cast<uint32_t>(registers.size());
  f.tiles = matrix == 'b' ? column_tiles : row_tiles;
  f.bytes = of_doubles ? 8 : is_sum ? 4 : 1;
  f.is_sum = is_sum ? 1 : 0;
  f.across = i.has("col") != (matrix == 'b') ? 1 : 0;
  f.wide_address = at.wide ? 1 : 0;
  note_access(i, f.bytes);
  if (i.operands.size() < 3) throw Untranslatable(i.mnemonic() + " without a stride");
  const uint32_t stride = source(i.operands[2], 4);
  std::vector<uint32_t> words = as_words(f);
  words.insert(words.end(), registers.begin(), registers.end());
  const uint32_t extra = list(words);
  Op& op = emit(is_store ? isa::exact_matrix().store_fragment : isa::exact_matrix().load_fragment);
  op.a = at.base;
  op.b = stride;
  op.c = static_cast<uint32_t>(at.space);
  op.imm = at.offset;
  op.extra = extra;
}

}  // namespace vgpu
