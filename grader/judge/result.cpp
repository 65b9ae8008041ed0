#include "result.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "text.hpp"

namespace flashlab::judge {
namespace {

using nlohmann::ordered_json;

std::string cuda_version(int version) {
  return format("%d.%d", version / 1000, version % 1000 / 10);
}

bool write_all(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) done += static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

const char* to_string(Status status) {
  switch (status) {
    case Status::kPassed:
      return "passed";
    case Status::kFailed:
      return "failed";
    case Status::kSkipped:
      return "skipped";
    case Status::kError:
      break;
  }
  return "error";
}

double LabResult::score() const {
  double sum = 0;
  for (const CaseResult& result : cases) sum += result.points;
  return sum;
}

double LabResult::max_score() const {
  double sum = 0;
  for (const CaseResult& result : cases) sum += result.max_points;
  return sum;
}

ordered_json to_json(const Shape& shape) {
  return {{"batch", shape.batch},  {"heads", shape.heads},       {"seq_q", shape.seq_q},
          {"seq_k", shape.seq_k},  {"head_dim", shape.head_dim}, {"scale", shape.scale},
          {"causal", shape.causal}};
}

ordered_json to_json(const ErrorSummary& error) {
  return {
      {"max_abs", error.max_abs}, {"max_rel", error.max_rel},       {"tolerance", error.tolerance},
      {"wrong", error.wrong},     {"not_finite", error.not_finite}, {"unwritten", error.unwritten},
      {"total", error.total}};
}

/// Counts appear as integers.
ordered_json to_json(const Meters& meters) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, value] : meters.values) {
    if (value == std::floor(value) && value < 0x1p53) {
      json[name] = static_cast<int64_t>(value);
    } else {
      json[name] = value;
    }
  }
  return json;
}

ordered_json to_json(const protocol::Hello& device) {
  const bool is_virtual = device.device == protocol::DeviceKind::kVirtual;
  return {{"kind", is_virtual ? "vgpu" : "cuda"},
          {"name", device.device_name},
          {"driver", cuda_version(device.driver_version)},
          {"runtime", cuda_version(device.runtime_version)},
          {"compute_capability", format("%d.%d", device.compute_major, device.compute_minor)},
          {"memory_bytes", device.memory_bytes}};
}

ordered_json to_json(const CaseResult& result) {
  ordered_json json = {{"name", result.name},
                       {"group", result.group},
                       {"status", to_string(result.status)},
                       {"points", result.points},
                       {"max_points", result.max_points},
                       {"message", result.message},
                       {"handout", result.handout},
                       {"rerun", result.rerun},
                       {"seconds", result.seconds},
                       {"shape", to_json(result.shape)},
                       {"meters", to_json(result.meters)}};
  if (result.error) json["error"] = to_json(*result.error);
  if (result.diagnosis) {
    json["diagnosis"] = {{"cause", result.diagnosis->cause}, {"text", result.diagnosis->text}};
  }
  if (!result.speed.is_null()) json["speed"] = result.speed;
  if (!result.output.empty()) json["output"] = result.output;
  return json;
}

ordered_json to_json(const LabResult& result) {
  ordered_json json = {{"lab", result.lab},
                       {"device", to_json(result.device)},
                       {"seed", result.seed},
                       {"score", result.score()},
                       {"max_score", result.max_score()},
                       {"cases", ordered_json::array()}};
  for (const CaseResult& one : result.cases) json["cases"].push_back(to_json(one));
  return json;
}

std::string dump(const ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

void write_atomically(const std::filesystem::path& path, const std::string& text) {
  std::string temporary = path.string() + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  const bool written = fd >= 0 && write_all(fd, text) && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
  int reason = errno;
  if (fd >= 0) close(fd);
  if (written) {
    if (rename(temporary.c_str(), path.c_str()) == 0) return;
    reason = errno;
  }
  if (fd >= 0) unlink(temporary.c_str());
  throw EnvironmentError("cannot write " + path.string() + ": " + strerror(reason));
}

}  // namespace flashlab::judge
