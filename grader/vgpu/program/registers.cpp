#include "program/registers.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

namespace vgpu {
namespace {

constexpr uint32_t kLanes = 32;

void add_registers(const ptx::Operand& operand, std::vector<int>& out) {
  if (operand.reg >= 0) out.push_back(operand.reg);
  if (operand.pair >= 0) out.push_back(operand.pair);
  for (const ptx::Operand& element : operand.elements) add_registers(element, out);
}

// Positions: an instruction reads at 2i and writes at 2i + 1, so a result may take the slot of an
// operand that ends here.
struct Interval {
  size_t begin = ~size_t{0}, end = 0;
  void extend(size_t position) {
    begin = std::min(begin, position);
    end = std::max(end, position);
  }
};

using Bits = std::vector<uint64_t>;
bool test(const Bits& bits, size_t i) {
  return (bits[i / 64] >> (i % 64) & 1) != 0;
}
void set(Bits& bits, size_t i) {
  bits[i / 64] |= uint64_t{1} << (i % 64);
}

// Registers live at the start of each block (backward data flow to a fixed point).
std::vector<Bits> live_at_start(const FlowGraph& graph, const std::vector<RegisterUse>& uses,
                                size_t registers) {
  const size_t words = (registers + 63) / 64;
  const size_t count = graph.blocks.size();
  std::vector<Bits> read_first(count, Bits(words)), written(count, Bits(words)),
      live(count, Bits(words));
  for (size_t b = 0; b < count; ++b) {
    for (size_t i = graph.blocks[b].first; i < graph.blocks[b].last; ++i) {
      for (const int r : uses[i].reads) {
        if (!test(written[b], static_cast<size_t>(r))) set(read_first[b], static_cast<size_t>(r));
      }
      for (const int r : uses[i].writes) set(written[b], static_cast<size_t>(r));
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t b = count; b-- > 0;) {
      for (size_t w = 0; w < words; ++w) {
        uint64_t out = 0;
        for (const int s : graph.blocks[b].successors) out |= live[static_cast<size_t>(s)][w];
        const uint64_t in = read_first[b][w] | (out & ~written[b][w]);
        changed |= in != live[b][w];
        live[b][w] = in;
      }
    }
  }
  return live;
}

std::vector<Interval> intervals(const ptx::Function& function, const FlowGraph& graph,
                                const std::vector<RegisterUse>& uses) {
  const size_t registers = function.registers.size();
  const std::vector<Bits> live = live_at_start(graph, uses, registers);
  std::vector<Interval> result(registers);
  for (size_t b = 0; b < graph.blocks.size(); ++b) {
    const FlowBlock& block = graph.blocks[b];
    for (size_t i = block.first; i < block.last; ++i) {
      for (const int r : uses[i].reads) result[static_cast<size_t>(r)].extend(2 * i);
      for (const int r : uses[i].writes) result[static_cast<size_t>(r)].extend(2 * i + 1);
    }
    for (size_t r = 0; r < registers; ++r) {
      if (test(live[b], r)) result[r].extend(2 * block.first);
      for (const int s : block.successors) {
        if (test(live[static_cast<size_t>(s)], r)) result[r].extend(2 * block.last);
      }
    }
  }
  return result;
}

}  // namespace

uint32_t lane_bytes(ptx::Type type) {
  if (type == ptx::Type::Pred) return 0;
  return std::max<uint32_t>(
      2, static_cast<uint32_t>(ptx::size_of(type)));  // bytes live in 16-bit registers
}

bool has_destination(const ptx::Instruction& i) {
  static const std::set<std::string_view> kNone = {
      "st",         "red",         "bra",     "brx",           "call",
      "ret",        "exit",        "membar",  "fence",         "cp",
      "prefetch",   "prefetchu",   "trap",    "brkpt",         "nanosleep",
      "pmevent",    "stmatrix",    "discard", "applypriority", "griddepcontrol",
      "setmaxnreg", "stackrestore"};
  if (i.opcode == "bar" || i.opcode == "barrier") return i.has("red");
  if (i.opcode == "wmma") return !i.has("store");
  if (i.opcode == "mbarrier")
    return !i.operands.empty() && i.operands[0].kind == ptx::Operand::Kind::Register;
  return kNone.count(i.opcode) == 0 && !i.operands.empty() &&
         i.operands[0].kind != ptx::Operand::Kind::Address;
}

RegisterUse register_use(const ptx::Instruction& i) {
  RegisterUse use;
  const bool writes = has_destination(i);
  for (size_t k = 0; k < i.operands.size(); ++k)
    add_registers(i.operands[k], writes && k == 0 ? use.writes : use.reads);
  if (i.guard >= 0) {
    use.reads.push_back(i.guard);
    use.reads.insert(use.reads.end(), use.writes.begin(), use.writes.end());
  }
  return use;
}

RegisterSlots assign_slots(const ptx::Function& function, const FlowGraph& graph) {
  std::vector<RegisterUse> uses;
  uses.reserve(function.body.size());
  for (const ptx::Instruction& i : function.body) uses.push_back(register_use(i));
  const std::vector<Interval> ranges = intervals(function, graph, uses);

  std::vector<size_t> order;
  for (size_t r = 0; r < ranges.size(); ++r) {
    if (ranges[r].end != 0 || ranges[r].begin == 0) order.push_back(r);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return ranges[a].begin < ranges[b].begin; });

  // Linear scan (Poletto and Sarkar, 1999), one pool for each width: lanes of different widths do
  // not line up.
  struct Pool {
    uint32_t slots = 0;
    std::vector<uint32_t> free;
    std::multimap<size_t, uint32_t> busy;  // by end of the interval
  };
  std::map<uint32_t, Pool> pools;
  std::vector<uint32_t> slot(ranges.size());
  for (const size_t r : order) {
    Pool& pool = pools[lane_bytes(function.registers[r].type)];
    while (!pool.busy.empty() && pool.busy.begin()->first < ranges[r].begin) {
      pool.free.push_back(pool.busy.begin()->second);
      pool.busy.erase(pool.busy.begin());
    }
    if (pool.free.empty()) pool.free.push_back(pool.slots++);
    slot[r] = pool.free.back();
    pool.free.pop_back();
    pool.busy.emplace(ranges[r].end, slot[r]);
  }

  RegisterSlots result;
  result.offset.resize(ranges.size());
  std::map<uint32_t, uint32_t> base;
  for (auto it = pools.rbegin(); it != pools.rend();
       ++it) {  // widest first keeps every slot aligned
    base[it->first] = result.bytes;
    result.bytes += it->second.slots * (it->first == 0 ? 4 : it->first * kLanes);
  }
  result.bytes = (result.bytes + 511) / 512 * 512;
  result.words = pools.count(4) != 0 ? pools[4].slots : 0;
  for (const size_t r : order) {
    const uint32_t width = lane_bytes(function.registers[r].type);
    result.offset[r] = base[width] + slot[r] * (width == 0 ? 4 : width * kLanes);
  }
  return result;
}

}  // namespace vgpu
