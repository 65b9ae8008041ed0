// The judge as a whole against submissions that crash, hang, lie and flood. None of them launches a
// kernel.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Graded {
  int exit_code = -1;
  json result;  ///< the result file; null when there is none
  std::vector<json> events;
  std::string errors;  ///< stderr
  double seconds = 0;

  const json& one(const std::string& name) const {
    for (const json& entry : result.at("cases")) {
      if (entry.at("name") == name) return entry;
    }
    throw std::invalid_argument(name);
  }
  std::string message(const std::string& name = "one_head") const {
    return one(name).at("message");
  }
};

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Session : public testing::Test {
 protected:
  Session()
      : folder_(fs::path(testing::TempDir()) / ("flashlab_session_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Session() override { fs::remove_all(folder_); }

  static std::string submission(const std::string& name) {
    return SUBMISSION_DIR "/" + name + ".so";
  }

  static std::string arguments(const std::string& name) {
    return " --lab " TEST_LAB_TOML " --worker " WORKER " --runtime-dir " RUNTIME_DIR
           " --device vgpu --submission " +
           submission(name);
  }

  Graded run(const std::string& words) const {
    const fs::path out = folder_ / "out", err = folder_ / "err", file = folder_ / "result.json";
    fs::remove(file);
    const auto start = std::chrono::steady_clock::now();
    const int status = std::system((JUDGE " " + words + " --output " + file.string() + " > " +
                                    out.string() + " 2> " + err.string())
                                       .c_str());
    Graded graded;
    graded.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    graded.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    graded.errors = read(err);
    if (fs::exists(file)) graded.result = json::parse(read(file));
    std::istringstream lines(read(out));
    for (std::string line; std::getline(lines, line);) graded.events.push_back(json::parse(line));
    return graded;
  }

  Graded grade(const std::string& name, const std::string& more = "") const {
    return run(arguments(name) + more);
  }

  fs::path folder_;
};

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(Session, HostCrashesAreNamed) {
  const Graded graded = grade("segfault");
  EXPECT_EQ(graded.exit_code, 1) << "it crashed everywhere";
  expect_contains(graded.message("one_head"), "SIGSEGV");
  expect_contains(graded.message("two_heads"), "SIGSEGV");
  EXPECT_EQ(graded.result["score"], 0);
  expect_contains(grade("aborts").message(), "SIGABRT");
}

TEST_F(Session, ACrashInOneCaseLeavesTheOthersGraded) {
  const Graded graded = grade("crashes_once");
  EXPECT_EQ(graded.exit_code, 0);
  expect_contains(graded.message("one_head"), "SIGFPE");
  expect_contains(graded.message("two_heads"), "No kernel was launched, and O was never written");
}

TEST_F(Session, ExitingWithSuccessIsNoSuccess) {
  const Graded graded = grade("exits");
  EXPECT_EQ(graded.exit_code, 1);
  expect_contains(graded.message(), "exit code 0");
  EXPECT_EQ(graded.result["score"], 0);
}

TEST_F(Session, HangsEndAtTheDeadlineAndStopTheSession) {
  const Graded graded = grade("endless");
  EXPECT_EQ(graded.exit_code, 1);
  expect_contains(graded.message("one_head"), "no answer within 0.6 s");
  EXPECT_EQ(graded.one("third")["status"], "skipped") << "after two hangs the rest is not run";
  EXPECT_GT(graded.seconds, 1.1);
  EXPECT_LT(graded.seconds, 10);
}

TEST_F(Session, AFloodNeitherBlocksNorFillsMemory) {
  const Graded graded = grade("floods", " --case one_head");
  expect_contains(graded.message(), "no answer within");
  const std::string output = graded.one("one_head")["output"];
  EXPECT_LE(output.size(), 65u * 1024);
  expect_contains(output, "more output was dropped");
}

TEST_F(Session, PrintedTextIsShownAndHarmless) {
  const Graded graded = grade("prints");
  EXPECT_EQ(graded.exit_code, 0);
  EXPECT_EQ(graded.result["score"], 0);
  const std::string output = graded.one("one_head")["output"];
  expect_contains(output, "hello");
  EXPECT_EQ(output.find('\033'), std::string::npos) << "no terminal escapes";
  EXPECT_EQ(graded.events.back(), (json{{"event", "end"}, {"score", 0.0}, {"max_score", 10.0}}));
}

TEST_F(Session, GarbageOnTheChannelFails) {
  expect_contains(grade("garbage").message(), "bytes that are no message");
  EXPECT_EQ(grade("garbage").exit_code, 1);
}

TEST_F(Session, AClosedChannelFails) {
  const Graded graded = grade("closes");
  EXPECT_EQ(graded.one("one_head")["status"], "failed");
  expect_contains(graded.message(), "channel carried nothing any more: it was closed");
}

TEST_F(Session, AForgedReplyHoldsNoResult) {
  const Graded graded = grade("forges_reply");
  EXPECT_EQ(graded.result["score"], 0);
  EXPECT_EQ(graded.one("one_head")["status"], "failed");
  expect_contains(graded.message("two_heads"), "answer to another request");
}

TEST_F(Session, AGrandchildCannotKeepTheJudgeWaiting) {
  const Graded graded = grade("grandchild");
  expect_contains(graded.message(), "exit code 7");
  EXPECT_LT(graded.seconds, 4);
}

TEST_F(Session, ExceptionsAndErrorsAreToldAsTheyAre) {
  expect_contains(grade("throws").message(), "this kernel went on holiday");
  EXPECT_EQ(grade("throws").exit_code, 0);
  expect_contains(grade("returns_error").message(),
                  "cudaErrorInvalidValue (1), returned by the entry point");
}

TEST_F(Session, TheStubStopsEarly) {
  const Graded graded = grade("not_implemented");
  EXPECT_EQ(graded.exit_code, 0);
  EXPECT_EQ(graded.one("one_head")["status"], "failed");
  EXPECT_EQ(graded.one("two_heads")["status"], "skipped");
  for (const char* name : {"one_head", "two_heads", "third"}) {
    EXPECT_EQ(graded.message(name), "lab1 is not implemented yet: handout 1, section 2");
  }
  EXPECT_EQ(graded.result["score"], 0);
}

TEST_F(Session, ASubmissionThatDoesNotLoadFailsEverywhere) {
  for (const auto& [name, why] :
       {std::pair("no_entry", "lab1_naive_attention"), {"crashes_at_load", "SIGSEGV"}}) {
    const Graded graded = grade(name);
    EXPECT_EQ(graded.exit_code, 1);
    expect_contains(graded.errors, why);
    expect_contains(graded.message("two_heads"), why);
    EXPECT_EQ(graded.result["max_score"], 10);
  }
}

TEST_F(Session, CasesOfOtherDevicesAreSkippedAndCountForNothing) {
  const Graded graded = grade("prints");
  EXPECT_EQ(graded.one("elsewhere")["status"], "skipped");
  expect_contains(graded.message("elsewhere"), "graded on cuda only (90 points there)");
  EXPECT_EQ(graded.result["max_score"], 10);
}

TEST_F(Session, TheFileSaysHowToRepeatARun) {
  const Graded graded = grade("prints", " --seed 123 --case '*_heads'");
  EXPECT_EQ(graded.result["seed"], 123);
  EXPECT_EQ(graded.result["lab"], "lab1");
  EXPECT_EQ(graded.result["device"]["kind"], "vgpu");
  ASSERT_EQ(graded.result["cases"].size(), 1u);
  EXPECT_EQ(graded.one("two_heads")["rerun"], "rerun two_heads 123");
  EXPECT_EQ(graded.one("two_heads")["shape"]["heads"], 2);
  EXPECT_EQ(graded.one("two_heads")["handout"], "handout 1, section 3");
  EXPECT_EQ(graded.events.front()["event"], "start");
  EXPECT_EQ(graded.events.front()["cases"], 1);
  EXPECT_EQ(graded.events[1]["name"], "two_heads");
  EXPECT_EQ(fs::status(folder_ / "result.json").permissions() & fs::perms::others_read,
            fs::perms::others_read);
}

TEST_F(Session, SeedsComeFromTheSystem) {
  EXPECT_NE(grade("not_implemented").result["seed"], grade("not_implemented").result["seed"]);
}

TEST_F(Session, TheSeedComesFromTheEnvironmentUnlessItIsGiven) {
  setenv("FLASHLAB_SEED", "77", 1);
  EXPECT_EQ(grade("not_implemented").result["seed"], 77);
  EXPECT_EQ(grade("not_implemented", " --seed 78").result["seed"], 78);
  setenv("FLASHLAB_SEED", "x", 1);
  EXPECT_EQ(run(arguments("segfault")).exit_code, 2);
  unsetenv("FLASHLAB_SEED");
}

TEST_F(Session, ALauncherGoesBeforeTheWorker) {
  const Graded graded = grade("segfault", " --launcher env --launcher -u --launcher NOTHING");
  expect_contains(graded.message(), "SIGSEGV");
  const Graded broken = grade("segfault", " --launcher /bin/false");
  EXPECT_EQ(broken.exit_code, 2);
  expect_contains(broken.errors, "the worker did not start");
}

TEST_F(Session, TheWorkerSeesAClearedEnvironment) {
  setenv("FLASHLAB_SECRET", "42", 1);
  // The launcher prints what it was given and starts nothing: the message shows it.
  const Graded graded = grade("segfault", " --launcher /usr/bin/env --launcher -S --launcher env");
  EXPECT_EQ(graded.exit_code, 1);
  const Graded shown =
      grade("segfault", " --launcher /bin/sh --launcher -c --launcher 'env; exit 3'");
  unsetenv("FLASHLAB_SECRET");
  expect_contains(shown.errors, "LD_LIBRARY_PATH=");
  expect_contains(shown.errors, "VGPU_PTXAS=none");  // no case pays for ptxas
  EXPECT_EQ(shown.errors.find("FLASHLAB_SECRET"), std::string::npos) << shown.errors;
}

TEST_F(Session, BadUsageIsOneLineAndExitCodeTwo) {
  const std::pair<std::string, std::string> cases[] = {
      {"--lab " TEST_LAB_TOML, "--submission is missing"},
      {arguments("segfault") + " --seed -1", "the seed is an integer"},
      {arguments("segfault") + " --case nothing",
       "no case of lab1 matches 'nothing'; there are: one_head two_heads"},
      {arguments("segfault") + " --frobnicate", "unknown or incomplete option --frobnicate"},
      {arguments("segfault") + " surplus", "unexpected argument surplus"},
      {arguments("missing"), "no such file"},
      {arguments("segfault") + " --device tpu", "--device needs vgpu or cuda"},
      {arguments("segfault") + " --device cuda",
       "the virtual GPU's, but --device cuda was asked for"},
  };
  for (const auto& [words, message] : cases) {
    const Graded graded = run(words);
    EXPECT_EQ(graded.exit_code, 2) << words;
    EXPECT_TRUE(graded.errors.starts_with("flashlab-judge: ")) << graded.errors;
    expect_contains(graded.errors, message);
    EXPECT_EQ(std::ranges::count(graded.errors, '\n'), 1) << graded.errors;
  }
}

TEST_F(Session, AnUnwritableResultIsSaidAndAnEarlierOneSurvives) {
  const fs::path file = folder_ / "kept.json";
  std::ofstream(file) << "earlier";
  EXPECT_EQ(std::system((JUDGE + arguments("not_implemented") + " --output " +
                         (folder_ / "no" / "where.json").string() + " > /dev/null 2> " +
                         (folder_ / "err").string())
                            .c_str()) /
                256,
            2);
  expect_contains(read(folder_ / "err"), "cannot write");
  // A full disk while the new file is written: the old one stays.
  EXPECT_NE(std::system(("ulimit -f 0; trap '' XFSZ; " JUDGE + arguments("not_implemented") +
                         " --output " + file.string() + " > /dev/null 2>&1")
                            .c_str()),
            0);
  EXPECT_EQ(read(file), "earlier");
}

}  // namespace
