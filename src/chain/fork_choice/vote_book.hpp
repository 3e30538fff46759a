// VoteBook: the latest vote of each voter. Votes come from who drives the chain (a scenario), never
// from a peer; a rule that asked for them (RuleNeeds::votes) weighs blocks by them.
// Threading: one thread. Limits: kMaxBookVoters.
#pragma once

#include <cstdint>
#include <map>

#include <types/hash.hpp>

namespace ethnet::chain {

inline constexpr std::size_t kMaxBookVoters =
    65'536;  // whose latest vote is kept: more than a lab has

struct Vote {
  std::uint64_t voter = 0;
  Hash32 block;              // may not be known yet: it counts once it is
  std::uint32_t weight = 0;  // 0 takes the vote back
  friend bool operator==(const Vote&, const Vote&) = default;
};

class VoteBook {
 public:
  // In place of that voter's last one. False, and nothing changes, at kMaxBookVoters.
  [[nodiscard]] bool add(const Vote& vote);
  // The sum of the votes for each block, above 0, by hash.
  [[nodiscard]] const std::map<Hash32, std::uint64_t>& weights() const { return weights_; }
  [[nodiscard]] std::size_t size() const { return latest_.size(); }

 private:
  std::map<std::uint64_t, Vote> latest_;
  std::map<Hash32, std::uint64_t> weights_;
};

}  // namespace ethnet::chain
