#include "checkpoint.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <base/decimal.hpp>
#include <fmt/format.h>

namespace ethnet::chain {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<CheckpointError>(code)) {
    case CheckpointError::bad_line:
      return "a line that is not 'NUMBER HASH'";
    case CheckpointError::contradiction:
      return "two hashes for one number";
    case CheckpointError::too_many:
      return "too many checkpoints";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"checkpoint", describe};

constexpr std::string_view kBlank = " \t\r";

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlank));
  rest.remove_prefix(word.size());
  return word;
}

// "NUMBER HASH" and nothing else.
std::optional<Checkpoint> parse_line(std::string_view line) {
  const std::string_view number = take_word(line);
  const std::string_view hash = take_word(line);
  const auto value = parse_decimal(number);
  if (!value) return std::nullopt;
  Checkpoint out{.number = *value, .hash = {}};
  if (!from_hex_into(hash, out.hash.bytes) || !take_word(line).empty()) return std::nullopt;
  return out;
}

}  // namespace

const ErrorDomain& error_domain(CheckpointError) { return kDomain; }

Result<std::vector<Checkpoint>> parse_checkpoints(std::string_view text) {
  std::vector<Checkpoint> out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t begin = at;
    std::string_view line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(kBlank) == std::string_view::npos) continue;
    const auto checkpoint = parse_line(line);
    if (!checkpoint) return fail(CheckpointError::bad_line, begin);
    const auto place = std::ranges::lower_bound(out, checkpoint->number, {}, &Checkpoint::number);
    if (place != out.end() && place->number == checkpoint->number) {
      if (place->hash != checkpoint->hash) return fail(CheckpointError::contradiction, begin);
      continue;
    }
    if (out.size() == kMaxCheckpoints) return fail(CheckpointError::too_many, begin);
    out.insert(place, *checkpoint);
  }
  return out;
}

std::string describe_fault(std::string_view file, std::string_view text, const Error& error) {
  const auto line = std::ranges::count(text.substr(0, error.offset()), '\n') + 1;
  return fmt::format("{}:{}: {}", file, line, error.what());
}

CheckpointChain::CheckpointChain(std::vector<Checkpoint> checkpoints)
    : checkpoints_{std::move(checkpoints)} {
  const auto rises = [](const Checkpoint& a, const Checkpoint& b) { return a.number >= b.number; };
  CHECK(std::ranges::adjacent_find(checkpoints_, rises) == checkpoints_.end());
}

const Checkpoint* CheckpointChain::contradicted(const RuleView& view, const Candidate& head) const {
  // What lies below the root was looked at when it was there.
  const std::uint64_t root = view.root().number;
  for (const Checkpoint& checkpoint : checkpoints_) {
    if (checkpoint.number > head.number) break;
    if (checkpoint.number < root) continue;
    if (view.ancestor(head, checkpoint.number).hash != checkpoint.hash) return &checkpoint;
  }
  return nullptr;
}

Candidate CheckpointChain::highest_kept(const RuleView& view, const Candidate& head) const {
  const Checkpoint* checkpoint = contradicted(view, head);
  if (checkpoint == nullptr) return head;
  const std::uint64_t root = view.root().number;
  // A root that contradicts is no better than nothing, and the lowest that there is.
  return view.ancestor(head, checkpoint->number > root ? checkpoint->number - 1 : root);
}

Candidate CheckpointChain::choose(const RuleView& view) const {
  const Candidate& present = view.present();
  Candidate best = present;
  for (const Candidate& head : view.heads()) {
    const Candidate kept = highest_kept(view, head);
    const bool taller = kept.number > best.number;
    const bool earlier =
        kept.number == best.number && best != present && kept.arrival < best.arrival;
    if (taller || earlier) best = kept;
  }
  return best;
}

Score CheckpointChain::explain(const RuleView& view, const Candidate& block) const {
  const Checkpoint* checkpoint = contradicted(view, block);
  if (checkpoint == nullptr) {
    return {std::to_string(block.number),
            fmt::format("height {}, arrival {}", block.number, block.arrival)};
  }
  const std::uint64_t counted = highest_kept(view, block).number;
  return {std::to_string(counted),
          fmt::format("height {}, of which {} count: checkpoint {} is {}", block.number, counted,
                      checkpoint->number, checkpoint->hash.short_hex())};
}

}  // namespace ethnet::chain
