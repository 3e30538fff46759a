// Checked<M>: a machine that holds M to its contract (docs/ARCHITECTURE.md, "The contract of a
// machine", point 4). Tests and the simulator drive Checked<M>; the released node drives M.
// A violation is a CHECK failure that names the rule:
//   - time is monotone; outputs are polled at the time of the last input or later;
//   - a fully drained machine yields nothing until the next input;
//   - a drain ends within kMaxItemsPerDrain items;
//   - after handle_deadline(now) and a full drain no deadline lies before now, and it may stay at
//     now at most kMaxDeadlineRepeats times;
//   - a burst fits the buffer and has at most kMaxSegments segments;
//   - ids of outstanding jobs and store operations are unique; a result answers an outstanding one,
//     of the store the oldest (these two hold the driver to its side);
//   - optional, where M has them: `closed() const` (once true it stays true, and after one last
//     drain there is no output and no deadline), and `exceeded_limit() const`, the name of a queue
//     that is over its limit, asked after every full drain.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include <base/check.hpp>
#include <base/instant.hpp>

#include "concepts.hpp"

namespace ethnet {

inline constexpr std::size_t kMaxItemsPerDrain = 16'384;  // a drain that yields more does not end
inline constexpr std::size_t kMaxDeadlineRepeats = 16;    // a deadline that stays due

template <class M>
concept HasClosed = requires(const M m) {
  { m.closed() } -> std::same_as<bool>;
};
template <class M>
concept HasLimits = requires(const M m) {
  { m.exceeded_limit() } -> std::same_as<std::optional<std::string_view>>;
};

template <class M>
class Checked {
 public:
  template <class... Args>
  explicit Checked(Args&&... args) : machine_(std::forward<Args>(args)...) {}
  Checked(const Checked&) = delete;
  Checked& operator=(const Checked&) = delete;
  ~Checked() = default;

  [[nodiscard]] M& machine() { return machine_; }
  [[nodiscard]] const M& machine() const { return machine_; }

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept
    requires HasDatagrams<M>
  {
    CHECK(batch.size() <= kMaxDatagramBatch);
    begin_input(now);
    machine_.handle_datagrams(now, batch);
  }
  void handle_deadline(Now now) noexcept
    requires HasDeadline<M>
  {
    begin_input(now);
    deadline_handled_ = true;
    machine_.handle_deadline(now);
  }
  void handle_job_done(Now now, const JobResult& done) noexcept
    requires HasJobs<M>
  {
    begin_input(now);
    const bool job_is_outstanding = jobs_.erase(done.id) == 1;
    CHECK(job_is_outstanding);
    machine_.handle_job_done(now, done);
  }
  void handle_store_done(Now now, const StoreResult& done) noexcept
    requires HasStore<M>
  {
    begin_input(now);
    const bool oldest_store_op_is_answered = !store_ops_.empty() && store_ops_.front() == done.id;
    CHECK(oldest_store_op_is_answered);
    store_ops_.pop_front();
    machine_.handle_store_done(now, done);
  }
  // Call before any other input that is made on machine() itself; Pump::input does.
  void begin_input(Now now) {
    const bool time_is_monotone = now.mono >= now_;
    CHECK(time_is_monotone);
    if (now.mono != now_) deadline_repeats_ = 0;
    now_ = now.mono;
    empty_kinds_ = 0;
    items_since_input_ = 0;
    deadline_handled_ = false;
  }

  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView buffer)
    requires HasDatagrams<M>
  {
    const bool time_is_monotone = now.mono >= now_;
    CHECK(time_is_monotone);
    // A later poll is a drain that goes on after the sink was full.
    if (now.mono > now_) begin_input(now);
    std::optional<Transmit> transmit = machine_.poll_transmit(now, buffer);
    if (transmit) check_burst(*transmit, buffer.size());
    return yielded(kTransmits, std::move(transmit));
  }
  [[nodiscard]] auto poll_event()
    requires HasEvents<M>
  {
    return yielded(kEvents, machine_.poll_event());
  }
  [[nodiscard]] std::optional<Job> poll_job()
    requires HasJobs<M>
  {
    std::optional<Job> job = machine_.poll_job();
    if (job) {
      const bool job_id_is_unique = jobs_.insert(job->id).second;
      CHECK(job_id_is_unique);
    }
    return yielded(kJobs, std::move(job));
  }
  [[nodiscard]] std::optional<StoreOp> poll_store()
    requires HasStore<M>
  {
    std::optional<StoreOp> op = machine_.poll_store();
    if (op) {
      for (const std::uint64_t id : store_ops_) {
        const bool store_id_is_unique = id != op->id;
        CHECK(store_id_is_unique);
      }
      store_ops_.push_back(op->id);
    }
    return yielded(kStoreOps, std::move(op));
  }
  [[nodiscard]] Instant next_deadline() const
    requires HasDeadline<M>
  {
    const Instant deadline = machine_.next_deadline();
    if (drained() && deadline_handled_) {
      const bool deadline_is_not_in_the_past = deadline >= now_;
      CHECK(deadline_is_not_in_the_past);
      if (deadline == now_) {
        const bool deadline_advances = ++deadline_repeats_ <= kMaxDeadlineRepeats;
        CHECK(deadline_advances);
      }
    }
    if (drained() && was_closed_) {
      const bool no_deadline_after_close = deadline.is_never();
      CHECK(no_deadline_after_close);
    }
    return deadline;
  }

  // Every kind of output was polled empty since the last input or item.
  [[nodiscard]] bool drained() const { return empty_kinds_ == all_kinds(); }

 private:
  static constexpr unsigned kTransmits = 1;
  static constexpr unsigned kEvents = 2;
  static constexpr unsigned kJobs = 4;
  static constexpr unsigned kStoreOps = 8;

  [[nodiscard]] static constexpr unsigned all_kinds() {
    return (HasDatagrams<M> ? kTransmits : 0U) | (HasEvents<M> ? kEvents : 0U) |
           (HasJobs<M> ? kJobs : 0U) | (HasStore<M> ? kStoreOps : 0U);
  }

  static void check_burst(const Transmit& transmit, std::size_t buffer_size) {
    const bool burst_fits_buffer = transmit.size > 0 && transmit.size <= buffer_size;
    CHECK(burst_fits_buffer);
    const bool segments_are_within_limit =
        transmit.segment_size > 0 && transmit.size <= transmit.segment_size * kMaxSegments;
    CHECK(segments_are_within_limit);
  }

  template <class T>
  [[nodiscard]] std::optional<T> yielded(unsigned kind, std::optional<T> item) {
    if (item) {
      const bool drained_machine_is_silent = !drained();
      CHECK(drained_machine_is_silent);
      const bool closed_machine_is_silent = !was_closed_;
      CHECK(closed_machine_is_silent);
      empty_kinds_ = 0;
      const bool drain_is_bounded = ++items_since_input_ <= kMaxItemsPerDrain;
      CHECK(drain_is_bounded);
    } else {
      empty_kinds_ |= kind;
      if (drained()) check_drained();
    }
    return item;
  }

  void check_drained() {
    if constexpr (HasClosed<M>) {
      const bool closed = machine_.closed();
      const bool close_is_final = closed || !was_closed_;
      CHECK(close_is_final);
      was_closed_ = closed;
    }
    if constexpr (HasLimits<M>) {
      const bool queues_are_within_limits = !machine_.exceeded_limit();
      CHECK(queues_are_within_limits);
    }
  }

  M machine_;
  Instant now_{INT64_MIN};
  unsigned empty_kinds_ = 0;
  std::size_t items_since_input_ = 0;
  mutable std::size_t deadline_repeats_ = 0;
  bool deadline_handled_ = false;
  bool was_closed_ = false;
  std::set<std::uint64_t> jobs_;
  std::deque<std::uint64_t> store_ops_;
};

}  // namespace ethnet
