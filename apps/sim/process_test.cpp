// ethnet-sim as its users run it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "process_testing.hpp"

namespace ethnet::sim {
namespace {

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

TEST(EthnetSim, ShrinksASeedAndSaysHowToSeeTheSmallest) {
  const Outcome swarm = run("swarm --seeds 1..60 --jobs 2 --scenario toy-broken");
  std::smatch match;
  const std::regex reproduce{"reproduce: ethnet-sim seed ([0-9]+ --scenario toy-broken)"};
  ASSERT_TRUE(std::regex_search(swarm.output, match, reproduce)) << swarm.output;
  const Outcome shrunk = run("shrink " + match[1].str());
  EXPECT_EQ(shrunk.exit_code, 0) << shrunk.output;
  const std::regex smallest{"smallest: ethnet-sim (seed .*)\n"};
  ASSERT_TRUE(std::regex_search(shrunk.output, match, smallest)) << shrunk.output;
  const std::string command = match[1];
  const Outcome again = run(command);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(shrunk.output.find(again.output), std::string::npos) << again.output;
  EXPECT_NE(again.output.find("reproduce: ethnet-sim " + command), std::string::npos);
}

TEST(EthnetSim, SaysThatASeedThatPassesCannotBeShrunk) {
  const Outcome refused = run("shrink 1 --scenario toy");
  EXPECT_EQ(refused.output, "ethnet-sim: seed 1 of toy passes: there is nothing to shrink\n");
}

TEST(EthnetSim, ASwarmSumsUp) {
  const Outcome result = run("swarm --seeds 1..10 --jobs 2 --scenario toy");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.output.find("seeds/s, ETA"), std::string::npos);
  EXPECT_NE(result.output.find("swarm scenario=toy seeds=1..10 passed=10 failed=0"),
            std::string::npos);
}

TEST(EthnetSim, ASwarmSaysWhatWasReachedAndHowSoonAllWasWell) {
  const Outcome result = run("swarm --seeds 1..6 --jobs 2 --scenario crossed-dials");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const std::regex row{" +[1-6] +[0-9]+  a stateless reset was sent\n"};
  EXPECT_TRUE(std::regex_search(result.output, row)) << result.output;
  const std::regex recovery{"connected after healing: median [0-9.]+ s, p99 [0-9.]+ s, worst"};
  EXPECT_TRUE(std::regex_search(result.output, recovery)) << result.output;
}

TEST(EthnetSim, ASwarmThatMustReachFailsWhenItHasNot) {
  const Outcome few = run("swarm --seeds 1..1 --jobs 1 --scenario crossed-dials --must-reach");
  EXPECT_EQ(few.exit_code, 1);
  EXPECT_NE(few.output.find("never reached: a "), std::string::npos) << few.output;
  EXPECT_NE(few.output.find("passed=1 failed=0"), std::string::npos) << few.output;
}

// The exit code says whether the file was wrong (1) or what it expects did not hold (2).
TEST(EthnetSim, RunsAScenarioFileAndTellsABadFileFromAnExpectationThatIsNotMet) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("ethnet_sim_run_{}", ::getpid());
  std::filesystem::create_directories(folder);
  const auto file = [&](const std::string& name, const std::string& expect) {
    const std::filesystem::path path = folder / name;
    std::ofstream{path} << "name: two\nduration: 10s\nnodes: [{name: n, count: 2}]\n" << expect;
    return path.string();
  };
  const std::string good = file("good.yaml", "expect: [peers: {exactly: 1}]\n");
  const Outcome met = run("run " + good);
  EXPECT_EQ(met.exit_code, 0) << met.output;
  const std::regex last{"[^]*\nseed=1 trace=[0-9a-f]{16} ok\n"};
  EXPECT_TRUE(std::regex_match(met.output, last)) << met.output;
  EXPECT_EQ(run("run " + good).output, met.output);
  EXPECT_NE(run("run " + good + " --seed 2").output, met.output);
  EXPECT_TRUE(run("run " + good + " --json").output.starts_with("{\n"));
  EXPECT_TRUE(run("run " + good + " --trace").output.ends_with(met.output));
  const Outcome unmet = run("run " + file("unmet.yaml", "expect: [peers: {exactly: 2}]\n"));
  EXPECT_EQ(unmet.exit_code, 2) << unmet.output;
  EXPECT_NE(unmet.output.find("NOT MET  line 4"), std::string::npos) << unmet.output;
  const Outcome bad = run("run " + file("bad.yaml", "expects: []\n"));
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_NE(bad.output.find("bad.yaml:4:1: expected one of name, about"), std::string::npos);
  EXPECT_EQ(std::ranges::count(bad.output, '\n'), 1) << bad.output;
  std::filesystem::remove_all(folder);
}

TEST(EthnetSim, RefusesAWrongCommandLineWithOneLine) {
  for (const std::string_view wrong : {"",
                                       "seed",
                                       "seed x",
                                       "seed -1",
                                       "seed 1 --scenario nothing",
                                       "swarm --seeds 9..1",
                                       "swarm --seeds 1..",
                                       "swarm --jobs 0",
                                       "swarm --jobs many",
                                       "frolic",
                                       "seed 1 --frolic",
                                       "seed 1 --faults loss,fun",
                                       "seed 1 --hosts 1",
                                       "shrink",
                                       "shrink x",
                                       "shrink 1 --scenario toy",
                                       "run",
                                       "run /nowhere",
                                       "run / --seed x",
                                       "run x --json --trace"}) {
    const Outcome refused = run(std::string{wrong});
    EXPECT_EQ(refused.exit_code, 1) << wrong;
    EXPECT_EQ(refused.output.rfind("ethnet-sim: ", 0), 0U) << wrong << ": " << refused.output;
    EXPECT_EQ(std::ranges::count(refused.output, '\n'), 1) << wrong << ": " << refused.output;
  }
}

TEST(EthnetSim, HelpAndTheListOfScenariosAreReadable) {
  const Outcome help = run("--help");
  EXPECT_EQ(help.exit_code, 0);
  for (const std::string_view word : {"seed", "shrink", "swarm", "list"}) {
    EXPECT_NE(help.output.find(word), std::string::npos) << word;
  }
  const Outcome list = run("list");
  EXPECT_EQ(list.exit_code, 0);
  for (const std::string_view name : {"first-light", "crossed-dials", "toy"}) {
    EXPECT_NE(list.output.find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace ethnet::sim
