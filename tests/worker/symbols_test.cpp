// Nothing of the trusted side may be in the worker: what is not there cannot be called, read or
// patched.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <regex>
#include <set>
#include <string>

namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe.get()))
    text.append(buffer.data(), got);
  return text;
}

size_t count_trusted_symbols(const std::string& program) {
  static const std::regex kTrusted("flashlab::(reference|judge)::|Eigen::|nlohmann|testing::");
  const std::string symbols = output_of("nm -C " + program);
  EXPECT_TRUE(std::regex_search(symbols, std::regex(" [Tt] main\\b")))
      << program << " has no symbol table: the test would see nothing";
  return static_cast<size_t>(
      std::distance(std::sregex_iterator(symbols.begin(), symbols.end(), kTrusted), {}));
}

TEST(Worker, HasNoSymbolOfTheTrustedSide) {
  EXPECT_EQ(count_trusted_symbols(WORKER), 0u);
  EXPECT_GT(count_trusted_symbols(JUDGE), 100u) << "the same search must find them in the judge";
}

TEST(Worker, NeedsOnlyTheRuntimeAndTheSystem) {
  const std::set<std::string> allowed = {"libcudart.so.13",     "libstdc++.so.6", "libm.so.6",
                                         "libgcc_s.so.1",       "libc.so.6",      "libdl.so.2",
                                         "ld-linux-x86-64.so.2"};
  const std::string dynamic = output_of("readelf -dW " WORKER);
  const std::regex needed(R"(\(NEEDED\)[^\[]*\[([^\]]+)\])");
  size_t count = 0;
  for (std::sregex_iterator match(dynamic.begin(), dynamic.end(), needed), end; match != end;
       ++match, ++count) {
    EXPECT_TRUE(allowed.contains((*match)[1])) << (*match)[1];
  }
  EXPECT_GE(count, 2u) << dynamic;
  EXPECT_NE(dynamic.find("libcudart.so.13"), std::string::npos)
      << "the device must be chosen at run time";
  EXPECT_EQ(dynamic.find("PATH)"), std::string::npos)
      << "an RPATH would choose the device instead of LD_LIBRARY_PATH";
}

}  // namespace
