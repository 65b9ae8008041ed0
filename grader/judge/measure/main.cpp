// flashlab-measure: counts and times of one submission for a list of shapes. README.md has the
// contract.
#include <getopt.h>

#include <chrono>
#include <iostream>
#include <string_view>

#include "command_line.hpp"
#include "measure/record.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

constexpr const char* kUsage =
    "usage: flashlab-measure --lab LAB.toml --submission FILE.so --worker FILE --runtime-dir DIR "
    "[--runtime-dir DIR]...\n"
    "                        [--launcher WORD]... --device vgpu|cuda --shapes FILE.json [--gpu "
    "NAME]... [--seed N]\n"
    "                        --output RECORDS.jsonl\n"
    "\n"
    "  --shapes   a JSON array of objects with seq_q, head_dim and, where they differ from seq_q, "
    "1/sqrt(head_dim),\n"
    "             1 and false: seq_k, scale, batch, heads, causal; entry: a function of the lab; "
    "check_rows\n"
    "  --gpu      models the time on this GPU (virtual GPU only); may be repeated\n"
    "  --output   one line of JSON is appended for each shape as soon as it is measured\n"
    "  The other options are those of flashlab-judge.\n"
    "\n"
    "Exit code: 0 measured, 1 the submission cannot be loaded, 2 usage or environment.\n";

constexpr int kMeasured = 0, kNotLoaded = 1, kEnvironment = 2;

struct Options {
  std::filesystem::path lab, shapes, output;
  WorkerOptions worker;
  DeviceKind device = DeviceKind::kVirtual;
  std::vector<model::GpuProfile> gpus;
  uint64_t seed = 0;
};

model::GpuProfile find_gpu(const std::string& name) {
  for (const std::string& known : model::known_gpus(GPU_PROFILES)) {
    if (known == name) return model::load_gpu(GPU_PROFILES "/" + name + ".toml");
  }
  std::string names;
  for (const std::string& known : model::known_gpus(GPU_PROFILES)) names += " " + known;
  throw UsageError("--gpu: there is no profile '" + name + "'; there are:" + names);
}

Options parse(int argc, char** argv) {
  const option kOptions[] = {{"lab", required_argument, nullptr, 'l'},
                             {"submission", required_argument, nullptr, 's'},
                             {"worker", required_argument, nullptr, 'w'},
                             {"runtime-dir", required_argument, nullptr, 'r'},
                             {"launcher", required_argument, nullptr, 'L'},
                             {"device", required_argument, nullptr, 'd'},
                             {"shapes", required_argument, nullptr, 'H'},
                             {"gpu", required_argument, nullptr, 'g'},
                             {"seed", required_argument, nullptr, 'S'},
                             {"output", required_argument, nullptr, 'o'},
                             {nullptr, 0, nullptr, 0}};
  Options options;
  std::string device;
  options.seed = random_seed();
  opterr = 0;
  for (int letter; (letter = getopt_long(argc, argv, "+", kOptions, nullptr)) != -1;) {
    switch (letter) {
      case 'l':
        options.lab = optarg;
        break;
      case 's':
        options.worker.submission = optarg;
        break;
      case 'w':
        options.worker.worker = optarg;
        break;
      case 'r':
        options.worker.runtime_dirs.emplace_back(optarg);
        break;
      case 'L':
        options.worker.launcher.emplace_back(optarg);
        break;
      case 'd':
        device = optarg;
        break;
      case 'H':
        options.shapes = optarg;
        break;
      case 'g':
        options.gpus.push_back(find_gpu(optarg));
        break;
      case 'S':
        options.seed = parse_seed(optarg);
        break;
      case 'o':
        options.output = optarg;
        break;
      default:
        throw UsageError(std::string("unknown or incomplete option ") + argv[optind - 1]);
    }
  }
  if (optind < argc) throw UsageError(std::string("unexpected argument ") + argv[optind]);
  require_file(options.lab, "--lab");
  require_file(options.worker.submission, "--submission");
  require_file(options.worker.worker, "--worker");
  require_file(options.shapes, "--shapes");
  options.device = parse_device(device);
  if (options.output.empty()) throw UsageError("--output is missing");
  if (options.worker.runtime_dirs.empty()) throw UsageError("--runtime-dir is missing");
  return options;
}

/// Measures one shape.
nlohmann::ordered_json measure(const Options& options, const Lab& lab, const Wanted& wanted,
                               Client& client) {
  const auto start = std::chrono::steady_clock::now();
  const Lab scaled = scaled_limits(lab, wanted.spec.shape);
  const auto rows = wanted.check_rows ? wanted.check_rows : default_rows(wanted.spec.shape);
  const Call call = call_once(scaled, wanted.spec, options.seed, rows, client);
  auto record = to_record(lab, wanted.spec, options.seed, client.hello(), call);
  if (options.device == DeviceKind::kVirtual && call.status == Call::Status::kOk) {
    for (const model::GpuProfile& gpu : options.gpus) {
      try {
        record["modelled"][gpu.id] = to_json(model::model_time(call.meters.launches, gpu));
      } catch (const model::ModelError& error) {  // a kernel that does not fit on this GPU
        record["message"] = error.what();
      }
    }
  }
  record["seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return record;
}

int measure_all(const Options& options) {
  const Lab lab = load_lab(options.lab);
  const std::vector<Wanted> shapes = read_shapes(options.shapes, lab);
  WorkerOptions worker = options.worker;
  for (const Entry& entry : lab.entries) worker.entries.push_back(entry.name);
  worker.start_seconds = lab.start_seconds;
  for (const Wanted& wanted : shapes) {
    // Memory is that of the shape: the largest of a sweep would be held for all.
    Client client(worker, memory_needed(lab, wanted.spec), lab.case_seconds);
    if (const auto reason = client.ready(WorkerMode::kResources)) {
      std::cerr << "flashlab-measure: the submission: " << *reason << "\n";
      return kNotLoaded;
    }
    require_device(client.hello(), options.device);
    const auto record = measure(options, lab, wanted, client);
    append_line(options.output, record);
    nlohmann::ordered_json event = {{"event", "measured"}};
    event.update(record);
    std::cout << dump(event) << std::endl;
  }
  return kMeasured;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::cout << kUsage;
    return kMeasured;
  }
  try {
    return measure_all(parse(argc, argv));
  } catch (const UsageError& error) {
    std::cerr << "flashlab-measure: " << error.what() << " (see --help)\n";
  } catch (const std::exception& error) {
    std::cerr << "flashlab-measure: " << error.what() << "\n";
  }
  return kEnvironment;
}

}  // namespace
}  // namespace flashlab::judge

int main(int argc, char** argv) {
  return flashlab::judge::run(argc, argv);
}
