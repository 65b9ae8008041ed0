// flashlab-judge: grades one submission for one lab. README.md has the contract.
#include <getopt.h>
#include <gtest/gtest.h>

#include <iostream>
#include <string_view>

#include "command_line.hpp"
#include "session.hpp"

namespace flashlab::judge {
namespace {

constexpr const char* kUsage =
    "usage: flashlab-judge --lab LAB.toml --submission FILE.so --worker FILE --runtime-dir DIR "
    "[--runtime-dir DIR]...\n"
    "                      [--launcher WORD]... --device vgpu|cuda [--baseline STAFF.so] "
    "[--case GLOB] [--seed N]\n"
    "                      --output FILE.json\n"
    "\n"
    "  --runtime-dir   holds libcudart.so.13: the virtual GPU's or NVIDIA's; first on the worker's "
    "library path\n"
    "  --launcher      one word of a command put before the worker (a sandbox that keeps file "
    "descriptors 3 and 4\n"
    "                  and LD_LIBRARY_PATH)\n"
    "  --baseline      the staff's library: on a real GPU, speed is measured against it\n"
    "  --case          shell pattern of case names; all by default\n"
    "  --seed          0 to 2^53 - 1; by default FLASHLAB_SEED of the environment, which unlike "
    "command lines\n"
    "                  nobody else can read, or one from the operating system; recorded\n"
    "\n"
    "Exit code: 0 graded, 1 the submission cannot be loaded or crashed in every case, 2 usage or "
    "environment.\n";

SessionOptions parse(int argc, char** argv) {
  const option kOptions[] = {{"lab", required_argument, nullptr, 'l'},
                             {"submission", required_argument, nullptr, 's'},
                             {"baseline", required_argument, nullptr, 'b'},
                             {"worker", required_argument, nullptr, 'w'},
                             {"runtime-dir", required_argument, nullptr, 'r'},
                             {"launcher", required_argument, nullptr, 'L'},
                             {"device", required_argument, nullptr, 'd'},
                             {"case", required_argument, nullptr, 'c'},
                             {"seed", required_argument, nullptr, 'S'},
                             {"output", required_argument, nullptr, 'o'},
                             {nullptr, 0, nullptr, 0}};
  SessionOptions options;
  std::string device;
  options.seed = default_seed();
  opterr = 0;
  for (int letter; (letter = getopt_long(argc, argv, "+", kOptions, nullptr)) != -1;) {
    switch (letter) {
      case 'l':
        options.lab = optarg;
        break;
      case 's':
        options.worker.submission = optarg;
        break;
      case 'b':
        options.baseline = optarg;
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
      case 'c':
        options.case_glob = optarg;
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
  if (!options.baseline.empty()) require_file(options.baseline, "--baseline");
  options.device = parse_device(device);
  if (options.output.empty()) throw UsageError("--output is missing");
  if (options.worker.runtime_dirs.empty()) throw UsageError("--runtime-dir is missing");
  return options;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::cout << kUsage;
    return kGraded;
  }
  try {
    return run_session(parse(argc, argv));
  } catch (const UsageError& error) {
    std::cerr << "flashlab-judge: " << error.what() << " (see --help)\n";
  } catch (const std::exception& error) {
    std::cerr << "flashlab-judge: " << error.what() << "\n";
  }
  return kNoVerdict;
}

}  // namespace
}  // namespace flashlab::judge

int main(int argc, char** argv) {
  int no_arguments = 1;  // GoogleTest reads its own settings from the environment only
  testing::InitGoogleTest(&no_arguments, argv);
  return flashlab::judge::run(argc, argv);
}
