#include "program/decoder.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace vgpu {
namespace {

constexpr uint32_t kLanes = 32;
constexpr uint64_t kMostLocalBytes = 512 * 1024;  // of a thread, as ptxas
// For alloca, of each lane: more than a GPU has unless the program raises cudaLimitStackSize.
constexpr size_t kStackBytes = 64 * 1024;

const std::map<std::string_view, Special> kSpecials = {
    {"%tid.x", Special::TidX},
    {"%tid.y", Special::TidY},
    {"%tid.z", Special::TidZ},
    {"%ntid.x", Special::NtidX},
    {"%ntid.y", Special::NtidY},
    {"%ntid.z", Special::NtidZ},
    {"%ctaid.x", Special::CtaidX},
    {"%ctaid.y", Special::CtaidY},
    {"%ctaid.z", Special::CtaidZ},
    {"%nctaid.x", Special::NctaidX},
    {"%nctaid.y", Special::NctaidY},
    {"%nctaid.z", Special::NctaidZ},
    {"%laneid", Special::LaneId},
    {"%warpid", Special::WarpId},
    {"%nwarpid", Special::NwarpId},
    {"%smid", Special::SmId},
    {"%nsmid", Special::NsmId},
    {"%gridid", Special::GridId},
    {"%lanemask_eq", Special::LanemaskEq},
    {"%lanemask_lt", Special::LanemaskLt},
    {"%lanemask_le", Special::LanemaskLe},
    {"%lanemask_gt", Special::LanemaskGt},
    {"%lanemask_ge", Special::LanemaskGe},
    {"%dynamic_smem_size", Special::DynamicSharedSize},
    {"%total_smem_size", Special::TotalSharedSize},
    {"%envreg1", Special::GridWorkspaceHigh},
    {"%envreg2", Special::GridWorkspaceLow},
};

}  // namespace

Decoder::Decoder(const ptx::Module& module, const ptx::Function& function, Kernel& kernel,
                 SymbolTable& symbols, int code)
    : module_(module),
      function_(function),
      kernel_(kernel),
      symbols_(symbols),
      code_index_(code),
      graph_(build_flow(function)),
      slots_(assign_slots(function, graph_)),
      traffic_(function),
      used_(used_bytes(function)) {}

void Decoder::decode() {
  code_.name = function_.name;
  // A device function's frame starts with its parameters and results: a caller knows where to put
  // them.
  if (!function_.is_entry) {
    for (const ptx::Variable& v : function_.params) rows(v);
    for (const ptx::Variable& v : function_.returns) rows(v);
  }
  const uint32_t first_slot = (code_.frame.bytes + 511) / 512 * 512;
  for (uint32_t& offset : slots_.offset) offset += first_slot;
  code_.frame.bytes = first_slot + slots_.bytes;
  place_locals();
  const bool uses_stack = std::any_of(function_.body.begin(), function_.body.end(),
                                      [](const Instruction& i) { return i.opcode == "alloca"; });
  if (uses_stack) kernel_.stack_bytes = kStackBytes;
  if (uses_stack && !function_.is_entry) {
    saved_stack_ = reserve(8);
    if (kernel_.sites.empty()) add_site(Instruction{});
    emit(isa::builtins().stack_save).d = saved_stack_;
  }
  for (size_t b = 0; b < graph_.blocks.size(); ++b) decode_block(b);

  // Behind the last instruction: the end of a kernel, or the one place where a device function
  // returns. The returning paths meet there.
  exit_op_ = static_cast<uint32_t>(code_.ops.size());
  const isa::Builtins& builtins = isa::builtins();
  if (function_.is_entry) {
    emit(builtins.exit);
  } else {
    Op& meeting = emit(builtins.enter_meeting);
    meeting.imm = static_cast<int64_t>(kernel_.blocks.size());
    kernel_.blocks.push_back({static_cast<uint32_t>(kernel_.sites.size()), 0});
    if (saved_stack_ != 0) emit(builtins.stack_restore).a = saved_stack_;
    emit(builtins.return_);
  }
  resolve_jumps();
  code_.frame.bytes = (code_.frame.bytes + 511) / 512 * 512;
  if (code_index_ == 0) kernel_.register_slots = slots_.words;
  kernel_.codes[static_cast<size_t>(code_index_)] = std::move(code_);
}

void Decoder::place_locals() {
  uint64_t bytes = 0;
  for (const ptx::Variable& variable : function_.variables) {
    if (variable.space != ptx::Space::Local) continue;
    const auto alignment = std::max<size_t>(variable.alignment, 4);
    bytes = (bytes + alignment - 1) / alignment * alignment;
    local_offsets_[variable.name] = static_cast<uint32_t>(bytes);
    bytes += variable.size();
    if (bytes > kMostLocalBytes)
      throw ProgramError("function `" + function_.name + "` has more than " +
                         std::to_string(kMostLocalBytes) + " bytes of local memory");
  }
  code_.frame.local_bytes = static_cast<uint32_t>((bytes + 15) / 16 * 16);
}

void Decoder::decode_block(size_t block) {
  block_ = block;
  const FlowBlock& flow = graph_.blocks[block];
  block_start_.push_back(static_cast<uint32_t>(code_.ops.size()));
  const auto first_site = static_cast<uint32_t>(kernel_.sites.size());
  if (kernel_.sites.empty())
    add_site(flow.first < flow.last ? function_.body[flow.first] : Instruction{});
  site_ = flow.first < flow.last ? first_site : static_cast<uint32_t>(kernel_.sites.size()) - 1;
  const isa::Builtins& builtins = isa::builtins();
  Op& enter =
      emit(flow.is_meeting || flow.is_loop_head ? builtins.enter_meeting : builtins.enter_block);
  enter.imm = static_cast<int64_t>(kernel_.blocks.size());
  kernel_.blocks.push_back(
      {static_cast<uint32_t>(kernel_.sites.size()), static_cast<uint32_t>(flow.last - flow.first)});
  for (size_t i = flow.first; i < flow.last;) {
    i += varying_.empty() || !flow.is_in_loop ? decode_run(i, flow.last)
                                              : decode_region(i, flow.last);
  }
}

void Decoder::decode_instruction(size_t index) {
  const Instruction& i = function_.body[index];
  site_ = add_site(i);
  const bool has_own_guard = ends_block(i);
  const isa::Builtins& builtins = isa::builtins();
  uint32_t guard_op = 0;
  const uint32_t mask = has_own_guard || i.guard < 0 ? 0 : reserve(0);
  if (i.guard >= 0 && !has_own_guard) {
    guard_op = static_cast<uint32_t>(code_.ops.size());
    Op& guard = emit(builtins.guard);
    guard.a = slots_.offset[static_cast<size_t>(i.guard)];
    guard.b = i.guard_negated ? ~0u : 0;
    guard.d = mask;
  }
  const size_t before = code_.ops.size();
  try {
    translate(i);
  } catch (const std::exception& error) {  // an operand that is missing too: std::out_of_range
    code_.ops.resize(before);
    std::erase_if(jumps_, [&](const Jump& jump) { return jump.op >= before; });
    kernel_.sites[site_].mnemonic = error.what();
    emit(builtins.unsupported);
  }
  if (i.guard >= 0 && !has_own_guard) {
    emit(builtins.unguard).d = mask;
    code_.ops[guard_op].imm = static_cast<int64_t>(code_.ops.size()) - guard_op;
  }
}

void Decoder::translate(const Instruction& i) {
  if (decode_control(i) || decode_memory(i) || decode_stack(i) || decode_mbarrier(i) ||
      decode_matrix_exact(i) || decode_tensor(i))
    return;
  if (i.opcode == "setp") return decode_setp(i);
  translate_by_form(i);
}

const isa::Form& Decoder::form(const std::string& mnemonic) const {
  const isa::Form* found = isa::find(mnemonic);
  if (found == nullptr) throw Untranslatable(mnemonic);
  return *found;
}

void Decoder::translate_by_form(const Instruction& i) {
  if (i.opcode == "pack" || i.opcode == "unpack")  // names of our own: see decode_move
    throw Untranslatable(i.mnemonic());
  const isa::Form& f = form(i.mnemonic());
  set_kind(f.kind);
  Op op;
  op.run = f.run;
  uint32_t* const fields[] = {&op.a, &op.b, &op.c};
  std::vector<uint32_t> more;
  size_t next_field = 0, operand = 0;
  for (const char* p = f.operands; *p != 0; ++operand) {
    const bool is_destination = *p++ == 'd';
    uint32_t width = 0;
    const bool is_predicate = *p == 'p';
    if (is_predicate) ++p;
    while (std::isdigit(static_cast<unsigned char>(*p)) != 0)
      width = width * 10 + static_cast<uint32_t>(*p++ - '0');
    if (operand >= i.operands.size()) throw Untranslatable(i.mnemonic() + " with too few operands");
    const Operand& written = i.operands[operand];
    if (!is_predicate && width == 0) {  // cvt: the register may be wider than the type
      if (written.kind != Operand::Kind::Register && is_destination)
        throw Untranslatable(i.mnemonic());
      width = written.kind == Operand::Kind::Register ? register_width(written) : 8;
      if (width == 0) throw Untranslatable(i.mnemonic() + " of a predicate");
      (is_destination ? op.c : op.b) = width;
    }
    const uint32_t offset = is_predicate     ? predicate(written)
                            : is_destination ? destination(written, width)
                                             : source(written, width);
    if (is_destination)
      op.d = offset;
    else if (next_field < 3)
      *fields[next_field++] = offset;
    else
      more.push_back(offset);
  }
  if (operand != i.operands.size())
    throw Untranslatable(i.mnemonic() + " with " + std::to_string(i.operands.size()) + " operands");
  if (!more.empty()) op.extra = list(more);
  op.site = site_;
  code_.ops.push_back(op);
}

// setp.CMP[.BOOL][.ftz].TYPE p[|q], a, b[, [!]c]: p = (a CMP b) BOOL c, q = !(a CMP b) BOOL c.
void Decoder::decode_setp(const Instruction& i) {
  std::string mnemonic = "setp", combine;
  for (const std::string& m : i.modifiers) {
    if (m == "and" || m == "or" || m == "xor")
      combine = m;
    else
      mnemonic += "." + m;
  }
  const isa::Form& f = form(mnemonic);
  set_kind(f.kind);
  const uint32_t width = static_cast<uint32_t>(f.operands[3] - '0');
  const Operand& target = i.operands.at(0);
  const uint32_t p = target.kind == Operand::Kind::Sink ? scratch(0, 0) : destination(target, 0);
  const bool simple = combine.empty() && target.pair < 0;
  const uint32_t a = source(i.operands.at(1), width), b = source(i.operands.at(2), width);
  const uint32_t compared = simple ? p : scratch(0, 1);
  Op& compare = emit(f.run);
  compare.d = compared;
  compare.a = a;
  compare.b = b;
  if (simple) return;
  const auto combine_into = [&](uint32_t d, uint32_t left) {
    if (combine.empty()) return move(d, left, 0);
    const Operand& c = i.operands.at(3);
    Op& op = emit(form(combine + (c.negated ? "n" : "") + ".pred").run);
    op.d = d;
    op.a = left;
    op.b = predicate(c);
  };
  // Both results from scratch values: p may be the register of c.
  const uint32_t inverse = scratch(0, 2);
  if (target.pair >= 0) {
    Op& op = emit(form("not.pred").run);
    op.d = inverse;
    op.a = compared;
    combine_into(inverse, inverse);
  }
  combine_into(p, compared);
  if (target.pair >= 0) move(second_predicate(target), inverse, 0);
}

Op& Decoder::emit(Handler run) {
  Op& op = code_.ops.emplace_back();
  op.run = run;
  op.site = site_;
  return op;
}

void Decoder::set_kind(InstructionClass kind) {
  kernel_.sites[site_].kind = kind;
}

void Decoder::resolve_jumps() {
  for (const Jump& jump : jumps_) {
    const uint32_t target =
        jump.block == kNoBlock ? exit_op_ : block_start_[static_cast<size_t>(jump.block)];
    const int64_t distance = static_cast<int64_t>(target) - jump.op;
    switch (jump.field) {
      case Jump::Field::Imm:
        code_.ops[jump.op].imm = distance;
        break;
      case Jump::Field::Extra:
        code_.ops[jump.op].extra = static_cast<uint32_t>(distance);
        break;
      case Jump::Field::List:
        kernel_.operands[jump.index] = static_cast<uint32_t>(distance);
        break;
    }
  }
}

// --- operands ---
uint32_t Decoder::reserve(uint32_t width) {
  const uint32_t align = width == 0 ? 4 : 64;
  code_.frame.bytes = (code_.frame.bytes + align - 1) / align * align;
  const uint32_t offset = code_.frame.bytes;
  code_.frame.bytes += width == 0 ? 4 : width * kLanes;
  return offset;
}

uint32_t Decoder::constant(uint64_t bits, uint32_t width) {
  if (width > 0 && width < 8) bits &= (uint64_t{1} << (8 * width)) - 1;
  const auto [entry, is_new] = constants_.try_emplace({width, bits}, 0);
  if (is_new) {
    entry->second = reserve(width);
    code_.frame.constants.push_back({entry->second, width, bits});
  }
  return entry->second;
}

uint32_t Decoder::special(const std::string& name, uint32_t width) {
  if (name == "WARP_SZ") return constant(kLanes, width);
  const auto found = kSpecials.find(name);
  if (found == kSpecials.end()) throw Untranslatable("special register " + name);
  const auto [entry, is_new] = specials_.try_emplace({static_cast<int>(found->second), width}, 0);
  if (is_new) {
    entry->second = reserve(width);
    code_.specials.push_back({found->second, entry->second, width});
  }
  return entry->second;
}

uint32_t Decoder::scratch(uint32_t width, int which) {
  const auto [entry, is_new] = scratches_.try_emplace({which, width}, 0);
  if (is_new) entry->second = reserve(width);
  return entry->second;
}

uint32_t Decoder::register_width(const Operand& operand) const {
  return lane_bytes(function_.registers[static_cast<size_t>(operand.reg)].type);
}

uint32_t Decoder::source(const Operand& operand, uint32_t width) {
  switch (operand.kind) {
    case Operand::Kind::Register:
      if (register_width(operand) != width) {
        throw Untranslatable("an operand of " + std::to_string(register_width(operand)) +
                             " bytes where " + std::to_string(width) + " are needed");
      }
      return slots_.offset[static_cast<size_t>(operand.reg)];
    case Operand::Kind::Integer:
    case Operand::Kind::Float32:
      return constant(static_cast<uint64_t>(operand.bits), width);
    case Operand::Kind::Float64: {
      if (width == 8) return constant(static_cast<uint64_t>(operand.bits), 8);
      const auto narrow = static_cast<float>(__builtin_bit_cast(double, operand.bits));
      return constant(__builtin_bit_cast(uint32_t, narrow), 4);
    }
    case Operand::Kind::Special:
      return special(operand.name, width);
    case Operand::Kind::Symbol: {
      size_t param = 0;
      if (function_.is_entry && param_variable(operand.name, &param) != nullptr) {
        // Where parameters lie in memory is known when the kernel is launched (Device::run).
        const auto behind = static_cast<uint32_t>(kernel_.param_bytes);
        const auto [entry, is_new] = params_.try_emplace({behind, 8, false, 8}, 0);
        if (is_new) {
          entry->second = reserve(8);
          kernel_.param_slots.push_back({behind, entry->second, 8, 8, false});
        }
        const uint32_t base = entry->second, d = scratch(8, 15);
        const uint32_t offset =
            constant(kernel_.params.at(param).offset + static_cast<uint64_t>(operand.bits), 8);
        Op& op = emit(form("add.u64").run);
        op.d = d;
        op.a = base;
        op.b = offset;
        return d;
      }
      bool is_local = false;
      const uint64_t value = symbol_value(operand, is_local);
      if (!is_local) return constant(value, width);
      Op& op = emit(isa::builtins().local_address);
      op.d = scratch(8, 3);
      op.imm = static_cast<int64_t>(value);
      return scratches_[{3, 8}];
    }
    default:
      throw Untranslatable("an operand of this kind");
  }
}

uint32_t Decoder::destination(const Operand& operand, uint32_t width) {
  if (operand.kind != Operand::Kind::Register)
    throw Untranslatable("a destination that is not a register");
  if (register_width(operand) != width)
    throw Untranslatable("a destination of " + std::to_string(register_width(operand)) +
                         " bytes where " + std::to_string(width) + " are needed");
  return slots_.offset[static_cast<size_t>(operand.reg)];
}

uint32_t Decoder::second_predicate(const Operand& operand) const {
  if (operand.pair < 0) return isa::kNone;
  const auto r = static_cast<size_t>(operand.pair);
  if (lane_bytes(function_.registers[r].type) != 0)
    throw Untranslatable("a predicate that is not a predicate register");
  return slots_.offset[r];
}

uint32_t Decoder::predicate(const Operand& operand) {
  if (operand.kind == Operand::Kind::Integer) return constant(operand.bits != 0 ? ~0u : 0, 0);
  if (operand.kind != Operand::Kind::Register || register_width(operand) != 0) {
    throw Untranslatable("a predicate that is not a predicate register");
  }
  return slots_.offset[static_cast<size_t>(operand.reg)];
}

uint32_t Decoder::list(const std::vector<uint32_t>& values) {
  const auto start = static_cast<uint32_t>(kernel_.operands.size());
  kernel_.operands.insert(kernel_.operands.end(), values.begin(), values.end());
  return start;
}

void Decoder::move(uint32_t to, uint32_t from, uint32_t width) {
  Op& op = emit(form(width == 0   ? "mov.pred"
                     : width == 2 ? "mov.b16"
                     : width == 4 ? "mov.b32"
                                  : "mov.b64")
                    .run);
  op.d = to;
  op.a = from;
}

}  // namespace vgpu
