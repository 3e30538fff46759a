#include "subscriptions.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scope_json.hpp"

namespace ethnet::observe {

Subscriptions::Subscriptions(EventLog& log, const HeadFeed& heads, SubscriptionCounters& counters)
    : log_{log}, heads_{heads}, counters_{counters} {}

Subscriptions::~Subscriptions() { counters_.open -= all_.size(); }

std::optional<std::string> Subscriptions::add(Topic topic, std::optional<std::uint64_t> after) {
  if (all_.size() >= kMaxSubscriptions) {
    ++counters_.refused;
    return std::nullopt;
  }
  Subscription made{.name = fmt::format("{:#x}", ++last_name_), .topic = topic};
  if (topic == Topic::heads) {
    made.seen = heads_.version();
  } else {
    made.seen = after ? log_.resumed(*after) : log_.newest();
  }
  all_.push_back(made);
  ++counters_.open;
  return made.name;
}

bool Subscriptions::remove(std::string_view name) {
  const auto it = std::ranges::find(all_, name, &Subscription::name);
  if (it == all_.end()) return false;
  all_.erase(it);
  --counters_.open;
  return true;
}

std::string Subscriptions::next() {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const std::size_t at = (turn_ + i) % all_.size();
    const std::string result = next_of(all_[at]);
    if (result.empty()) continue;
    turn_ = at + 1;
    ++counters_.notifications;
    return fmt::format(R"({{"jsonrpc":"2.0","method":"eth_subscription","params":)"
                       R"({{"subscription":"{}","result":{}}}}})",
                       all_[at].name, result);
  }
  return {};
}

std::string Subscriptions::next_of(Subscription& subscription) {
  if (subscription.topic != Topic::heads) return next_event(subscription);
  if (subscription.seen == heads_.version()) return {};
  subscription.seen = heads_.version();
  return heads_.json();
}

std::string Subscriptions::next_event(Subscription& subscription) {
  while (true) {
    const EventLog::Next next = log_.after(subscription.seen);
    if (!next.event) return {};
    if (next.missed > 0) {
      ++counters_.gaps;
      counters_.missed += next.missed;
      subscription.seen = next.event->cursor - 1;
      return gap_json(next);
    }
    subscription.seen = next.event->cursor;
    if (subscription.topic == Topic::events || next.event->reorg != 0) {
      return event_json(*next.event);
    }
  }
}

}  // namespace ethnet::observe
