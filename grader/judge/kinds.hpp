// The kinds of entry points that the judge can grade: their parameters, as plain data.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lab.hpp"
#include "worker/protocol.hpp"

namespace flashlab::judge {

/// A parameter of an entry point: float32 in device memory.
struct TensorSpec {
  std::string name;
  size_t elements;
  bool is_input;
};

/// A workspace buffer to copy back when the submission has one of that name and size.
struct CaptureSpec {
  std::string name;
  size_t elements;  ///< float32
};

struct Kind {
  const char* name;  ///< as lab.toml says it
  protocol::EntryKind entry;
  std::vector<TensorSpec> (*tensors)(const Shape&);  ///< in the order of the parameters
  std::vector<CaptureSpec> (*captures)(const Shape&);
  std::vector<const char*> topics;  ///< keys of [sections] that messages about it refer to
};

/// The kind of this name; nullptr when there is none.
const Kind* find_kind(const std::string& name);

}  // namespace flashlab::judge
