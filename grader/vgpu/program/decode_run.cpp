// Runs of instructions that execute as one (fuse.hpp, fuse_global.hpp): an operation for the whole
// run, then its instructions one by one for the case that the lanes do not agree.
#include <algorithm>
#include <utility>

#include "program/decoder.hpp"
#include "program/fuse_global.hpp"
#include "program/region_text.hpp"

namespace vgpu {
namespace {

/// Appends a structure of 32-bit words.
template <class T>
void append(std::vector<uint32_t>& words, const T& value) {
  static_assert(sizeof(T) % sizeof(uint32_t) == 0);
  const auto* const from = reinterpret_cast<const uint32_t*>(&value);
  words.insert(words.end(), from, from + sizeof(T) / sizeof(uint32_t));
}

constexpr int32_t kWord = sizeof(float);

/// The words that a run loads at a base, without gaps.
std::vector<isa::GlobalRunSpan> spans_of(const GlobalRun& run, uint32_t base) {
  std::set<int32_t> words;
  for (const GlobalRun::Load& load : run.loads) {
    for (int32_t at = 0; load.base == base && at < load.size; at += kWord)
      words.insert(load.offset + at);
  }
  std::vector<isa::GlobalRunSpan> spans;
  int32_t end = 0;
  for (const int32_t offset : words) {
    if (!spans.empty() && offset == end)
      ++spans.back().words;
    else
      spans.push_back({offset, 1});
    end = offset + kWord;
  }
  return spans;
}

}  // namespace

size_t Decoder::decode_region(size_t first, size_t last) {
  const Region region = find_region(function_, first, last, varying_);
  if (region.length == 0) return decode_run(first, last);
  const auto first_site = static_cast<uint32_t>(kernel_.sites.size());
  FusedRun counted;
  for (const Region::Load& load : region.loads) {
    // Lanes that all read one 16-byte value are served in two halves.
    counted.shared_loads.push_back({first_site + static_cast<uint32_t>(load.instruction - first),
                                    load.elements == 4 ? 2u : 1u});
  }
  std::vector<uint32_t> bases;
  for (const Region::Base& base : region.bases) {
    const int r = base.address->reg;
    append(bases, isa::RegionBase{slot_of(r), register_width(*base.address) == 8 ? 1u : 0u,
                                  static_cast<int32_t>(base.low), static_cast<int32_t>(base.high),
                                  base.alignment, base.varies ? 1u : 0u});
  }
  const std::string name = "region_" + std::to_string(kernel_.regions.size());
  const uint32_t extra = list(bases);
  const size_t op_index = code_.ops.size();
  Op& op = emit(isa::fused().compiled);
  op.site = first_site;
  op.a = static_cast<uint32_t>(region.bases.size());
  op.c = static_cast<uint32_t>(kernel_.regions.size());
  op.d = static_cast<uint32_t>(kernel_.runs.size());
  op.extra = extra;
  kernel_.regions.push_back(
      {name, write_region(name, function_, region, traffic_, slots_, isa::fused().vector_bytes)});
  kernel_.runs.push_back(std::move(counted));
  const size_t end = first + region.length;
  for (size_t i = first; i < end;) i += decode_run(i, end);
  code_.ops[op_index].imm = static_cast<int64_t>(code_.ops.size() - op_index);
  return region.length;
}

size_t Decoder::decode_run(size_t first, size_t last) {
  if (const FusibleRun run = find_run(function_, first, last, traffic_); run.length != 0) {
    try {
      decode_shared_run(run, first);
      return run.length;
    } catch (const Untranslatable&) {  // its address is none
      decode_instruction(first);
      return 1;
    }
  }
  if (const GlobalRun run = find_global_run(function_, first, last, traffic_); run.length != 0) {
    decode_global_run(run, first);
    return run.length;
  }
  decode_instruction(first);
  return 1;
}

void Decoder::decode_singly(size_t run_op, size_t first, size_t length) {
  for (size_t i = first; i < first + length; ++i) decode_instruction(i);
  code_.ops[run_op].imm = static_cast<int64_t>(code_.ops.size() - run_op);
}

uint32_t Decoder::slot_of(int r) const {
  return r < 0 ? 0 : slots_.offset[static_cast<size_t>(r)];
}

void Decoder::decode_shared_run(const FusibleRun& run, size_t first) {
  const auto first_site = static_cast<uint32_t>(kernel_.sites.size());
  int64_t low = run.steps[0].offset, high = low;
  std::vector<uint32_t> words(2);
  uint32_t previous = isa::kNone;
  for (const FusibleRun::Step& step : run.steps) {
    low = std::min(low, step.offset);
    high = std::max(high, step.offset);
    const uint32_t x = slot_of(step.x), c = slot_of(step.c), d = slot_of(step.d),
                   y = slot_of(step.y);
    const bool chained =
        c == previous && d == previous && x != previous && (step.y < 0 || y != previous);
    words.insert(words.end(),
                 {static_cast<uint32_t>(step.offset), x, c, d, y,
                  step.y < 0 ? isa::kStepFma : isa::kStepScaledFma, chained ? 1u : 0u});
    previous = d;
  }
  words[0] = static_cast<uint32_t>(low);
  words[1] = static_cast<uint32_t>(high);
  FusedRun counted;
  for (size_t k = 0; k < run.length; ++k) {
    const Instruction& i = function_.body[first + k];
    if (i.opcode != "ld") continue;
    // Lanes that all read one 16-byte value are served in two halves.
    counted.shared_loads.push_back({first_site + static_cast<uint32_t>(k), i.has("v4") ? 2u : 1u});
  }
  const Address base = address(*run.base, ptx::Space::Shared);
  const uint32_t extra = list(words), spans = list(spans_of(run));
  const auto op_index = code_.ops.size();
  Op& op = emit(base.wide ? isa::fused().shared_wide : isa::fused().shared_narrow);
  op.site = first_site;
  op.a = base.base;
  op.b = spans;
  op.c = static_cast<uint32_t>(run.steps.size());
  op.d = static_cast<uint32_t>(kernel_.runs.size());
  op.extra = extra;
  kernel_.runs.push_back(std::move(counted));
  decode_singly(op_index, first, run.length);
}

void Decoder::decode_global_run(const GlobalRun& run, size_t first) {
  const auto first_site = static_cast<uint32_t>(kernel_.sites.size());
  const auto first_run = static_cast<uint32_t>(kernel_.runs.size());
  isa::GlobalRunHead head{};
  std::vector<uint32_t> loads, spans, steps;
  std::map<std::pair<uint32_t, int32_t>, int32_t> copied;  // where words lie: base and offset
  for (uint32_t k = 0; k < GlobalRun::kBases && run.bases[k] != nullptr; ++k) {
    isa::GlobalRunBase& base = head.base[head.bases++];
    FusedRun counted;
    for (const GlobalRun::Load& load : run.loads) {
      if (load.base != k) continue;
      const auto site = first_site + static_cast<uint32_t>(load.instruction - first);
      const auto size = static_cast<uint32_t>(load.size);
      if (base.loads++ == 0) base.site = site;
      base.largest_size = std::max(base.largest_size, size);
      append(loads, isa::GlobalRunLoad{site, load.offset, size});
      counted.global_loads.push_back({site, size});
    }
    kernel_.runs.push_back(std::move(counted));
    const std::vector<isa::GlobalRunSpan> of_base = spans_of(run, k);
    base.address = slot_of(run.bases[k]->reg);
    base.low = of_base.front().offset;
    base.high = of_base.back().offset + kWord * static_cast<int32_t>(of_base.back().words);
    base.spans = static_cast<uint32_t>(of_base.size());
    for (const isa::GlobalRunSpan& span : of_base) {
      append(spans, span);
      for (uint32_t word = 0; word < span.words; ++word) {
        const int32_t at = static_cast<int32_t>(copied.size()) * kWord * 32;
        copied[{k, span.offset + kWord * static_cast<int32_t>(word)}] = at;
      }
    }
  }
  const auto factor = [&](const GlobalRun::Factor& f) -> isa::GlobalRunFactor {
    if (f.reg >= 0) return {isa::kFromRegister, static_cast<int32_t>(slot_of(f.reg)), 0};
    return {f.base, f.offset, copied.at({f.base, f.offset})};
  };
  int previous = -1;
  for (const GlobalRun::Step& step : run.steps) {
    const bool chained = step.c == previous && traffic_.is_read_once(step.c);
    append(steps, isa::GlobalRunStep{factor(step.a), factor(step.b), slot_of(step.c),
                                     slot_of(step.d), chained ? 1u : 0u});
    previous = step.d;
  }
  std::vector<uint32_t> words;
  append(words, head);
  for (const auto* part : {&loads, &spans, &steps})
    words.insert(words.end(), part->begin(), part->end());
  const uint32_t extra = list(words);
  const size_t op_index = code_.ops.size();
  Op& op = emit(isa::fused().global);
  op.site = first_site;
  op.c = static_cast<uint32_t>(run.steps.size());
  op.d = first_run;
  op.extra = extra;
  decode_singly(op_index, first, run.length);
}

}  // namespace vgpu
