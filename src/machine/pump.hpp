// Pump: the one drive loop. Asio and the simulator drive every machine through it, so that the loop
// itself is under simulation (docs/ARCHITECTURE.md, "The contract of a machine", points 1-3).
//
// A turn is one batch of inputs and the drain after it, all at one Now:
//   pump.handle_datagrams(now, batch);   // or handle_deadline, handle_job_done, input(...), ...
//   arm_timer(pump.next_deadline());
//   if (pump.needs_drain()) read once more, then pump.resume(now);
//
// A drain polls all outputs until a whole pass yields nothing. It stops earlier when its budget is
// spent (needs_drain()), and stops polling transmits when the sink is full: the pulled Transmit is
// kept, the other outputs go on, and handle_writable() offers it again before anything newer. When
// the drain is complete and a deadline is already due, handle_deadline runs once more in the turn.
// A sink that gathers what it takes has a flush(), called after each round of transmits, before
// anything else has its turn.
//
// Threading: the thread that owns the machine. The sink must not call back into the pump or the
// machine. Limits: PumpLimits; at most one Transmit (64 KiB) is kept.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <base/bytes.hpp>
#include <base/check.hpp>
#include <base/instant.hpp>

#include "concepts.hpp"

namespace ethnet {

// Items (bursts, events, jobs, store operations) that one drain may pull before it yields.
inline constexpr std::size_t kDefaultDrainBudget = 1024;
// Items of one kind before the next kind has its turn.
inline constexpr std::size_t kItemsPerKindAndPass = 64;

struct PumpLimits {
  std::size_t drain_budget = kDefaultDrainBudget;
};

struct PumpStats {
  std::uint64_t turns = 0;
  std::uint64_t bursts = 0;
  std::uint64_t events = 0;
  std::uint64_t jobs = 0;
  std::uint64_t store_ops = 0;
  std::uint64_t sink_full = 0;
  std::uint64_t budget_spent = 0;
  std::uint64_t deadlines_repeated = 0;
};

// The type that poll_event() yields.
template <HasEvents M>
using EventOf = typename decltype(std::declval<M&>().poll_event())::value_type;

// False from transmit(): full, nothing was taken. `bytes` lives until transmit() returns.
template <class S>
concept TransmitSink = requires(S sink, const Transmit& transmit, ByteView bytes) {
  { sink.transmit(transmit, bytes) } -> std::same_as<bool>;
};
// Keeps what it took, to send several at once. False from flush(): full, what is left is kept, and
// the next call of transmit() or flush() goes on with it.
template <class S>
concept FlushingSink = requires(S sink) {
  { sink.flush() } -> std::same_as<bool>;
};
template <class S, class E>
concept EventSink = requires(S sink, E event) { sink.event(std::move(event)); };
template <class S>
concept JobSink = requires(S sink, Job job) { sink.job(std::move(job)); };
template <class S>
concept StoreSink = requires(S sink, StoreOp op) { sink.store(std::move(op)); };

template <class M, class S>
concept EventsMatch = !HasEvents<M> || requires { requires EventSink<S, EventOf<M>>; };

// S takes every kind of output that M has.
template <class S, class M>
concept SinkFor = (!HasDatagrams<M> || TransmitSink<S>) && (!HasJobs<M> || JobSink<S>) &&
                  (!HasStore<M> || StoreSink<S>) && EventsMatch<M, S>;

template <class Machine, class Sink>
class Pump {
 public:
  // `buffer` is scratch for poll_transmit: kTransmitBufferBytes or more; pumps that share a thread
  // may share it. All three must outlive the pump.
  Pump(Machine& machine, Sink& sink, MutByteView buffer, PumpLimits limits = {})
      : machine_{machine}, sink_{sink}, buffer_{buffer}, limits_{limits} {
    // Here and not at the class, so that a sink can hold its own pump.
    static_assert(SinkFor<Sink, Machine>, "the sink lacks an output that the machine has");
    CHECK(buffer.size() >= kTransmitBufferBytes);
    CHECK(limits.drain_budget > 0);
  }
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;
  ~Pump() = default;

  // CHECK: at most kMaxDatagramBatch.
  void handle_datagrams(Now now, std::span<const Datagram> batch)
    requires HasDatagrams<Machine>
  {
    CHECK(batch.size() <= kMaxDatagramBatch);
    turn(now, [&] { machine_.handle_datagrams(now, batch); });
  }
  void handle_deadline(Now now)
    requires HasDeadline<Machine>
  {
    turn(now, [&] { machine_.handle_deadline(now); });
  }
  void handle_job_done(Now now, const JobResult& done)
    requires HasJobs<Machine>
  {
    turn(now, [&] { machine_.handle_job_done(now, done); });
  }
  void handle_store_done(Now now, const StoreResult& done)
    requires HasStore<Machine>
  {
    turn(now, [&] { machine_.handle_store_done(now, done); });
  }
  // Any other input (a command, a dial): f(machine) makes it, the drain follows.
  template <std::invocable<Machine&> F>
  void input(Now now, F&& f) {
    turn(now, [&] {
      if constexpr (requires { machine_.begin_input(now); }) machine_.begin_input(now);
      std::forward<F>(f)(machine_);
    });
  }
  // The sink has room again: the kept Transmit goes first, then the drain goes on.
  void handle_writable(Now now) {
    blocked_ = false;
    turn(now, [] {});
  }
  // Goes on with a drain that spent its budget.
  void resume(Now now) {
    turn(now, [] {});
  }

  // The budget was spent before the machine was empty: read once, then call resume().
  [[nodiscard]] bool needs_drain() const { return needs_drain_; }
  // The sink was full: call handle_writable() when it is not.
  [[nodiscard]] bool waits_for_writable() const { return blocked_; }
  // When to call handle_deadline. A deadline that is already due while the sink is full waits for
  // handle_writable(): a timer that fires at once, again and again, would not help it.
  [[nodiscard]] Instant next_deadline() const {
    if constexpr (HasDeadline<Machine>) {
      const Instant deadline = machine_.next_deadline();
      return blocked_ && deadline <= last_now_ ? Instant::never() : deadline;
    } else {
      return Instant::never();
    }
  }
  [[nodiscard]] const PumpStats& stats() const { return stats_; }
  [[nodiscard]] Machine& machine() { return machine_; }
  [[nodiscard]] const Machine& machine() const { return machine_; }

 private:
  template <class F>
  void turn(Now now, F&& make_input) {
    CHECK(!in_turn_);  // the sink called back
    in_turn_ = true;
    last_now_ = now.mono;
    ++stats_.turns;
    make_input();
    std::size_t budget = limits_.drain_budget;
    needs_drain_ = !drain(now, budget);
    if constexpr (HasDeadline<Machine>) {
      if (!needs_drain_ && !blocked_ && machine_.next_deadline() <= now.mono) {
        ++stats_.deadlines_repeated;
        machine_.handle_deadline(now);
        needs_drain_ = !drain(now, budget);
      }
    }
    if (needs_drain_) ++stats_.budget_spent;
    in_turn_ = false;
  }

  // True when a whole pass yielded nothing; false when the budget was spent first.
  [[nodiscard]] bool drain(Now now, std::size_t& budget) {
    while (budget > 0) {
      const std::size_t before = budget;
      drain_transmits(now, budget);
      drain_events(budget);
      drain_jobs(budget);
      drain_store(budget);
      if (budget == before) return true;
    }
    return false;
  }

  void drain_transmits(Now now, std::size_t& budget) {
    if constexpr (HasDatagrams<Machine>) {
      if (blocked_) return;
      poll_transmits(now, budget);
      if constexpr (FlushingSink<Sink>) {
        if (!blocked_ && !sink_.flush()) note_full();
      }
    }
  }
  void poll_transmits(Now now, std::size_t& budget) {
    if (kept_) {
      if (!offer(*kept_, kept_bytes_)) return;
      kept_.reset();
      kept_bytes_.clear();
    }
    for (std::size_t n = 0; n < kItemsPerKindAndPass && budget > 0; ++n) {
      const std::optional<Transmit> transmit = machine_.poll_transmit(now, buffer_);
      if (!transmit) return;
      CHECK(transmit->size > 0 && transmit->size <= buffer_.size());
      --budget;
      ++stats_.bursts;
      const ByteView bytes = ByteView{buffer_}.first(transmit->size);
      if (!offer(*transmit, bytes)) {
        kept_ = *transmit;
        kept_bytes_ = to_bytes(bytes);
        return;
      }
    }
  }
  [[nodiscard]] bool offer(const Transmit& transmit, ByteView bytes) {
    if (sink_.transmit(transmit, bytes)) return true;
    note_full();
    return false;
  }
  void note_full() {
    blocked_ = true;
    ++stats_.sink_full;
  }

  void drain_events(std::size_t& budget) {
    if constexpr (HasEvents<Machine>) {
      for (std::size_t n = 0; n < kItemsPerKindAndPass && budget > 0; ++n) {
        auto event = machine_.poll_event();
        if (!event) return;
        --budget;
        ++stats_.events;
        sink_.event(*std::move(event));
      }
    }
  }
  void drain_jobs(std::size_t& budget) {
    if constexpr (HasJobs<Machine>) {
      for (std::size_t n = 0; n < kItemsPerKindAndPass && budget > 0; ++n) {
        std::optional<Job> job = machine_.poll_job();
        if (!job) return;
        --budget;
        ++stats_.jobs;
        sink_.job(*std::move(job));
      }
    }
  }
  void drain_store(std::size_t& budget) {
    if constexpr (HasStore<Machine>) {
      for (std::size_t n = 0; n < kItemsPerKindAndPass && budget > 0; ++n) {
        std::optional<StoreOp> op = machine_.poll_store();
        if (!op) return;
        --budget;
        ++stats_.store_ops;
        sink_.store(*std::move(op));
      }
    }
  }

  Machine& machine_;
  Sink& sink_;
  MutByteView buffer_;
  PumpLimits limits_;
  PumpStats stats_;
  std::optional<Transmit> kept_;
  Bytes kept_bytes_;
  Instant last_now_;
  bool blocked_ = false;
  bool needs_drain_ = false;
  bool in_turn_ = false;
};

}  // namespace ethnet
