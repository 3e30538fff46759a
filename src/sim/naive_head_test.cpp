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

constexpr Now kNow{Instant{0}, UnixTime::from_seconds(1'000'000)};

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

// Of a tree that grows from this seed, two blocks, which the longest chain leaves out.
std::string checkpoints_beside_the_longest(std::uint64_t seed, int batches) {
  Growth growth{seed};
  chain::ChainManager chain{growth.genesis(), *chain::make_fork_choice_rule({}), {}, 1};
  for (int i = 0; i < batches; ++i) {
    (void)chain.import_headers(kNow, growth.next_batch(), {"test", "test"});
  }
  const chain::HeaderTree& tree = chain.tree();
  const auto last = *tree.find(chain.pending_head().hash);
  std::string out = "# two that are left\n";
  std::size_t found = 0;
  for (auto at = static_cast<chain::NodeIndex>(tree.size() - 1); at > 0 && found < 2; --at) {
    const auto& node = tree.node(at);
    if (2 * node.number > tree.node(last).number) continue;
    if (tree.node(tree.ancestor(last, node.number)).hash == node.hash) continue;
    if (found == 1 && out.contains(fmt::format("\n{} ", node.number))) continue;
    out += fmt::format("{} {}  # of {}\n", node.number, node.hash.hex(), seed);
    ++found;
  }
  return out;
}

std::vector<chain::RuleChoice> rules_for(std::uint64_t seed) {
  return {{"longest-chain", ""},
          {"longest-tiebreak", ""},
          {"heaviest", ""},
          {"score", ""},
          {"lexicographic-head", ""},
          {"checkpoint", checkpoints_beside_the_longest(seed, 40)},
          {"random", "7"}};
}

using Differences = std::map<std::string, std::size_t>;

// By rule, how often the head was another than that one would have chosen.
Differences compare(const chain::RuleChoice& rule, const std::vector<chain::RuleChoice>& rules) {
  Growth growth{11};
  auto made = chain::make_fork_choice_rule(rule);
  EXPECT_TRUE(made.has_value());
  chain::ChainManager chain{growth.genesis(), std::move(*made), {}, 1};
  Differences differ;
  for (int i = 0; i < 40; ++i) {
    const auto batch = growth.next_batch();
    const auto outcome = chain.import_headers(kNow, batch, {"test", "test"});
    EXPECT_EQ(outcome.added, batch.size());
    const chain::HeaderTree& tree = chain.tree();
    for (const chain::RuleChoice& each : rules) {
      const chain::NodeIndex head = naive_head(tree, tree.size(), each);
      if (tree.node(head).hash != chain.pending_head().hash) ++differ[each.name];
    }
  }
  return differ;
}

TEST(NaiveHead, IsEachRulesHeadAfterEveryBatchAndNoOtherRules) {
  const auto rules = rules_for(11);
  for (const chain::RuleChoice& rule : rules) {
    Differences differ = compare(rule, rules);
    for (const chain::RuleChoice& other : rules) {
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
  std::map<std::size_t, Hash32> heads;
  for (int i = 0; i < 30; ++i) {
    (void)chain.import_headers(kNow, growth.next_batch(), {"test", "test"});
    heads[chain.tree().size()] = chain.pending_head().hash;
  }
  for (const auto& [count, head] : heads) {
    EXPECT_EQ(chain.tree().node(naive_head(chain.tree(), count, {})).hash, head);
  }
}

TEST(NaiveHead, OfRulesByHeightAHeadNeverSinks) {
  for (const chain::RuleChoice& rule : rules_for(13)) {
    Growth growth{13};
    auto made = chain::make_fork_choice_rule(rule);
    ASSERT_TRUE(made.has_value());
    chain::ChainManager chain{growth.genesis(), std::move(*made), {}, 1};
    bool sank = false;
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t before = chain.pending_head().number;
      (void)chain.import_headers(kNow, growth.next_batch(), {"test", "test"});
      sank = sank || chain.pending_head().number < before;
    }
    if (never_sinks(rule.name)) {
      EXPECT_FALSE(sank) << rule.name;
    }
    if (rule.name == "checkpoint") {
      EXPECT_FALSE(sank) << rule.parameter;
    }
    if (rule.name == "lexicographic-head" || rule.name == "random") {
      EXPECT_TRUE(sank) << rule.name;
    }
  }
}

}  // namespace
}  // namespace ethnet::sim
