// How often each reason to refuse a session was met lately, beside how often in all: the session
// layer counts since the start, and an operator wants to know what is wrong now.
//
// It remembers the counts as they were at marks, kMarkEvery apart; what is recent is what came
// since the oldest mark of the window. A machine: time is told. One thread.
// Limits: kMaxRefusalMarks, each two numbers a reason.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include <base/instant.hpp>
#include <session/session.hpp>

#include "snapshot.hpp"

namespace ethnet::node {

inline constexpr Duration kRecentRefusals = seconds(600);  // what "lately" means
inline constexpr Duration kRefusalMarkEvery = seconds(30);
// Over the window with both its ends, and one from before it.
inline constexpr std::size_t kMaxRefusalMarks =
    static_cast<std::size_t>(kRecentRefusals.ns / kRefusalMarkEvery.ns) + 2;

class RefusalWindow {
 public:
  // Reasons that were met at all; the most frequent of late come first.
  [[nodiscard]] std::vector<RefusalView> refresh(Now now, const session::SessionSnapshot& sessions);

 private:
  using Counts = std::array<std::uint64_t, session::kAllDisconnectReasons.size()>;
  struct Mark {
    Instant at;
    Counts inbound{};
    Counts outbound{};
  };
  [[nodiscard]] static Counts counts_of(const std::vector<session::ReasonCount>& reasons);

  std::deque<Mark> marks_;  // the oldest first
};

}  // namespace ethnet::node
