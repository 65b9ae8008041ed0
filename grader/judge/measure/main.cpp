// flashlab-measure: counts and times of one submission for a list of shapes. README.md has the
// contract.
#include <getopt.h>

#include <chrono>
#include <iostream>
#include <string_view>

#include "command_line.hpp"
#include "measure/record.hpp"
#include "measure/timing.hpp"
#include "model/model.hpp"
#include "text.hpp"

namespace flashlab::judge {
namespace {

constexpr const char* kUsage =
    "usage: flashlab-measure --lab LAB.toml --submission FILE.so --worker FILE --runtime-dir DIR "
    "[--runtime-dir DIR]...\n"
    "                        [--launcher WORD]... --device vgpu|cuda --shapes FILE.json [--gpu "
    "NAME]... [--seed N]\n"
    "                        [--baseline STAFF.so] [--repeats N] [--time] --output RECORDS.jsonl\n"
    "\n"
    "  --shapes   a JSON array of objects with seq_q, head_dim and, where they differ from seq_q, "
    "1/sqrt(head_dim),\n"
    "             1 and false: seq_k, scale, batch, heads, causal; entry: a function of the lab; "
    "check_rows\n"
    "  --gpu      models the time on this GPU (virtual GPU only); may be repeated\n"
    "  --baseline the library whose time is measured beside the submission's\n"
    "  --repeats  timed calls of each, 30 by default\n"
    "  --time     measure times on the virtual GPU too: what they show is this machine, for tests\n"
    "  --output   one line of JSON is appended for each shape as soon as it is measured\n"
    "  The other options are those of flashlab-judge.\n"
    "\n"
    "Exit code: 0 measured, 1 the submission cannot be loaded, 2 usage or environment.\n";

constexpr int kMeasured = 0, kNotLoaded = 1, kEnvironment = 2;

struct Options {
  std::filesystem::path lab, shapes, output, baseline;
  bool time = false;  ///< also on the virtual GPU
  TimingOptions timing;
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
                             {"baseline", required_argument, nullptr, 'b'},
                             {"repeats", required_argument, nullptr, 'n'},
                             {"time", no_argument, nullptr, 't'},
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
      case 'b':
        options.baseline = optarg;
        break;
      case 'n':
        options.timing.repeats = parse_count(optarg, "--repeats");
        break;
      case 't':
        options.time = true;
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
  if (!options.baseline.empty()) require_file(options.baseline, "--baseline");
  options.device = parse_device(device);
  options.time = options.time || options.device == DeviceKind::kCuda;
  if (options.output.empty()) throw UsageError("--output is missing");
  if (options.worker.runtime_dirs.empty()) throw UsageError("--runtime-dir is missing");
  return options;
}

/// Measures one shape. `client` and `baseline` run the submission and the staff's library.
nlohmann::ordered_json measure(const Options& options, const Lab& lab, const Wanted& wanted,
                               Client& client, Client* baseline) {
  const auto start = std::chrono::steady_clock::now();
  const CaseSpec& spec = wanted.spec;
  const Lab scaled = scaled_limits(lab, spec.shape);
  const auto rows = wanted.check_rows ? wanted.check_rows : default_rows(spec.shape);
  Call call = call_once(scaled, spec, options.seed, rows, client);
  nlohmann::ordered_json modelled, times;
  if (options.device == DeviceKind::kVirtual && call.status == Call::Status::kOk) {
    for (const model::GpuProfile& gpu : options.gpus) {
      try {
        modelled[gpu.id] = to_json(model::model_time(call.meters.launches, gpu));
      } catch (const model::ModelError& error) {  // a kernel that does not fit on this GPU
        call.message = error.what();
      }
    }
  }
  if (options.time && call.status == Call::Status::kOk) {
    TimingOptions timing = options.timing;
    timing.seed = options.seed;
    const Timing taken = take_times(scaled, spec, timing, client, baseline);
    if (taken.call.status == Call::Status::kOk) {
      times = to_json(taken);
    } else {
      call = taken.call;
    }
  }
  auto record = to_record(lab, spec, options.seed, client.hello(), call);
  if (!modelled.is_null()) record["modelled"] = modelled;
  if (!times.is_null()) record["timing"] = times;
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
  WorkerOptions staff = worker;
  staff.submission = options.baseline;
  for (const Wanted& wanted : shapes) {
    // Memory is that of the shape: the largest of a sweep would be held for all.
    const size_t memory = memory_needed(lab, wanted.spec);
    Client client(worker, memory, lab.case_seconds);
    if (const auto reason = client.ready(WorkerMode::kResources)) {
      std::cerr << "flashlab-measure: the submission: " << *reason << "\n";
      return kNotLoaded;
    }
    require_device(client.hello(), options.device);
    std::optional<Client> baseline;
    if (!options.baseline.empty()) baseline.emplace(staff, memory, lab.case_seconds);
    const auto record = measure(options, lab, wanted, client, baseline ? &*baseline : nullptr);
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
