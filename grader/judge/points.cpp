#include "points.hpp"

#include <map>

#include "formula.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

struct MeterText {
  const char* what;
  const char* when_too_much;
};

const std::map<std::string, MeterText>& texts() {
  static const std::map<std::string, MeterText> kTexts = {
      {"workspace_bytes",
       {"bytes of workspace", "Allocate no more scratch memory than the algorithm needs."}},
      {"unmetered_bytes",
       {"bytes of memory from elsewhere than the workspace",
        "Take all scratch memory from the Workspace argument, not from cudaMalloc."}},
      {"local_bytes",
       {"bytes of local memory, the arrays of all threads together",
        "An array of a thread is in local memory, which is device memory, unless its indices are "
        "known to the compiler: keep a tile of scores at a time, not a row."}},
      {"distinct_bytes",
       {"distinct bytes moved between device memory and the kernels, summed over launches",
        "Read and write each intermediate result as few times as possible."}},
      {"requested_bytes",
       {"bytes of global memory requested by all warps",
        "Keep the running sum in a register, and read each factor of a product once per "
        "multiply-add."}},
      {"sector_bytes",
       {"bytes in 32-byte sectors moved for the requests of all warps",
        "Let neighbouring threads (threadIdx.x) read neighbouring addresses: see the sectors per "
        "request."}},
      {"global_load_bytes",
       {"bytes of global memory loaded by all warps",
        "Load what is needed again once, and keep it in registers or shared memory."}},
      {"global_store_bytes",
       {"bytes of global memory stored by all warps", "Store each result once."}},
      {"shared_conflict_share",
       {"of all wavefronts of shared memory are bank conflicts",
        "Lanes of a warp that access different rows of a tile at the same column meet in one bank "
        "when the row length is a multiple of 32 floats: pad the rows."}},
      {"launches", {"kernel launches", "Launch fewer kernels."}},
  };
  return kTexts;
}

/// The kinds of memory that unmetered_bytes adds up, besides what cudaMalloc and its like gave.
constexpr std::pair<const char*, const char*> kOtherMemory[] = {
    {"module_bytes", "in __device__ and __constant__ variables"},
    {"host_mapped_bytes", "in pinned host memory"},
    {"host_copy_bytes", "copied between the host and the device"},
};

/// A count, or a share below 1.
std::string shown(double value) {
  return value > 0 && value < 1 ? format("%.3g", value) : with_commas(value);
}

/// Where unmetered bytes are when not all of them come from cudaMalloc: " (4,096 in ...)".
std::string places(const Meters& meters) {
  std::string list;
  for (const auto& [meter, where] : kOtherMemory) {
    const double bytes = meters.find(meter).value_or(0);
    if (bytes > 0) list += (list.empty() ? " (" : ", ") + with_commas(bytes) + " " + where;
  }
  return list.empty() ? list : list + ")";
}

}  // namespace

bool is_limitable(const std::string& meter) {
  return texts().contains(meter);
}

std::optional<std::string> find_broken_limit(const CaseSpec& spec, const Meters& meters) {
  for (const Limit& limit : spec.limits) {
    const std::optional<double> reading = meters.find(limit.meter);
    if (!reading) continue;
    const MeterText& text = texts().at(limit.meter);
    const auto broken = [&](const char* bound_text, double bound, const std::string& hint) {
      const std::string where = limit.meter == "unmetered_bytes" ? places(meters) : "";
      return format("%s %s%s; %s %s here. %s", shown(*reading).c_str(), text.what, where.c_str(),
                    bound_text, shown(bound).c_str(), hint.c_str());
    };
    if (!limit.at_most.empty()) {
      const double most = evaluate(limit.at_most, spec.shape);
      if (!(*reading <= most)) {
        return broken("allowed are at most", most,
                      limit.hint.empty() ? text.when_too_much : limit.hint);
      }
    }
    if (!limit.at_least.empty()) {
      const double least = evaluate(limit.at_least, spec.shape);
      if (!(*reading >= least)) return broken("expected are at least", least, limit.hint);
    }
  }
  return std::nullopt;
}

}  // namespace flashlab::judge
