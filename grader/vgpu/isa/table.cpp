// Picks the lane code for this processor and answers the decoder's questions from it.
#include <string_view>
#include <unordered_map>

#include "isa/isa.hpp"

// The same families, compiled for different vector instruction sets (CMakeLists.txt).
#define DECLARE_VARIANT(variant)                                                        \
  namespace vgpu::variant {                                                             \
  extern const isa::FormList integer_forms, logic_forms, floating_forms, compare_forms, \
      convert_forms, warp_wide_forms;                                                   \
  extern const isa::Builtins builtin_handlers;                                          \
  extern const isa::FusedHandlers fused_handlers;                                       \
  Handler find_load(const isa::MemoryForm& form);                                       \
  Handler find_store(const isa::MemoryForm& form);                                      \
  Handler find_atomic(std::string_view name, std::string_view type, bool returns);      \
  }
DECLARE_VARIANT(baseline)
#ifdef VGPU_HAS_WIDE
DECLARE_VARIANT(wide)
#endif

namespace vgpu::isa {
namespace {

struct Variant {
  std::unordered_map<std::string_view, const Form*> forms;
  const Builtins* builtins;
  const FusedHandlers* fused;
  Handler (*load)(const MemoryForm&);
  Handler (*store)(const MemoryForm&);
  Handler (*atomic)(std::string_view, std::string_view, bool);
};

#define MAKE_VARIANT(variant)                                                                 \
  make_variant({&variant::integer_forms, &variant::logic_forms, &variant::floating_forms,     \
                &variant::compare_forms, &variant::convert_forms, &variant::warp_wide_forms}, \
               &variant::builtin_handlers, &variant::fused_handlers, variant::find_load,      \
               variant::find_store, variant::find_atomic)

Variant make_variant(std::initializer_list<const FormList*> families, const Builtins* handlers,
                     const FusedHandlers* runs, Handler (*load_finder)(const MemoryForm&),
                     Handler (*store_finder)(const MemoryForm&),
                     Handler (*atomic_finder)(std::string_view, std::string_view, bool)) {
  Variant v{{}, handlers, runs, load_finder, store_finder, atomic_finder};
  for (const FormList* family : families) {
    for (size_t i = 0; i < family->count; ++i)
      v.forms.emplace(family->forms[i].mnemonic, &family->forms[i]);
  }
  return v;
}

const Variant& chosen() {
  static const Variant variant = [] {
#ifdef VGPU_HAS_WIDE
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
      return MAKE_VARIANT(wide);
    }
#endif
    return MAKE_VARIANT(baseline);
  }();
  return variant;
}

}  // namespace

const Form* find(std::string_view mnemonic) {
  const auto& forms = chosen().forms;
  const auto found = forms.find(mnemonic);
  return found == forms.end() ? nullptr : found->second;
}
Handler load(const MemoryForm& form) {
  return chosen().load(form);
}
Handler store(const MemoryForm& form) {
  return chosen().store(form);
}
Handler atomic(std::string_view operation, std::string_view type, bool returns) {
  return chosen().atomic(operation, type, returns);
}
const FusedHandlers& fused() {
  return *chosen().fused;
}
const Builtins& builtins() {
  return *chosen().builtins;
}

}  // namespace vgpu::isa
