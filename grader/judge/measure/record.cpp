#include "measure/record.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "text.hpp"

namespace flashlab::judge {

using nlohmann::ordered_json;

ordered_json to_record(const Lab& lab, const CaseSpec& spec, uint64_t seed,
                       const protocol::Hello& device, const Call& call) {
  ordered_json record = {{"shape", to_json(spec.shape)},
                         {"entry", lab.entry(spec).name},
                         {"seed", seed},
                         {"device", to_json(device)},
                         {"status", to_string(call.status)},
                         {"message", call.message},
                         {"error", nullptr},
                         {"checked_rows", 0},
                         {"meters", to_json(call.meters)}};
  if (call.checked) {
    record["error"] = to_json(call.checked->error);
    record["checked_rows"] = call.checked->rows;
  }
  if (const auto distinct = call.meters.find("distinct_bytes")) {
    record["meters"]["compulsory_bytes"] = static_cast<int64_t>(*distinct);
  }
  if (!call.output.empty()) record["output"] = call.output;
  if (!call.meters.launches.is_null()) record["launches"] = call.meters.launches;
  return record;
}

void append_line(const std::filesystem::path& file, const ordered_json& record) {
  const std::string line = dump(record) + "\n";
  const int fd = open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  // One write, so that a reader sees the line whole or not at all.
  const bool written = fd >= 0 &&
                       write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       fsync(fd) == 0;
  const int reason = errno;
  if (fd >= 0) close(fd);
  if (!written) {
    throw EnvironmentError("cannot write " + file.string() + ": " + std::strerror(reason));
  }
}

}  // namespace flashlab::judge
