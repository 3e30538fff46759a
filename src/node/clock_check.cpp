#include "clock_check.hpp"

#include <algorithm>

namespace ethnet::node {

std::optional<ClockCheck::Warning> ClockCheck::on_early_header(Now now, const NodeId& peer,
                                                               Duration ahead,
                                                               std::size_t sessions) {
  std::erase_if(witnesses_, [&](const auto& w) { return now.mono - w.second.at > kClockWindow; });
  if (!witnesses_.contains(peer) && witnesses_.size() >= kMaxClockWitnesses) {
    ++ignored_;
    return std::nullopt;
  }
  witnesses_[peer] = {now.mono, ahead};
  const std::size_t majority = sessions / 2 + 1;
  if (witnesses_.size() < std::min(kClockWitnesses, majority)) return std::nullopt;
  if (warned_ && now.mono - *warned_ < kClockWarnEvery) return std::nullopt;
  warned_ = now.mono;
  ++warnings_;
  Duration least = ahead;
  for (const auto& [id, witness] : witnesses_) least = std::min(least, witness.ahead);
  return Warning{static_cast<std::uint64_t>(least.ns / seconds(1).ns), witnesses_.size()};
}

}  // namespace ethnet::node
