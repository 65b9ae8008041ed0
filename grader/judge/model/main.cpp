// flashlab-model: the modelled time of launches whose counters `vgpu run --counters json` wrote.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "model/model.hpp"

namespace {

using namespace flashlab::model;

constexpr const char* kUsage =
    "usage: flashlab-model --gpu NAME|FILE.toml [--table] COUNTERS.json\n"
    "  The time that a GPU would take for the launches in COUNTERS.json, which\n"
    "  'vgpu run --counters json --output COUNTERS.json PROGRAM' writes. JSON, or a table.\n"
    "  NAME is one of: ";

struct Options {
  std::string gpu, counters;
  bool table = false;
};

std::string usage() {
  std::string text = kUsage;
  for (const std::string& id : known_gpus(GPU_PROFILES)) text += id + " ";
  return text;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--table")
      options.table = true;
    else if (word == "--gpu" && i + 1 < argc)
      options.gpu = argv[++i];
    else if (word.starts_with("-") || !options.counters.empty())
      throw ModelError("cannot understand '" + word + "'\n" + usage());
    else
      options.counters = word;
  }
  if (options.gpu.empty() || options.counters.empty()) throw ModelError(usage());
  return options;
}

std::filesystem::path profile_file(const std::string& gpu) {
  if (gpu.ends_with(".toml")) return gpu;
  const auto file = std::filesystem::path(GPU_PROFILES) / (gpu + ".toml");
  if (std::filesystem::is_regular_file(file)) return file;
  throw ModelError("there is no GPU '" + gpu + "'\n" + usage());
}

nlohmann::json read_counters(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw ModelError(file + ": cannot be read: " + std::strerror(errno));
  nlohmann::json counters = nlohmann::json::parse(stream, nullptr, false);
  if (counters.is_discarded()) throw ModelError(file + ": is no JSON");
  return counters;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    const ModelledTime time =
        model_time(read_counters(options.counters), load_gpu(profile_file(options.gpu)));
    std::puts(options.table ? to_table(time).c_str() : to_json(time).dump(2).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "flashlab-model: %s\n", error.what());
    return 2;
  }
}
