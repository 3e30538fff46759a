// Whole nodes, with TLS, in a world.
#include "first_light.hpp"

#include <iostream>
#include <thread>

#include <chain/producer.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../sim_node.hpp"
#include "crossed_dials.hpp"
#include "discv5.hpp"
#include "discv5_siege.hpp"
#include "neighbours.hpp"
#include "storm.hpp"
#include "toy.hpp"

namespace ethnet::sim {
namespace {

TEST(FirstLight, SeedsPassAndForksHappen) {
  std::size_t heads = 0;
  std::size_t reorgs = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Verdict verdict = run_seed(make_first_light_spec(), seed, [&](std::string_view line) {
      if (line.find("head ") != std::string_view::npos) ++heads;
      if (line.find("reorg ") != std::string_view::npos) ++reorgs;
    });
    EXPECT_TRUE(verdict.ok()) << verdict.text();
  }
  EXPECT_GT(heads, 20U);
  EXPECT_GT(reorgs, 0U);
  std::cout << "seeds: 5 first-light\nfirst-light: " << heads << " heads, " << reorgs
            << " reorganisations\n";
}

TEST(FirstLight, TheSameSeedGivesTheSameTraceWhateverRanBefore) {
  const Verdict first = run_seed(make_first_light_spec(), 1);
  const Verdict other = run_seed(make_first_light_spec(), 2);
  const Verdict again = run_seed(make_first_light_spec(), 1);
  EXPECT_EQ(first.text(), again.text());
  EXPECT_EQ(first.trace, again.trace);
  EXPECT_NE(first.trace, other.trace);
}

// ./dev check sim_traces compares what this prints under two compilers.
TEST(Traces, OfSeedsThatPass) {
  const auto print = [](const ScenarioSpec& spec, std::uint64_t seeds) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      const Verdict verdict = run_seed(spec, seed);
      EXPECT_TRUE(verdict.ok()) << verdict.text();
      std::cout << "trace: " << spec.name << ' ' << seed << ' ' << hash_text(verdict.trace) << '\n';
    }
    std::cout << "seeds: " << seeds << ' ' << spec.name << '\n';
  };
  print(make_first_light_spec(), 4);
  print(make_crossed_dials_spec(), 6);
  print(make_storm_spec(), 2);
  print(make_neighbours_spec(), 2);
  print(make_toy_spec(), 4);
  ScenarioSpec discv5 = make_discv5_churn_spec(Discv5Size::brief);
  discv5.narrowed.hosts = 20;
  print(discv5, 1);
  print(make_discv5_eclipse_spec(SiegeSize::brief), 1);
}

// Each checker finds the bug that was planted for it, and says so by its name.
TEST(FirstLight, FindsEveryPlantedBug) {
  for (const PlantedBugRow& row : kPlantedBugs) {
    std::optional<Verdict> found;
    for (std::uint64_t seed = 1; seed <= 30 && !found; ++seed) {
      Verdict verdict = run_seed(make_first_light_spec(row.bug), seed);
      if (!verdict.ok()) found = std::move(verdict);
    }
    ASSERT_TRUE(found && found->safety) << row.found_by;
    EXPECT_TRUE(found->safety->what.starts_with(fmt::format("{}: ", row.found_by)))
        << found->text();
  }
}

TEST(CrossedDials, NeverASessionIsALivenessViolationThatSaysHowToSeeItAgain) {
  const Verdict verdict = run_seed(make_crossed_dials_spec(PlantedBug::never_dials), 1);
  ASSERT_TRUE(verdict.liveness);
  EXPECT_FALSE(verdict.safety);
  EXPECT_TRUE(verdict.liveness->what.contains(": session false here, false there"));
  EXPECT_TRUE(verdict.text().contains("reproduce: ethnet-sim seed 1 --scenario crossed-dials"));
  EXPECT_FALSE(verdict.recovery);
}

TEST(CrossedDials, MeasuresTheTimeFromHealing) {
  const Verdict verdict = run_seed(make_crossed_dials_spec(), 1);
  ASSERT_TRUE(verdict.ok()) << verdict.text();
  ASSERT_TRUE(verdict.recovery);
  EXPECT_LE(*verdict.recovery, kCrossedBound);
}

// A node that restarts knows nothing of its old connections, yet can reset them: its peer then need
// not wait until a ping is given up (15 s of silence and 20 s for the answer).
void restart_one_of_two() {
  World world{1};
  const VirtualOsScope scope{world};
  const auto add = [&world](std::byte key_byte, std::optional<HostId> dials) {
    const Bytes secret(crypto::kSecretKeySize, key_byte);
    HostSpec spec;
    spec.factory = [&world, secret, dials](const HostEnv& env) {
      node::NodeConfig config;
      config.listen = {env.local};
      config.genesis = chain::dev_genesis();
      if (dials) config.peers.emplace_back().endpoint = world.endpoint(*dials);
      auto key = crypto::SecretKey::from_bytes(secret);
      CHECK(key.has_value());
      auto node = node::Node::make(env.now, std::move(config),
                                   std::make_shared<crypto::SecretKey>(std::move(*key)), env.rng,
                                   env.prng, env.log);
      CHECK(node.has_value());
      (*node)->start(env.now);
      return make_machine_host<SimNode>(env, {}, std::move(*node));
    };
    return world.add_host(std::move(spec));
  };
  const HostId listens = add(std::byte{1}, std::nullopt);
  const HostId dials = add(std::byte{2}, listens);
  world.start(listens);
  world.start(dials);
  const auto sessions = [&world](HostId host) {
    return world.machine<SimNode>(host)->node().sessions().session_count();
  };
  world.run_until(Instant{0} + seconds(5));
  ASSERT_EQ(sessions(listens), 1U);
  world.crash(listens);
  world.start(listens);
  ASSERT_EQ(sessions(listens), 0U);
  world.run_until(Instant{0} + seconds(25));
  EXPECT_EQ(sessions(listens), 1U);
  EXPECT_EQ(sessions(dials), 1U);
}

TEST(SimNode, ARestartedNodeResetsItsOldConnections) { std::thread{restart_one_of_two}.join(); }

}  // namespace
}  // namespace ethnet::sim
