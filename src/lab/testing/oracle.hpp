// For tests: after each step of each rule, the manager's head is what the naive rule names of the
// blocks that it has and the votes that were cast.
#pragma once

#include <map>
#include <optional>
#include <string>

#include <chain/naive_rules.hpp>
#include <gtest/gtest.h>

#include "../player.hpp"

namespace ethnet::lab::testing {

class Oracle {
 public:
  explicit Oracle(const Scenario& scenario) : scenario_{scenario}, blocks_{scenario} {}

  [[nodiscard]] StepObserver observer() {
    return [this](const LabRule& rule, std::size_t step, const chain::ChainManager& manager) {
      check(rule, step, manager);
    };
  }
  [[nodiscard]] std::size_t checked() const { return checked_; }

 private:
  [[nodiscard]] chain::testing::NaiveRule naive(const LabRule& rule) const {
    using namespace chain::testing;
    const std::string& name = rule.choice.name;
    if (name == "longest-chain") return naive_longest();
    if (name == "longest-tiebreak") return naive_tiebreak();
    if (name == "heaviest") return naive_heaviest();
    if (name == "score") return naive_score(blocks_.genesis().header);
    if (name == "lexicographic-head") return naive_lexicographic();
    if (name == "random") return naive_random(std::stoull(rule.choice.parameter));
    if (name == "ghost") return naive_ghost();
    std::vector<chain::Checkpoint> points;
    for (const std::string& block : scenario_.checkpoints) {
      points.push_back({blocks_.block(block).number, blocks_.block(block).hash});
    }
    return naive_checkpoint(points);
  }

  void check(const LabRule& rule, std::size_t step, const chain::ChainManager& manager) {
    auto model = chain::testing::naive_copy(manager.tree());
    std::map<std::string, std::uint64_t> voters;
    for (std::size_t i = 0; i <= step; ++i) {
      for (const VoteSpec& vote : scenario_.steps[i].votes) {
        const auto voter = voters.try_emplace(vote.voter, voters.size()).first->second;
        model.vote(voter, blocks_.block(vote.block).hash, vote.weight);
      }
    }
    const auto before = heads_.find(rule.label);
    const Hash32 present = before == heads_.end() ? blocks_.genesis().hash : before->second;
    (void)model.end_batch([&](const auto&) { return present; });
    (void)model.end_batch(naive(rule));
    EXPECT_EQ(manager.head().hash, model.head())
        << rule.label << " after step " << step + 1 << ": " << blocks_.name_of(manager.head().hash)
        << " instead of " << blocks_.name_of(model.head());
    heads_[rule.label] = manager.head().hash;
    ++checked_;
  }

  const Scenario& scenario_;
  BlockBook blocks_;
  std::map<std::string, Hash32> heads_;
  std::size_t checked_ = 0;
};

[[nodiscard]] inline std::vector<LabRule> rules_named(const std::vector<std::string>& names) {
  std::vector<LabRule> rules;
  for (const std::string& name : names) rules.push_back(*parse_lab_rule(name));
  return rules;
}

}  // namespace ethnet::lab::testing
