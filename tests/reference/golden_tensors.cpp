#include "golden_tensors.hpp"

#include <bit>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace flashlab::reference {
namespace {

static_assert(std::endian::native == std::endian::little, "the blob is read as it lies in memory");

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw std::runtime_error("golden tensors: " + file.string() + " " + what +
                           "; on a machine with a CUDA GPU run: python3 tools/make_golden.py "
                           "--device cuda --output tests/reference/golden");
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) fail(file, "cannot be opened");
  return {std::istreambuf_iterator<char>(stream), {}};
}

template <class T>
std::vector<double> widen(const std::string& blob, std::size_t offset, std::size_t count) {
  std::vector<T> values(count);
  std::memcpy(values.data(), blob.data() + offset, count * sizeof(T));
  return {values.begin(), values.end()};
}

std::vector<double> read_tensor(const nlohmann::json& entry, const std::string& blob,
                                const std::filesystem::path& file) {
  const std::string dtype = entry.at("dtype");
  const std::size_t offset = entry.at("offset");
  std::size_t count = 1;
  for (const std::size_t size : entry.at("shape")) count *= size;
  const std::size_t bytes = count * (dtype == "float32" ? sizeof(float) : sizeof(double));
  if (offset > blob.size() || bytes > blob.size() - offset) fail(file, "is cut short");
  if (dtype == "float32") return widen<float>(blob, offset, count);
  if (dtype == "float64") return widen<double>(blob, offset, count);
  fail(file, "has a tensor of unknown dtype " + dtype);
}

GoldenFile parse(const nlohmann::json& header, const std::filesystem::path& folder) {
  const std::filesystem::path blob_file = folder / header.at("blob").at("file").get<std::string>();
  const std::string blob = read_file(blob_file);
  if (blob.size() != header.at("blob").at("bytes")) {
    fail(blob_file, "is not as long as its header says");
  }
  GoldenFile golden;
  golden.provenance = header.at("provenance");
  for (const nlohmann::json& entry : header.at("cases")) {
    GoldenCase c{.name = entry.at("name"),
                 .shape = {.batch = entry.at("batch"),
                           .heads_q = entry.at("heads_q"),
                           .heads_kv = entry.at("heads_kv"),
                           .seq_q = entry.at("seq_q"),
                           .seq_k = entry.at("seq_k"),
                           .head_dim = entry.at("head_dim"),
                           .scale = entry.at("scale"),
                           .causal = entry.at("causal")},
                 .tensors = {}};
    for (const auto& [name, tensor] : entry.at("tensors").items()) {
      c.tensors[name] = read_tensor(tensor, blob, blob_file);
    }
    golden.cases.push_back(std::move(c));
  }
  return golden;
}

}  // namespace

const std::vector<double>& GoldenCase::at(const std::string& tensor) const {
  const auto found = tensors.find(tensor);
  if (found == tensors.end()) {
    throw std::runtime_error("golden tensors: case " + name + " has no tensor " + tensor);
  }
  return found->second;
}

GoldenFile read_golden(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "attention.json";
  const std::string text = read_file(file);
  try {
    const nlohmann::json header = nlohmann::json::parse(text);
    if (header.at("format") != "flashlab-golden-1") fail(file, "has another format");
    return parse(header, folder);
  } catch (const nlohmann::json::exception& error) {
    fail(file, std::string("cannot be understood (") + error.what() + ")");
  }
}

}  // namespace flashlab::reference
