// flashlab-model: the modelled time of launches whose counters `vgpu run --counters json` wrote.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "model/model.hpp"

namespace {

using namespace flashlab::model;

constexpr const char* kHelp =
    "usage: flashlab-model --gpu NAME|FILE.toml [--table] [--set CONSTANT=VALUE]... COUNTERS.json\n"
    "  The time that a GPU would take for the launches in COUNTERS.json, which\n"
    "  'vgpu run --counters json --output COUNTERS.json PROGRAM' writes. JSON, or a table.\n"
    "  --set overrides one of the model's constants, as a fit does.\n"
    "  NAME is one of";

struct Options {
  std::string gpu, counters;
  bool table = false;
  Constants constants;
};

std::string gpus() {
  std::string text;
  for (const std::string& id : known_gpus(GPU_PROFILES)) text += " " + id;
  return text;
}

/// "overlap=3"
void set(Constants& constants, const std::string& word) {
  const size_t equals = word.find('=');
  double* const constant = find(constants, word.substr(0, equals));
  char* end = nullptr;
  const double value =
      equals == std::string::npos ? 0 : std::strtod(word.c_str() + equals + 1, &end);
  if (constant == nullptr || !(value > 0) || *end != '\0')
    throw ModelError("--set takes a constant of model.hpp and a number above 0, not '" + word +
                     "'");
  *constant = value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--table")
      options.table = true;
    else if (word == "--gpu" && i + 1 < argc)
      options.gpu = argv[++i];
    else if (word == "--set" && i + 1 < argc)
      set(options.constants, argv[++i]);
    else if (word.starts_with("-") || !options.counters.empty())
      throw ModelError("cannot understand '" + word + "': see flashlab-model --help");
    else
      options.counters = word;
  }
  if (options.gpu.empty() || options.counters.empty())
    throw ModelError("--gpu and a file of counters are needed: see flashlab-model --help");
  return options;
}

std::filesystem::path profile_file(const std::string& gpu) {
  if (gpu.ends_with(".toml")) return gpu;
  std::filesystem::path file = std::filesystem::path(GPU_PROFILES) / (gpu + ".toml");
  if (std::filesystem::is_regular_file(file)) return file;
  throw ModelError("there is no GPU '" + gpu + "': known are" + gpus());
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
    if (argc == 2 && std::string(argv[1]) == "--help") {
      std::printf("%s%s\n", kHelp, gpus().c_str());
      return 0;
    }
    const Options options = parse(argc, argv);
    const ModelledTime time = model_time(read_counters(options.counters),
                                         load_gpu(profile_file(options.gpu)), options.constants);
    std::puts(options.table ? to_table(time).c_str() : to_json(time).dump(2).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "flashlab-model: %s\n", error.what());
    return 2;
  }
}
