// TimerTable: the deadlines of one machine. An indexed binary heap keyed by small ids (slab
// indices, enum values): set and cancel are O(log n), next is O(1). Equal deadlines come out in
// order of id, so that the order never depends on history. Single-threaded. Limit: kMaxTimerId; the
// caller's own limit on ids (sessions, requests) is what bounds the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <base/instant.hpp>

namespace ethnet {

using TimerId = std::uint32_t;
inline constexpr TimerId kMaxTimerId = (1U << 22) - 1;  // 16 bytes a slot: 64 MiB at the very most

class TimerTable {
 public:
  struct Due {
    TimerId id = 0;
    Instant at;
    friend bool operator==(const Due&, const Due&) = default;
  };

  // Arms the timer or moves it; Instant::never() cancels it. CHECK: id <= kMaxTimerId.
  void set(TimerId id, Instant at);
  // False when the timer was not armed.
  bool cancel(TimerId id);
  // The earliest deadline; never() when nothing is armed.
  [[nodiscard]] Instant next() const { return heap_.empty() ? Instant::never() : heap_.front().at; }
  // Removes and returns the earliest timer if it is due at `now`. Call until it gives nothing.
  [[nodiscard]] std::optional<Due> pop_due(Instant now);
  // never() when not armed.
  [[nodiscard]] Instant deadline(TimerId id) const;
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] bool empty() const { return heap_.empty(); }

 private:
  static constexpr std::uint32_t kNotArmed = UINT32_MAX;

  [[nodiscard]] static bool before(const Due& a, const Due& b) {
    return a.at != b.at ? a.at < b.at : a.id < b.id;
  }
  void place(std::size_t position, Due entry);
  void sift_up(std::size_t position, Due entry);
  void sift_down(std::size_t position, Due entry);
  void remove_at(std::size_t position);

  std::vector<Due> heap_;
  std::vector<std::uint32_t> position_;  // by id: index into heap_, or kNotArmed
};

}  // namespace ethnet
