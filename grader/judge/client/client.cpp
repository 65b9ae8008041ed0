#include "client/client.hpp"

#include <cstring>

#include "text.hpp"

namespace flashlab::judge {

Client::Client(WorkerOptions options, size_t memory_bytes, double load_seconds)
    : options_(std::move(options)), memory_bytes_(memory_bytes), load_seconds_(load_seconds) {}

std::optional<std::string> Client::ready(WorkerMode mode) {
  if (worker_ && !spent_ && options_.mode == mode) return std::nullopt;
  options_.mode = mode;
  worker_ = std::make_unique<Worker>(options_, memory_bytes_);
  used_ = false;
  spent_ = true;  // until the submission is loaded
  hello_ = worker_->hello();
  protocol::Loaded loaded;
  const Outcome outcome = worker_->wait_loaded(loaded, load_seconds_);
  if (!outcome.answered()) return "while it was loaded, " + describe(outcome, load_seconds_);
  if (loaded.error[0] != '\0') return "it cannot be loaded: " + printable(loaded.error);
  spent_ = false;
  return std::nullopt;
}

Outcome Client::run(protocol::CaseRequest& request, protocol::CaseReply& reply, double seconds,
                    CallTime* time) {
  Outcome outcome = worker_->run(request, reply, seconds, time);
  // A device error is sticky: every later call of that process would return it again.
  // What a submission has started may end in one after its call, too: then nothing can be prepared.
  spent_ = !outcome.answered() || reply.synchronise.code != 0 ||
           reply.status == protocol::CallStatus::kSetupFailed;
  used_ = true;
  return outcome;
}

std::string Client::take_output() {
  return worker_ ? printable(worker_->take_output()) : "";
}

void require_device(const protocol::Hello& hello, DeviceKind wanted) {
  const bool is_virtual = hello.device == protocol::DeviceKind::kVirtual;
  if (is_virtual == (wanted == DeviceKind::kVirtual)) return;
  throw EnvironmentError(
      format("the libcudart.so.13 in the runtime folder is %s, but --device %s was asked for",
             is_virtual ? "the virtual GPU's" : "NVIDIA's", to_string(wanted)));
}

std::string describe(const Outcome& outcome, double seconds) {
  switch (outcome.kind) {
    case Outcome::Kind::kSignal:
      return format(
          "the submission crashed in host code: %s (signal %d, SIG%s). Q, K, V, O and the "
          "workspace are "
          "device memory: "
          "only kernels may read or write them.",
          strsignal(outcome.code), outcome.code, sigabbrev_np(outcome.code));
    case Outcome::Kind::kExit:
      return format(
          "the submission ended its process (exit code %d) before it had answered. An entry point "
          "returns; "
          "it does not exit.",
          outcome.code);
    case Outcome::Kind::kTimeout:
      return format("no answer within %g s: a loop that does not end, in host code or in a kernel.",
                    seconds);
    case Outcome::Kind::kViolation:
      return "the grader's channel carried " + outcome.text +
             ". A submission must leave the open files of its process alone.";
    case Outcome::Kind::kMemory:
      return "more memory than a submission may take, and it was stopped. On the virtual GPU, "
             "memory of the device counts too.";
    case Outcome::Kind::kAnswer:
      break;
  }
  return "";
}

}  // namespace flashlab::judge
