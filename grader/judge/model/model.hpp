// The modelled time: how long a launch would take on a GPU, worked out from its exact counts. A
// model, not a measurement; README.md says how it works and how far it is off.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/gpu.hpp"

namespace flashlab::model {

/// What a launch can be waiting for. The order is that of the tables.
enum class Resource : size_t {
  Fma,      ///< float32 arithmetic
  Mufu,     ///< special functions
  Integer,  ///< integers, comparisons, conversions
  Tensor,   ///< tensor cores
  Issue,    ///< slots of the schedulers, all instructions together
  Shared,   ///< shared memory: wavefronts
  L1,       ///< L1 cache: lines and sectors of global and local memory
  L2,       ///< L2 cache: bytes
  Dram,     ///< device memory: bytes
  Latency,  ///< dependent instructions: too few warps to hide what each waits for
  Launch,   ///< the start and the end of a kernel
  Count_
};
inline constexpr size_t kResources = static_cast<size_t>(Resource::Count_);

/// The key in JSON ("fma") and the words in messages ("float32 arithmetic").
const char* key(Resource resource);
const char* title(Resource resource);

/// Each resource's own time as a part of the whole, 0 to 1: how near the launch is to the speed of
/// light of each. They do not add up to 1, for resources work at the same time.
using Shares = std::array<double, kResources>;

/// The resource with the largest share.
Resource limiter(const Shares& shares);

struct LaunchTime {
  std::string kernel;
  double seconds = 0;
  Shares shares{};
  double occupancy = 0;   ///< resident warps / most that a multiprocessor holds
  double waves = 0;       ///< grid / blocks resident on the whole GPU at one time
  int blocks_per_sm = 0;  ///< resident at one time
  int registers = 0;      ///< of each thread
};

struct ModelledTime {
  std::string gpu, name;  ///< id and name of the profile
  double seconds = 0;     ///< of all launches, one after another
  Shares shares{};        ///< of all launches, weighted by their seconds
  std::vector<LaunchTime> launches;
};

/// The model's own numbers, the same for every kernel and every GPU. The first five were fitted
/// once by tools/validate_model.py --fit; README.md, "Constants", says on what and how they may be
/// read.
struct Constants {
  double overlap = 4.8;           ///< exponent of the norm that joins the resources' times
  double integer_kept = 0.7;      ///< part of PTX's integer, predicate, conversion and move
                                  ///< instructions that ptxas leaves
  double chain_per_branch = 34;   ///< dependent instructions between one branch and the next
  double shared_in_flight = 15;   ///< loads of shared memory and shuffles of a warp at one time
  double global_in_flight = 2.8;  ///< loads of global memory of a warp at one time
  double l1_misses = 0.55;        ///< part of the loaded bytes that L1 has to fetch from L2
  double dram_efficiency = 0.9;   ///< reached part of the datasheet's bandwidth
};

/// A constant by its name, to be set; nullptr when there is none of that name.
double* find(Constants& constants, const std::string& name);

/// The time of launches on a GPU, from their records as vgpuReport and `vgpu run --counters json`
/// give them: an array of objects. Throws ModelError when a record lacks a count, or its registers
/// are unknown (no ptxas), or its blocks do not fit on the GPU.
ModelledTime model_time(const nlohmann::json& launches, const GpuProfile& gpu,
                        const Constants& constants = {});

/// {"gpu", "name", "seconds", "limiter", "limiter_share", "shares": {key: share}, "launches":
/// [{"kernel", "seconds", "limiter", "limiter_share", "shares", "occupancy", "waves",
/// "blocks_per_sm", "registers"}]}
nlohmann::ordered_json to_json(const ModelledTime& time);

/// The same as text: a line for each launch and a speed-of-light table of all.
std::string to_table(const ModelledTime& time);

}  // namespace flashlab::model
