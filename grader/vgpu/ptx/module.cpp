#include "ptx/module.hpp"

#include <algorithm>
#include <array>

namespace vgpu::ptx {
namespace {

struct TypeInfo {
  std::string_view name;
  size_t size;
};

// In the order of the enumerators of Type.
constexpr std::array<TypeInfo, 22> kTypes = {{
    {"", 0},       {"pred", 0}, {"b8", 1},  {"b16", 2}, {"b32", 4},   {"b64", 8},
    {"b128", 16},  {"u8", 1},   {"u16", 2}, {"u32", 4}, {"u64", 8},   {"s8", 1},
    {"s16", 2},    {"s32", 4},  {"s64", 8}, {"f16", 2}, {"f16x2", 4}, {"bf16", 2},
    {"bf16x2", 4}, {"tf32", 4}, {"f32", 4}, {"f64", 8},
}};
static_assert(static_cast<size_t>(Type::F64) + 1 == kTypes.size());

}  // namespace

size_t size_of(Type type) {
  return kTypes[static_cast<size_t>(type)].size;
}

Type type_from_name(std::string_view name) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [name](const TypeInfo& info) { return info.name == name; });
  return found == kTypes.end() ? Type::None : static_cast<Type>(found - kTypes.begin());
}

bool Instruction::has(std::string_view modifier) const {
  return std::find(modifiers.begin(), modifiers.end(), modifier) != modifiers.end();
}

std::string Instruction::mnemonic() const {
  std::string text = opcode;
  for (const std::string& modifier : modifiers) text.append(1, '.').append(modifier);
  return text;
}

const Function* Module::find_function(std::string_view name) const {
  const auto alias = aliases.find(std::string(name));
  const std::string_view wanted = alias == aliases.end() ? name : std::string_view(alias->second);
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [wanted](const Function& f) { return f.name == wanted; });
  return found == functions.end() ? nullptr : &*found;
}

}  // namespace vgpu::ptx
