#include "naive_head.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <base/check.hpp>
#include <base/decimal.hpp>
#include <base/sip_hash.hpp>
#include <types/header.hpp>

namespace ethnet::sim {
namespace {

using chain::HeaderTree;
using chain::NodeIndex;

// Those of the first `count` without a child among them, by arrival.
std::vector<NodeIndex> tips(const HeaderTree& tree, std::size_t count) {
  std::vector<bool> has_child(count, false);
  for (NodeIndex at = 1; at < count; ++at) has_child[tree.node(at).parent] = true;
  std::vector<NodeIndex> out;
  for (NodeIndex at = 0; at < count; ++at) {
    if (!has_child[at]) out.push_back(at);
  }
  return out;
}

Header header_of(const HeaderTree& tree, NodeIndex at) {
  auto header = Header::decode(tree.header(at));
  CHECK(header.has_value());
  return *std::move(header);
}

// As score.hpp documents it, with its numbers written out.
std::int64_t score_of(const HeaderTree& tree, NodeIndex tip) {
  std::set<Address> producers;
  std::vector<std::uint64_t> times;
  for (NodeIndex at = tip; at != chain::kNoNode && times.size() <= 32; at = tree.node(at).parent) {
    const Header header = header_of(tree, at);
    if (times.size() < 32) producers.insert(header.beneficiary);
    times.push_back(header.timestamp);
  }
  std::vector<std::uint64_t> gaps;
  for (std::size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i - 1] - times[i]);
  std::uint64_t spread = 0;
  if (!gaps.empty()) spread = std::ranges::max(gaps) - std::ranges::min(gaps);
  return 100 * static_cast<std::int64_t>(tree.node(tip).number) +
         25 * static_cast<std::int64_t>(producers.size()) -
         static_cast<std::int64_t>(std::min<std::uint64_t>(spread, 1'000));
}

// From genesis on, whose own counts for all alike. What a world's nodes seal has little or none.
std::uint64_t difficulty_of(const HeaderTree& tree, NodeIndex tip) {
  std::uint64_t sum = 0;
  for (NodeIndex at = tip; at != chain::kNoNode; at = tree.node(at).parent) {
    const auto difficulty = header_of(tree, at).difficulty.to_u64();
    CHECK(difficulty && *difficulty < UINT32_MAX);
    sum += *difficulty;
  }
  return sum;
}

// The lines of a checkpoint file, read anew: hashes by number.
std::map<std::uint64_t, std::string> checkpoints_of(const std::string& text) {
  std::map<std::uint64_t, std::string> out;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line.substr(0, line.find('#'))};
    std::uint64_t number = 0;
    std::string hash;
    if (!(words >> number >> hash)) continue;
    out[number] = hash.starts_with("0x") ? hash : "0x" + hash;
  }
  return out;
}

// Of all blocks whose branch down to genesis contradicts no checkpoint the highest, of these the
// first to arrive; genesis where there is none.
NodeIndex checkpointed_head(const HeaderTree& tree, std::size_t count, const std::string& text) {
  const auto checkpoints = checkpoints_of(text);
  NodeIndex best = 0;
  for (NodeIndex block = 0; block < count; ++block) {
    bool obeys = true;
    for (NodeIndex at = block; at != chain::kNoNode; at = tree.node(at).parent) {
      const auto point = checkpoints.find(tree.node(at).number);
      obeys = obeys && (point == checkpoints.end() || point->second == tree.node(at).hash.hex());
    }
    if (obeys && tree.node(block).number > tree.node(best).number) best = block;
  }
  return best;
}

}  // namespace

NodeIndex naive_head(const HeaderTree& tree, std::size_t count, const chain::RuleChoice& rule) {
  using Better = std::function<bool(NodeIndex, NodeIndex)>;
  if (rule.name == "checkpoint") return checkpointed_head(tree, count, rule.parameter);
  const auto number = [&](NodeIndex at) { return tree.node(at).number; };
  const auto hash = [&](NodeIndex at) -> const Hash32& { return tree.node(at).hash; };
  Better better;
  if (rule.name == "longest-chain") {
    better = [&](NodeIndex a, NodeIndex b) { return number(a) > number(b); };
  } else if (rule.name == "longest-tiebreak") {
    better = [&](NodeIndex a, NodeIndex b) {
      return number(a) > number(b) || (number(a) == number(b) && hash(a) < hash(b));
    };
  } else if (rule.name == "heaviest") {
    better = [&](NodeIndex a, NodeIndex b) {
      const std::uint64_t of_a = difficulty_of(tree, a);
      const std::uint64_t of_b = difficulty_of(tree, b);
      return of_a > of_b || (of_a == of_b && number(a) > number(b));
    };
  } else if (rule.name == "score") {
    better = [&](NodeIndex a, NodeIndex b) { return score_of(tree, a) > score_of(tree, b); };
  } else if (rule.name == "lexicographic-head") {
    better = [&](NodeIndex a, NodeIndex b) { return hash(b) < hash(a); };
  } else if (rule.name == "random") {
    const auto seed = parse_decimal(rule.parameter);
    CHECK(seed.has_value());
    better = [&, seed](NodeIndex a, NodeIndex b) {
      return sip_hash({*seed, 0}, hash(a).view()) > sip_hash({*seed, 0}, hash(b).view());
    };
  }
  CHECK(better != nullptr);
  const std::vector<NodeIndex> all = tips(tree, count);
  NodeIndex best = all.front();
  for (const NodeIndex tip : all) {
    if (better(tip, best)) best = tip;
  }
  return best;
}

bool never_sinks(std::string_view rule) {
  return rule == "longest-chain" || rule == "longest-tiebreak";
}

bool has_naive_head(std::string_view rule) {
  constexpr std::array<std::string_view, 7> kRules{
      "longest-chain",      "longest-tiebreak", "heaviest", "score",
      "lexicographic-head", "checkpoint",       "random"};
  return std::ranges::find(kRules, rule) != kRules.end();
}

}  // namespace ethnet::sim
