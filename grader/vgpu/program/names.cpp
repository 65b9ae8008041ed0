#include "program/names.hpp"

#include <set>
#include <string_view>
#include <utility>

#include "program/error.hpp"

namespace vgpu {
namespace {

constexpr std::pair<int, int> kKnownVersion{9, 0};

// PTX ISA 9.0, chapter 9.
const std::set<std::string_view> kOpcodes = {
    "abs",          "activemask",    "add",       "addc",       "alloca",
    "and",          "applypriority", "atom",      "bar",        "barrier",
    "bfe",          "bfi",           "bfind",     "bmsk",       "bra",
    "brev",         "brkpt",         "brx",       "call",       "clusterlaunchcontrol",
    "clz",          "cnot",          "copysign",  "cos",        "cp",
    "createpolicy", "cvt",           "cvta",      "discard",    "div",
    "dp2a",         "dp4a",          "elect",     "ex2",        "exit",
    "fence",        "fma",           "fns",       "getctarank", "griddepcontrol",
    "isspacep",     "istypep",       "ld",        "ldmatrix",   "ldu",
    "lg2",          "lop3",          "mad",       "mad24",      "madc",
    "mapa",         "match",         "max",       "mbarrier",   "membar",
    "min",          "mma",           "mov",       "movmatrix",  "mul",
    "mul24",        "multimem",      "nanosleep", "neg",        "not",
    "or",           "pmevent",       "popc",      "prefetch",   "prefetchu",
    "prmt",         "rcp",           "red",       "redux",      "rem",
    "ret",          "rsqrt",         "sad",       "selp",       "set",
    "setmaxnreg",   "setp",          "shf",       "shfl",       "shl",
    "shr",          "sin",           "slct",      "sqrt",       "st",
    "stackrestore", "stacksave",     "stmatrix",  "sub",        "subc",
    "suld",         "suq",           "sured",     "sust",       "szext",
    "tanh",         "tcgen05",       "tensormap", "testp",      "tex",
    "tld4",         "trap",          "txq",       "vabsdiff",   "vabsdiff2",
    "vabsdiff4",    "vadd",          "vadd2",     "vadd4",      "vavrg2",
    "vavrg4",       "vmad",          "vmax",      "vmax2",      "vmax4",
    "vmin",         "vmin2",         "vmin4",     "vote",       "vset",
    "vset2",        "vset4",         "vshl",      "vshr",       "vsub",
    "vsub2",        "vsub4",         "wgmma",     "wmma",       "xor",
};

// Chapter 10, without what follows a dot or a number: %tid.x, %envreg12.
constexpr std::string_view kSpecialRegisters[] = {
    "%tid",
    "%ntid",
    "%laneid",
    "%warpid",
    "%nwarpid",
    "%ctaid",
    "%nctaid",
    "%smid",
    "%nsmid",
    "%gridid",
    "%is_explicit_cluster",
    "%clusterid",
    "%nclusterid",
    "%cluster_",
    "%lanemask_",
    "%clock",
    "%pm",
    "%envreg",
    "%globaltimer",
    "%reserved_smem_",
    "%total_smem_size",
    "%aggr_smem_size",
    "%dynamic_smem_size",
    "%current_graph_exec",
    "WARP_SZ",
};

bool is_special_register(std::string_view name) {
  for (const std::string_view known : kSpecialRegisters)
    if (name.starts_with(known)) return true;
  return false;
}

[[noreturn]] void refuse(const ptx::Instruction& i, const std::string& what) {
  throw ProgramError("line " + std::to_string(i.ptx_line) + " of the embedded PTX: " + what);
}

}  // namespace

void require_known_names(const ptx::Module& module) {
  if (std::pair(module.version_major, module.version_minor) > kKnownVersion) return;
  for (const ptx::Function& function : module.functions) {
    for (const ptx::Instruction& i : function.body) {
      if (!kOpcodes.contains(i.opcode)) refuse(i, "there is no instruction `" + i.opcode + "`");
      for (const ptx::Operand& operand : i.operands) {
        if (operand.kind == ptx::Operand::Kind::Special && !is_special_register(operand.name))
          refuse(i, "there is no register `" + operand.name + "`");
      }
    }
  }
}

}  // namespace vgpu
