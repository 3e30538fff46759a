// ethnet-sim as its users run it.
#include <array>
#include <cstdio>
#include <regex>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace {

struct Outcome {
  std::string output;
  int exit_code = -1;
};

Outcome run(const std::string& arguments) {
  const std::string command = std::string{ETHNET_BIN_DIR "/ethnet-sim "} + arguments + " 2>&1";
  Outcome result;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4'096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), n);
  }
  const int status = ::pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

TEST(EthnetSim, EndsWithOneLineThatIsTheSameInEveryProcess) {
  const Outcome first = run("seed 5 --scenario toy");
  EXPECT_EQ(first.exit_code, 0);
  const std::regex line{"seed=5 trace=[0-9a-f]{16} events=[0-9]+ safety=ok liveness=ok\n"};
  EXPECT_TRUE(std::regex_match(first.output, line)) << first.output;
  EXPECT_EQ(run("seed 5 --scenario toy").output, first.output);
}

TEST(EthnetSim, SaysWhatWasViolatedAndHowToSeeItAgain) {
  const Outcome swarm = run("swarm --seeds 1..60 --jobs 2 --scenario toy-broken");
  EXPECT_EQ(swarm.exit_code, 1);
  std::smatch match;
  const std::regex reproduce{"reproduce: ethnet-sim (seed [0-9]+ --scenario toy-broken)"};
  ASSERT_TRUE(std::regex_search(swarm.output, match, reproduce)) << swarm.output;
  const Outcome again = run(match[1]);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(swarm.output.find(again.output), std::string::npos) << again.output;
}

TEST(EthnetSim, ASwarmSumsUp) {
  const Outcome result = run("swarm --seeds 1..10 --jobs 2 --scenario toy");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.output.find("seeds/s, ETA"), std::string::npos);
  EXPECT_NE(result.output.find("swarm scenario=toy seeds=1..10 passed=10 failed=0"),
            std::string::npos);
}

TEST(EthnetSim, RefusesAWrongCommandLineWithOneLine) {
  EXPECT_EQ(run("seed 1 --scenario nothing").exit_code, 1);
  EXPECT_EQ(run("swarm --seeds 9..1").exit_code, 1);
  EXPECT_NE(run("").exit_code, 0);
  EXPECT_EQ(run("list").exit_code, 0);
}

}  // namespace
