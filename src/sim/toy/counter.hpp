// CounterReplica: a replicated counter. Each replica counts up its own entry, writes it to the
// store and, once that is acknowledged, tells it to the others by gossip; entries merge by maximum.
// The smallest machine with a store, and the shape of the real rule: what is not durable is not
// told. CounterBug::tells_too_early breaks that rule; the simulator must find it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <base/prng.hpp>
#include <machine/concepts.hpp>
#include <machine/timer_table.hpp>

namespace ethnet::sim::toy {

struct CounterEvent {
  std::uint32_t replica = 0;
  std::uint64_t count = 0;  // what this replica now knows of it
};
[[nodiscard]] std::string describe(const CounterEvent& event);

enum class CounterBug : std::uint8_t { none, tells_too_early };

class CounterReplica {
 public:
  struct Config {
    std::uint32_t index = 0;
    Endpoint local;
    std::vector<Endpoint> replicas;  // all, in the order of their indices
    std::uint64_t target = 0;        // each counts up to here
    CounterBug bug = CounterBug::none;
  };
  CounterReplica(Now now, Config config, Prng prng, const std::vector<Bytes>& records);

  void handle_datagrams(Now now, std::span<const Datagram> in) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_store_done(Now now, const StoreResult& done) noexcept;
  // They may have moved; as many as before, in the same order.
  void set_replicas(std::vector<Endpoint> replicas);
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<CounterEvent> poll_event();
  [[nodiscard]] std::optional<StoreOp> poll_store();
  [[nodiscard]] Instant next_deadline() const { return timers_.next(); }

  // What this replica knows of each, itself included.
  [[nodiscard]] const std::vector<std::uint64_t>& known() const { return known_; }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  // After a failed write it does nothing more until it is restarted.
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  static constexpr TimerId kCount = 0;
  static constexpr TimerId kGossip = 1;

  void count_up(Now now);
  void gossip(Now now);
  void learn(std::uint32_t replica, std::uint64_t count);

  Config config_;
  Prng prng_;
  TimerTable timers_;
  std::vector<std::uint64_t> known_;
  std::uint64_t issued_ = 0;
  std::uint64_t acknowledged_ = 0;
  bool stopped_ = false;
  std::optional<StoreOp> new_op_;
  std::optional<Endpoint> gossip_to_;
  std::deque<CounterEvent> events_;
};

}  // namespace ethnet::sim::toy
