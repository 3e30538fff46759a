#include "block_producer.hpp"

#include <set>

#include <chain/fork_choice/longest.hpp>
#include <chain/producer.hpp>
#include <gtest/gtest.h>
#include <sim/seeded_secure_rng.hpp>
#include <types/address_of.hpp>

namespace ethnet::node {
namespace {

// A chain in memory whose store acknowledges at once, and a producer on it.
struct Bench {
  Genesis genesis = chain::dev_genesis();
  chain::ChainManager chain{genesis, std::make_unique<chain::LongestChain>(), {}, 1};
  sim::SeededSecureRng rng{Prng{7}};
  crypto::SecretKey key = crypto::SecretKey::generate(rng);
  Now now{Instant{} + seconds(500), UnixTime::from_seconds(1'800'000'000)};
  BlockProducer producer;
  std::vector<chain::ReorgEvent> reorgs;
  std::uint64_t forks = 0;

  explicit Bench(bool with_forks, std::uint64_t seed = 1, Duration period = seconds(2))
      : producer{
            {.enabled = true, .forks = with_forks, .period = period}, "tag", Prng{seed}, now.mono} {
    chain.finish_restore();
  }

  void pass(Duration time) { now = {now.mono + time, now.wall + time}; }
  // One seal at the producer's own deadline; what it gave was imported.
  std::size_t turn() {
    pass(producer.next_deadline() - now.mono);
    const auto sealed = producer.seal(now, chain, key);
    if (!sealed.empty()) {
      const auto outcome = chain.import_headers(now, sealed, {"producer", "seal"});
      EXPECT_EQ(outcome.added, sealed.size());
    }
    while (const auto op = chain.poll_store()) chain.handle_store_done(now, {op->id, true, 0});
    while (const auto event = chain.poll_event()) {
      if (const auto* reorg = std::get_if<chain::ReorgEvent>(&*event)) reorgs.push_back(*reorg);
      if (std::holds_alternative<chain::ForkDetected>(*event)) ++forks;
    }
    return sealed.size();
  }
};

TEST(BlockProducer, SealsOneHeaderEachPeriodOnTheHead) {
  Bench bench{false};
  const Instant start = bench.now.mono;
  EXPECT_EQ(bench.producer.next_deadline(), start + seconds(2));
  EXPECT_TRUE(bench.producer.seal(bench.now, bench.chain, bench.key).empty()) << "before its time";
  for (std::uint64_t i = 1; i <= 10; ++i) {
    EXPECT_EQ(bench.turn(), 1U);
    EXPECT_EQ(bench.chain.head().number, i);
    EXPECT_EQ(bench.now.mono, start + seconds(2) * static_cast<std::int64_t>(i));
    const auto head = bench.chain.pending_header(bench.chain.head().hash);
    EXPECT_EQ(head->timestamp, bench.now.wall.whole_seconds());
  }
  EXPECT_TRUE(bench.reorgs.empty());
  EXPECT_EQ(bench.forks, 0U);
  EXPECT_EQ(bench.producer.sealed(), 10U);
}

TEST(BlockProducer, SignsWithTheNodeKeyAndNamesItsAddress) {
  Bench bench{false};
  (void)bench.turn();
  const Hash32 head = bench.chain.head().hash;
  EXPECT_EQ(bench.chain.producer_signature(head).size(), 65U);
  EXPECT_EQ(bench.chain.pending_header(head)->beneficiary, address_of(bench.key.public_key()));
}

// Every fork ties first and wins with the next header; what it removes is 1 to 3 deep.
TEST(BlockProducer, MakesASecondBranchNowAndThenThatWins) {
  std::set<std::uint64_t> depths;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Bench bench{true, seed};
    for (int i = 0; i < 41; ++i) (void)bench.turn();
    EXPECT_EQ(bench.reorgs.size(), 10U);
    EXPECT_EQ(bench.forks, 10U);
    for (const chain::ReorgEvent& reorg : bench.reorgs) {
      EXPECT_EQ(reorg.added.size(), reorg.removed.size() + 1);
      depths.insert(reorg.depth());
    }
  }
  EXPECT_EQ(depths, (std::set<std::uint64_t>{1, 2, 3}));
}

TEST(BlockProducer, WithoutForksNothingEverReorganises) {
  Bench bench{false, 3};
  for (int i = 0; i < 41; ++i) EXPECT_EQ(bench.turn(), 1U);
  EXPECT_TRUE(bench.reorgs.empty());
}

TEST(BlockProducer, StopsAndStartsAgainAPeriodLater) {
  Bench bench{false};
  (void)bench.turn();
  bench.producer.stop();
  EXPECT_TRUE(bench.producer.next_deadline().is_never());
  bench.pass(seconds(1000));
  EXPECT_TRUE(bench.producer.seal(bench.now, bench.chain, bench.key).empty());
  bench.producer.start(bench.now);
  EXPECT_EQ(bench.producer.next_deadline(), bench.now.mono + seconds(2));
  EXPECT_EQ(bench.turn(), 1U);
}

TEST(BlockProducer, OneThatIsNotEnabledNeverSeals) {
  Bench bench{false};
  BlockProducer idle{{}, "tag", Prng{1}, bench.now.mono};
  EXPECT_TRUE(idle.next_deadline().is_never());
  bench.pass(seconds(1000));
  EXPECT_TRUE(idle.seal(bench.now, bench.chain, bench.key).empty());
}

// A machine that slept makes one header when it wakes, not one for each period that it missed.
TEST(BlockProducer, ASuspendLeavesOneHeaderNotMany) {
  Bench bench{false};
  (void)bench.turn();
  bench.pass(seconds(3600));
  EXPECT_EQ(bench.producer.seal(bench.now, bench.chain, bench.key).size(), 1U);
  EXPECT_TRUE(bench.producer.seal(bench.now, bench.chain, bench.key).empty());
  EXPECT_EQ(bench.producer.next_deadline(), bench.now.mono + seconds(2));
}

// The clock is set back by a minute: headers would lie ahead of everybody's time. Nothing is sealed
// until at most 15 s are left, and then it goes on.
TEST(BlockProducer, WaitsWhenTheClockWasSetBackBehindTheHead) {
  Bench bench{true};
  for (int i = 0; i < 5; ++i) (void)bench.turn();
  const std::uint64_t height = bench.chain.head().number;
  bench.now.wall = bench.now.wall + seconds(-60);
  EXPECT_EQ(bench.turn(), 0U);
  EXPECT_EQ(bench.producer.behind(), seconds(59));
  int waited = 1;
  while (bench.turn() == 0 && waited < 100) ++waited;
  EXPECT_EQ(waited, 22);  // 44 s of 59, at 2 s each
  EXPECT_EQ(bench.producer.behind(), Duration{});
  EXPECT_EQ(bench.producer.ahead_of_clock(), 22U);
  EXPECT_EQ(bench.chain.head().number, height + 1);
  EXPECT_EQ(bench.chain.waiting_count(), 0U);
}

TEST(BlockProducer, AClockSetForwardDoesNotStopIt) {
  Bench bench{false};
  (void)bench.turn();
  bench.now.wall = bench.now.wall + seconds(86'400);
  EXPECT_EQ(bench.turn(), 1U);
  EXPECT_EQ(bench.chain.head().number, 2U);
}

}  // namespace
}  // namespace ethnet::node
