#include "refusal_window.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace ethnet::node {

RefusalWindow::Counts RefusalWindow::counts_of(const std::vector<session::ReasonCount>& reasons) {
  Counts out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto it = std::ranges::find(reasons, session::kAllDisconnectReasons[i],
                                      &session::ReasonCount::reason);
    if (it != reasons.end()) out[i] = it->count;
  }
  return out;
}

std::vector<RefusalView> RefusalWindow::refresh(Now now, const session::SessionSnapshot& sessions) {
  Mark mark{.at = now.mono,
            .inbound = counts_of(sessions.refused_inbound),
            .outbound = counts_of(sessions.refused_outbound)};
  // What was refused before anybody looked counts as of late where that is so.
  if (marks_.empty()) marks_.push_back({.at = now.mono, .inbound = {}, .outbound = {}});
  // The oldest that is still needed is the last one from before the window.
  while (marks_.size() > 1 && now.mono - marks_[1].at >= kRecentRefusals) marks_.pop_front();

  const Mark& then = marks_.front();
  std::vector<RefusalView> out;
  const auto add = [&](bool inbound, const Counts& total, const Counts& before) {
    for (std::size_t i = 0; i < total.size(); ++i) {
      if (total[i] == 0) continue;
      out.push_back({.reason = std::string{session::to_string(session::kAllDisconnectReasons[i])},
                     .inbound = inbound,
                     .total = total[i],
                     .recent = total[i] - before[i]});
    }
  };
  add(true, mark.inbound, then.inbound);
  add(false, mark.outbound, then.outbound);
  std::ranges::sort(out, [](const RefusalView& a, const RefusalView& b) {
    return std::tie(b.recent, b.inbound, a.reason) < std::tie(a.recent, a.inbound, b.reason);
  });

  if (now.mono - marks_.back().at >= kRefusalMarkEvery) marks_.push_back(std::move(mark));
  CHECK(marks_.size() <= kMaxRefusalMarks);
  return out;
}

}  // namespace ethnet::node
