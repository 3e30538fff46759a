// What keeps a table alive, as far as it is the same whoever asks: when the next look-up (refresh)
// and the next question whether a node is still there (revalidation) are due, and about whom. Times
// are drawn at random, so that nobody can be away, or there, just then.
//
// Who drives it asks, and says what came of it: somebody was heard, somebody is alive whom nobody
// knew. discovery/v5 and discovery/lite have one each; discovery/v4 shares the parts.
// One thread; deterministic.
#pragma once

#include <algorithm>
#include <cstdint>

#include <base/instant.hpp>
#include <base/prng.hpp>

#include "table.hpp"

namespace ethnet::kbucket {

// Refresh: one look-up each; quicker while we are new or know nobody.
inline constexpr Duration kRefreshMin = seconds(60);
inline constexpr Duration kRefreshMax = seconds(180);
inline constexpr Duration kEarlyRefreshMin = seconds(3);
inline constexpr Duration kEarlyRefreshMax = seconds(8);
inline constexpr std::uint64_t kEarlyRefreshes = 4;
inline constexpr Duration kBootMin = seconds(5);  // between tries to reach a boot node
inline constexpr Duration kBootMax = seconds(15);
inline constexpr unsigned kBootDoublings = 4;  // of this interval, while nobody is there
// When nobody was heard for so long it is we who are cut off, and no node leaves for not answering.
inline constexpr Duration kAloneAfter = seconds(20);
// Revalidation: one node each.
inline constexpr Duration kRevalidateMin = seconds(2);
inline constexpr Duration kRevalidateMax = seconds(8);

// Uniform, both included.
[[nodiscard]] inline Duration draw(Prng& prng, Duration low, Duration high) {
  return nanoseconds(prng.between(low.ns, high.ns));
}
[[nodiscard]] NodeId draw_target(Prng& prng);

// Whether there is a node that was seen, and has not failed since.
[[nodiscard]] bool knows_somebody(const Table& table);
// One time in two somebody of whom we are not sure; else of two at random the one that was not seen
// for longer. Null where the table is empty.
[[nodiscard]] RecordPtr pick_for_revalidation(const Table& table, Prng& prng);

class Upkeep {
 public:
  explicit Upkeep(Now now)
      : heard_at_{now.mono}, refresh_at_{now.mono}, revalidate_at_{now.mono + kRevalidateMax} {}

  [[nodiscard]] bool refresh_is_due(Now now) const { return refresh_at_ <= now.mono; }
  [[nodiscard]] bool revalidation_is_due(Now now) const { return revalidate_at_ <= now.mono; }
  [[nodiscard]] Instant next_deadline() const { return std::min(refresh_at_, revalidate_at_); }

  // ask_boot_nodes() where nobody is known, then look_up(target), which says whether it began one.
  // Our own neighbourhood and a random place by turns: the first keeps the near buckets right,
  // which look-ups of others end in, the second the far ones.
  template <class AskBootNodes, class LookUp>
  void refresh(Now now, const Table& table, Prng& prng, AskBootNodes ask_boot_nodes,
               LookUp look_up) {
    const bool somebody = knows_somebody(table);
    is_lonely_ = !somebody;
    if (!somebody) ask_boot_nodes();
    if (table.size() > 0) {
      const NodeId target = refreshes_ % 2 == 0 ? table.self() : draw_target(prng);
      if (look_up(target)) ++refreshes_;
    }
    set_refresh(now, prng, somebody);
  }
  // When the next one is due.
  void set_revalidation(Instant at) { revalidate_at_ = at; }
  void revalidate_by(Instant at) { revalidate_at_ = std::min(revalidate_at_, at); }

  // Somebody answered, or came.
  void on_heard(Now now) { heard_at_ = now.mono; }
  // Whether a node that does not answer is to blame for it.
  [[nodiscard]] bool is_its_fault(Now now) const { return heard_at_ + kAloneAfter >= now.mono; }
  // A node is known to be alive that was not, before: the first one opens the way to the others.
  void on_alive(Now now) {
    if (is_lonely_) refresh_at_ = std::min(refresh_at_, now.mono);
    is_lonely_ = false;
  }
  // There is one boot node more.
  void on_boot_node(Now now) {
    if (is_lonely_) refresh_at_ = std::min(refresh_at_, now.mono);
  }

 private:
  void set_refresh(Now now, Prng& prng, bool somebody);

  std::uint64_t refreshes_ = 0;
  bool is_lonely_ = true;      // nobody was known to be alive when we looked last
  unsigned lonely_tries_ = 0;  // at boot nodes, in a row
  Instant heard_at_;           // when somebody answered, or came, last
  Instant refresh_at_;
  Instant revalidate_at_;
};

}  // namespace ethnet::kbucket
