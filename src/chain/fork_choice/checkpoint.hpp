// CheckpointChain: the longest chain that never leaves a set of checkpoints. Of a branch that has
// another block at the number of a checkpoint, only what lies below that number counts; a branch
// that has not come so far is free. A tie keeps the present head, then the first to arrive.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <base/result.hpp>

#include "rule.hpp"

namespace ethnet::chain {

inline constexpr std::size_t kMaxCheckpoints = 4096;  // local; a look-up each for every new head

struct Checkpoint {
  std::uint64_t number = 0;
  Hash32 hash;
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

enum class CheckpointError : std::uint16_t { bad_line = 1, contradiction, too_many };
[[nodiscard]] const ErrorDomain& error_domain(CheckpointError);

// A line each, "NUMBER HASH"; empty lines and what follows a # do not count. In order of number.
// Errors at the byte where the line begins: bad_line, contradiction (one number, two hashes),
// too_many.
[[nodiscard]] Result<std::vector<Checkpoint>> parse_checkpoints(std::string_view text);
// "points.txt:3: …", of what parse_checkpoints said of the text of that file.
[[nodiscard]] std::string describe_fault(std::string_view file, std::string_view text,
                                         const Error& error);

class CheckpointChain final : public ForkChoiceRule {
 public:
  // In order of number, none twice (CHECK).
  explicit CheckpointChain(std::vector<Checkpoint> checkpoints);
  [[nodiscard]] std::string_view name() const override { return "checkpoint"; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override;
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override;

 private:
  // The first checkpoint that the branch of `head` contradicts; nothing: it may be the head.
  [[nodiscard]] const Checkpoint* contradicted(const RuleView& view, const Candidate& head) const;
  // The highest block of that branch that contradicts none.
  [[nodiscard]] Candidate highest_kept(const RuleView& view, const Candidate& head) const;

  std::vector<Checkpoint> checkpoints_;
};

}  // namespace ethnet::chain
