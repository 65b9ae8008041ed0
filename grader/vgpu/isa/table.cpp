// Picks the lane code for this processor and answers the decoder's questions from it.
#include <atomic>
#include <string_view>
#include <unordered_map>

#include "isa/isa.hpp"

// The same families, compiled for different vector instruction sets (CMakeLists.txt).
#define DECLARE_VARIANT(variant)                                                           \
  namespace vgpu::variant {                                                                \
  extern const isa::FormList integer_forms, logic_forms, floating_forms, compare_forms,    \
      convert_forms, half_forms, half_convert_forms, warp_wide_forms;                      \
  extern const isa::Builtins builtin_handlers;                                             \
  extern const isa::FusedHandlers fused_handlers;                                          \
  extern const isa::AsyncHandlers async_handlers;                                          \
  extern const isa::MatrixHandlers matrix_handlers;                                        \
  extern const isa::BarrierObjectHandlers barrier_object_handlers;                         \
  extern const isa::ExactMatrixHandlers exact_matrix_handlers;                             \
  Handler find_load(const isa::MemoryForm& form);                                          \
  Handler find_store(const isa::MemoryForm& form);                                         \
  Handler find_atomic(isa::AtomicOperation operation, isa::AtomicType type, bool returns); \
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
  const AsyncHandlers* async;
  const MatrixHandlers* matrix;
  const BarrierObjectHandlers* barrier_object;
  const ExactMatrixHandlers* exact_matrix;
  Handler (*load)(const MemoryForm&);
  Handler (*store)(const MemoryForm&);
  Handler (*atomic)(AtomicOperation, AtomicType, bool);
};

#define MAKE_VARIANT(variant)                                                                  \
  make_variant({&variant::integer_forms, &variant::logic_forms, &variant::floating_forms,      \
                &variant::compare_forms, &variant::convert_forms, &variant::half_forms,        \
                &variant::half_convert_forms, &variant::warp_wide_forms},                      \
               &variant::builtin_handlers, &variant::fused_handlers, &variant::async_handlers, \
               &variant::matrix_handlers, &variant::barrier_object_handlers,                   \
               &variant::exact_matrix_handlers, variant::find_load, variant::find_store,       \
               variant::find_atomic)

Variant make_variant(std::initializer_list<const FormList*> families, const Builtins* handlers,
                     const FusedHandlers* runs, const AsyncHandlers* copies,
                     const MatrixHandlers* tensor_cores,
                     const BarrierObjectHandlers* barrier_objects, const ExactMatrixHandlers* exact,
                     Handler (*load_finder)(const MemoryForm&),
                     Handler (*store_finder)(const MemoryForm&),
                     Handler (*atomic_finder)(AtomicOperation, AtomicType, bool)) {
  Variant v{{},    handlers,    runs,         copies,       tensor_cores, barrier_objects,
            exact, load_finder, store_finder, atomic_finder};
  for (const FormList* family : families) {
    for (size_t i = 0; i < family->count; ++i)
      v.forms.emplace(family->forms[i].mnemonic, &family->forms[i]);
  }
  return v;
}

bool has_wide() {
#ifdef VGPU_HAS_WIDE
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

std::atomic<bool> baseline_only{false};

const Variant& chosen() {
  static const Variant variant = [] {
#ifdef VGPU_HAS_WIDE
    if (has_wide() && !baseline_only) return MAKE_VARIANT(wide);
#endif
    return MAKE_VARIANT(baseline);
  }();
  return variant;
}

}  // namespace

bool use_variant(std::string_view name) {
  if (name == "wide") return has_wide();
  if (name != "baseline") return false;
  baseline_only = true;
  return true;
}

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
  static const std::unordered_map<std::string_view, AtomicOperation> kOperations = {
      {"add", AtomicOperation::Add}, {"min", AtomicOperation::Min}, {"max", AtomicOperation::Max},
      {"inc", AtomicOperation::Inc}, {"dec", AtomicOperation::Dec}, {"and", AtomicOperation::And},
      {"or", AtomicOperation::Or},   {"xor", AtomicOperation::Xor}, {"exch", AtomicOperation::Exch},
      {"cas", AtomicOperation::Cas}};
  static const std::unordered_map<std::string_view, AtomicType> kTypes = {
      {"u32", AtomicType::U32},      {"b32", AtomicType::U32},     {"u64", AtomicType::U64},
      {"b64", AtomicType::U64},      {"s32", AtomicType::S32},     {"s64", AtomicType::S64},
      {"f32", AtomicType::F32},      {"f64", AtomicType::F64},     {"b16", AtomicType::B16},
      {"f16", AtomicType::F16},      {"f16x2", AtomicType::F16x2}, {"bf16", AtomicType::Bf16},
      {"bf16x2", AtomicType::Bf16x2}};
  const auto found_operation = kOperations.find(operation);
  const auto found_type = kTypes.find(type);
  if (found_operation == kOperations.end() || found_type == kTypes.end()) return nullptr;
  return chosen().atomic(found_operation->second, found_type->second, returns);
}
const FusedHandlers& fused() {
  return *chosen().fused;
}
const AsyncHandlers& async() {
  return *chosen().async;
}
const MatrixHandlers& matrix() {
  return *chosen().matrix;
}
const BarrierObjectHandlers& barrier_object() {
  return *chosen().barrier_object;
}
const ExactMatrixHandlers& exact_matrix() {
  return *chosen().exact_matrix;
}
const Builtins& builtins() {
  return *chosen().builtins;
}

}  // namespace vgpu::isa
