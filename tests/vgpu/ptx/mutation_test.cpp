// Damaged PTX: the parser accepts it or throws a ParseError. Nothing else may happen (run it with
// sanitizers, too).
#include <gtest/gtest.h>

#include <random>

#include "ptx/parser.hpp"
#include "samples.hpp"

namespace vgpu::ptx {
namespace {

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string damaged(std::string text) {
    for (size_t changes = 1 + below(4); changes > 0 && !text.empty(); --changes) {
      const size_t at = below(text.size());
      const size_t length = below(200);
      switch (below(6)) {
        case 0:
          text.resize(at);
          break;
        case 1:
          text[at] = static_cast<char>(below(256));
          break;
        case 2:
          text.erase(at, length);
          break;
        case 3:
          text.insert(at, text.substr(below(text.size()), length));
          break;
        case 4:
          text[at] = kTelling[below(kTelling.size())];
          break;
        case 5:
          text.insert(at, below(1000), kTelling[below(kTelling.size())]);
          break;
      }
    }
    return text;
  }

 private:
  static constexpr std::string_view kTelling = "{}()[]<>,;:.+-!|@%\"/*0\n";
  size_t below(size_t end) { return random_() % end; }

  std::mt19937 random_;
};

class Mutation : public ::testing::TestWithParam<const char*> {};

TEST_P(Mutation, IsParsedOrRefused) {
  const std::string text = read_sample(GetParam());
  ASSERT_FALSE(text.empty());
  Mutator mutator(1);
  int refused = 0;
  constexpr int kRounds = 1000;
  for (int round = 0; round < kRounds; ++round) {
    const std::string damaged = mutator.damaged(text);
    try {
      parse(damaged);
    } catch (const ParseError& error) {
      ++refused;
      EXPECT_GE(error.line, 1);
    }
  }
  EXPECT_GT(refused, kRounds / 4);
  EXPECT_LT(refused, kRounds);
}

INSTANTIATE_TEST_SUITE_P(Samples, Mutation,
                         ::testing::Values("inline_asm.sm80_lineinfo.ptx",
                                           "initial_values.sm90_debug.ptx",
                                           "hopper.sm90_lineinfo.ptx"),
                         [](const auto& test_info) {
                           const std::string name = test_info.param;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace vgpu::ptx
