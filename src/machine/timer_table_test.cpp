#include "timer_table.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ethnet {
namespace {

// The obviously right table: a map by id, searched.
class NaiveTimers {
 public:
  void set(TimerId id, Instant at) {
    if (at.is_never()) {
      by_id_.erase(id);
    } else {
      by_id_[id] = at;
    }
  }
  bool cancel(TimerId id) { return by_id_.erase(id) == 1; }
  [[nodiscard]] Instant deadline(TimerId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? Instant::never() : found->second;
  }
  [[nodiscard]] std::optional<TimerTable::Due> earliest() const {
    std::optional<TimerTable::Due> best;
    for (const auto& [id, at] : by_id_) {
      if (!best || at < best->at) best = TimerTable::Due{id, at};
    }
    return best;
  }
  std::optional<TimerTable::Due> pop_due(Instant now) {
    const auto best = earliest();
    if (!best || best->at > now) return std::nullopt;
    by_id_.erase(best->id);
    return best;
  }
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  std::map<TimerId, Instant> by_id_;
};

TEST(TimerTable, GivesNothingWhenNothingIsArmed) {
  TimerTable timers;
  EXPECT_TRUE(timers.next().is_never());
  EXPECT_FALSE(timers.pop_due(Instant::never()));
  EXPECT_FALSE(timers.cancel(3));
  EXPECT_TRUE(timers.deadline(3).is_never());
}

TEST(TimerTable, EqualDeadlinesComeOutInOrderOfId) {
  TimerTable timers;
  for (const TimerId id : {5U, 1U, 4U, 0U, 3U, 2U}) timers.set(id, Instant{10});
  EXPECT_FALSE(timers.pop_due(Instant{9}));
  for (TimerId id = 0; id < 6; ++id) {
    EXPECT_EQ(timers.pop_due(Instant{10}), (TimerTable::Due{id, Instant{10}}));
  }
  EXPECT_TRUE(timers.empty());
}

TEST(TimerTable, SettingMovesAndNeverCancels) {
  TimerTable timers;
  timers.set(7, Instant{50});
  timers.set(7, Instant{20});
  EXPECT_EQ(timers.size(), 1U);
  EXPECT_EQ(timers.next(), Instant{20});
  timers.set(7, Instant{90});
  EXPECT_EQ(timers.deadline(7), Instant{90});
  timers.set(7, Instant::never());
  EXPECT_TRUE(timers.empty());
}

RC_GTEST_PROP(TimerTable, AgreesWithTheNaiveModel, ()) {
  TimerTable timers;
  NaiveTimers model;
  const auto steps = *rc::gen::inRange(1, 300);
  for (int step = 0; step < steps; ++step) {
    const auto id = *rc::gen::inRange<TimerId>(0, 24);
    const auto at = Instant{*rc::gen::inRange<std::int64_t>(0, 30)};
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
        RC_ASSERT(timers.cancel(id) == model.cancel(id));
        break;
      case 1:
        RC_ASSERT(timers.pop_due(at) == model.pop_due(at));
        break;
      case 2:
        timers.set(id, Instant::never());
        model.set(id, Instant::never());
        break;
      default:
        timers.set(id, at);
        model.set(id, at);
    }
    const auto earliest = model.earliest();
    RC_ASSERT(timers.next() == (earliest ? earliest->at : Instant::never()));
    RC_ASSERT(timers.deadline(id) == model.deadline(id));
    RC_ASSERT(timers.size() == model.size());
  }
  while (const auto due = model.pop_due(Instant{30})) RC_ASSERT(timers.pop_due(Instant{30}) == due);
  RC_ASSERT(timers.empty());
}

TEST(TimerTableDeathTest, RefusesAnIdBeyondTheLimit) {
  TimerTable timers;
  EXPECT_DEATH(timers.set(kMaxTimerId + 1, Instant{1}), "id <= kMaxTimerId");
}

}  // namespace
}  // namespace ethnet
