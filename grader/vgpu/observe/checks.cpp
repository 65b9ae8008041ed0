#include "observe/checks.hpp"

#include <algorithm>
#include <stdexcept>

namespace vgpu {
namespace {

struct Check {
  CheckInfo info;
  std::vector<ObserverFactory> (*observers)();
};

constexpr char kLeaks[] = "leaks";

const Check kChecks[] = {
    {{"bounds", "accesses past the end of one __shared__ array into the next"},
     [] { return std::vector<ObserverFactory>{watch_shared_bounds}; }},
    {{"uninitialised", "reads of shared or global memory that nothing has written"},
     [] {
       return std::vector<ObserverFactory>{watch_uninitialised_shared, watch_uninitialised_global};
     }},
    {{"races", "unordered accesses to shared memory, and to global memory by two blocks"},
     [] {
       return std::vector<ObserverFactory>{watch_shared_races, watch_global_races()};
     }},
    {{"async", "use of shared memory that a cp.async is still filling"},
     [] { return std::vector<ObserverFactory>{watch_pending_copies}; }},
    {{"shuffles", "shuffles that take the value of a lane that is not there"},
     [] { return std::vector<ObserverFactory>{watch_shuffles}; }},
    {{"barriers", "threads of one block that wait at different __syncthreads()"},
     [] { return std::vector<ObserverFactory>{watch_barriers}; }},
    {{kLeaks, "device memory that is not freed when the program ends"},
     [] { return std::vector<ObserverFactory>{}; }},
};

}  // namespace

std::vector<CheckInfo> all_checks() {
  std::vector<CheckInfo> list;
  for (const Check& check : kChecks) list.push_back(check.info);
  return list;
}

Checks checks_from_list(std::string_view list) {
  Checks checks;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    if (name == "none") continue;
    bool found = false;
    for (const Check& check : kChecks) {
      if (name != "all" && name != check.info.name) continue;
      for (ObserverFactory& make : check.observers()) checks.observers.push_back(std::move(make));
      checks.leaks |= check.info.name == kLeaks;
      found = true;
    }
    if (found) continue;
    std::string names = "all, none";
    for (const Check& check : kChecks) names += std::string(", ") + check.info.name;
    throw std::invalid_argument("there is no check `" + std::string(name) + "`; known: " + names);
  }
  return checks;
}

}  // namespace vgpu
