// The rules that the checker recomputes, against the rules that nodes have.
#include "naive_head.hpp"

#include <map>

#include <base/prng.hpp>
#include <chain/chain_manager.hpp>
#include <chain/producer.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ethnet::sim {
namespace {

const std::vector<chain::RuleChoice> kRules{{"longest-chain", ""},      {"longest-tiebreak", ""},
                                            {"heaviest", ""},           {"score", ""},
                                            {"lexicographic-head", ""}, {"random", "7"}};

// A tree that grows at drawn places, by drawn producers and difficulties.
class Growth {
 public:
  explicit Growth(std::uint64_t seed) : prng_{seed}, headers_{genesis_.header} {}

  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  [[nodiscard]] std::vector<chain::HeaderInput> next_batch() {
    std::vector<chain::HeaderInput> batch;
    for (std::uint64_t left = 1 + prng_.below(3); left > 0; --left) {
      const std::uint64_t back = 1 + prng_.below(std::min<std::uint64_t>(headers_.size(), 8));
      const Header parent = headers_[headers_.size() - back];
      const std::uint64_t time = parent.timestamp + 1 + prng_.below(40);
      Address producer{};
      producer.bytes.front() = static_cast<std::byte>(prng_.below(4));
      Header header = chain::seal_header(genesis_.config, parent, time, producer,
                                         fmt::format("{}", headers_.size()));
      header.difficulty = Uint256{1 + prng_.below(6)};
      headers_.push_back(header);
      batch.push_back({header.encode(), {}});
    }
    return batch;
  }

 private:
  Prng prng_;
  Genesis genesis_ = chain::lab_genesis();
  std::vector<Header> headers_;
};

using Differences = std::map<std::string, std::size_t>;

// By rule, how often the head was another than that one would have chosen.
Differences compare(const chain::RuleChoice& rule) {
  Growth growth{11};
  auto made = chain::make_fork_choice_rule(rule);
  EXPECT_TRUE(made.has_value());
  chain::ChainManager chain{growth.genesis(), std::move(*made), {}, 1};
  Differences differ;
  const Now now{Instant{0}, UnixTime::from_seconds(1'000'000)};
  for (int i = 0; i < 40; ++i) {
    const auto batch = growth.next_batch();
    const auto outcome = chain.import_headers(now, batch, {"test", "test"});
    EXPECT_EQ(outcome.added, batch.size());
    const chain::HeaderTree& tree = chain.tree();
    for (const chain::RuleChoice& each : kRules) {
      const chain::NodeIndex head = naive_head(tree, tree.size(), each);
      if (tree.node(head).hash != chain.pending_head().hash) ++differ[each.name];
    }
  }
  return differ;
}

TEST(NaiveHead, IsEachRulesHeadAfterEveryBatchAndNoOtherRules) {
  for (const chain::RuleChoice& rule : kRules) {
    Differences differ = compare(rule);
    for (const chain::RuleChoice& other : kRules) {
      if (rule == other) {
        EXPECT_EQ(differ[rule.name], 0U) << rule.name;
      } else {
        EXPECT_GT(differ[other.name], 0U) << rule.name << " and " << other.name << " always agreed";
      }
    }
  }
}

TEST(NaiveHead, LooksAtTheFirstHeadersAlone) {
  Growth growth{12};
  chain::ChainManager chain{growth.genesis(), *chain::make_fork_choice_rule({}), {}, 1};
  const Now now{Instant{0}, UnixTime::from_seconds(1'000'000)};
  std::map<std::size_t, Hash32> heads;
  for (int i = 0; i < 30; ++i) {
    (void)chain.import_headers(now, growth.next_batch(), {"test", "test"});
    heads[chain.tree().size()] = chain.pending_head().hash;
  }
  for (const auto& [count, head] : heads) {
    EXPECT_EQ(chain.tree().node(naive_head(chain.tree(), count, {})).hash, head);
  }
}

TEST(NaiveHead, OfRulesByHeightAHeadNeverSinks) {
  for (const chain::RuleChoice& rule : kRules) {
    Growth growth{13};
    auto made = chain::make_fork_choice_rule(rule);
    ASSERT_TRUE(made.has_value());
    chain::ChainManager chain{growth.genesis(), std::move(*made), {}, 1};
    const Now now{Instant{0}, UnixTime::from_seconds(1'000'000)};
    bool sank = false;
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t before = chain.pending_head().number;
      (void)chain.import_headers(now, growth.next_batch(), {"test", "test"});
      sank = sank || chain.pending_head().number < before;
    }
    if (never_sinks(rule.name)) {
      EXPECT_FALSE(sank) << rule.name;
    }
    if (rule.name == "lexicographic-head" || rule.name == "random") {
      EXPECT_TRUE(sank) << rule.name;
    }
  }
}

}  // namespace
}  // namespace ethnet::sim
