// What one connection subscribed to (eth_subscribe), and what it is told next: one notification at
// a time, made when the connection can take it. A slow reader therefore costs a cursor: of heads it
// gets the newest, of events a gap where the log has forgotten some.
//
//   newHeads   the header (block_json.hpp), as go-ethereum tells it
//   reorgs     ethscope.Event with `reorg`, or with `gap`: these may have been among what is
//   missing events     ethscope.Event
//
// Threading: one thread; the log is anybody's. Limits: below.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event_log.hpp"
#include "head_feed.hpp"

namespace ethnet::observe {

// Of one connection. A page needs two; each costs a look into the log at each event.
inline constexpr std::size_t kMaxSubscriptions = 16;

enum class Topic : std::uint8_t { heads, reorgs, events };

struct SubscriptionCounters {
  std::size_t open = 0;
  std::uint64_t refused = 0;  // kMaxSubscriptions
  std::uint64_t notifications = 0;
  std::uint64_t gaps = 0;
  std::uint64_t missed = 0;  // events in these
};

class Subscriptions {
 public:
  // All three outlive it.
  Subscriptions(EventLog& log, const HeadFeed& heads, SubscriptionCounters& counters);
  ~Subscriptions();
  Subscriptions(const Subscriptions&) = delete;
  Subscriptions& operator=(const Subscriptions&) = delete;

  // Its name, "0x1"; nothing: there are kMaxSubscriptions. `after`, of events: the cursor of the
  // last one that was seen; nothing: what comes from now on.
  [[nodiscard]] std::optional<std::string> add(Topic topic, std::optional<std::uint64_t> after);
  // False: there is none of that name.
  [[nodiscard]] bool remove(std::string_view name);
  // The next notification, of each subscription in turn; empty: there is nothing new.
  [[nodiscard]] std::string next();

 private:
  struct Subscription {
    std::string name;
    Topic topic = Topic::heads;
    std::uint64_t seen = 0;  // cursor of the log, version of the heads
  };

  [[nodiscard]] std::string next_of(Subscription& subscription);
  [[nodiscard]] std::string next_event(Subscription& subscription);

  EventLog& log_;
  const HeadFeed& heads_;
  SubscriptionCounters& counters_;
  std::vector<Subscription> all_;
  std::uint64_t last_name_ = 0;
  std::size_t turn_ = 0;
};

}  // namespace ethnet::observe
