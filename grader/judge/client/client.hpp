// The judge's side of the conversation: a worker that is replaced whenever it can no longer be
// trusted to answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/worker.hpp"
#include "lab.hpp"

namespace flashlab::judge {

class Client {
 public:
  /// `load_seconds` limits loading the submission; `memory_bytes` must hold the largest case.
  Client(WorkerOptions options, size_t memory_bytes, double load_seconds);

  /// Starts a worker unless one of this mode is alive, and loads the submission. Returns why that
  /// failed, in one line, or nothing. Throws EnvironmentError when the worker itself does not
  /// start.
  std::optional<std::string> ready(WorkerMode mode = WorkerMode::kPlain);

  /// Ends the worker, if one is alive; ready() starts another.
  void stop() { worker_.reset(); }

  /// Whether code of the submission has been called in the live worker.
  bool is_used() const { return used_; }

  /// The device, once a worker has started.
  const protocol::Hello& hello() const { return hello_; }
  /// The live worker's memory; only after ready() returned nothing.
  const SharedMemory& memory() const { return worker_->memory(); }

  /// Runs one request. The worker is discarded when it gave no answer or its device is in an error
  /// state.
  Outcome run(protocol::CaseRequest& request, protocol::CaseReply& reply, double seconds,
              CallTime* time = nullptr);

  /// What the submission printed in the last run.
  std::string take_output();

 private:
  WorkerOptions options_;
  size_t memory_bytes_;
  double load_seconds_;
  protocol::Hello hello_;
  std::unique_ptr<Worker> worker_;
  bool spent_ = false;  ///< to be replaced before the next run
  bool used_ = false;   ///< has run a request
};

/// Throws EnvironmentError unless the worker runs on the device that was asked for.
void require_device(const protocol::Hello& hello, DeviceKind wanted);

/// What an outcome other than an answer means, for a student: one or two sentences.
std::string describe(const Outcome& outcome, double seconds);

}  // namespace flashlab::judge
