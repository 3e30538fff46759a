// World: virtual time, hosts with machines, the network between them, and every fault that can be
// done to them. One thread; integer arithmetic; everything follows from the seed. Events happen in
// the order (time, sequence); the trace hash names what happened.
//
// A host reads its socket in batches of drawn size (1..64), its sends may find the socket full, its
// jobs and store operations take virtual time, its clock drifts. A crash takes what was not synced.
// Where work has a price (cost.hpp), a host that is at work reads and hears later.
// Limits: kMaxHosts; kReceiveBuffer datagrams wait at a socket, the rest is dropped.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <base/prng.hpp>
#include <types/endpoint.hpp>

#include "clock.hpp"
#include "cost.hpp"
#include "host.hpp"
#include "link.hpp"
#include "seeded_secure_rng.hpp"
#include "sim_store.hpp"
#include "trace.hpp"
#include "virtual_os.hpp"

namespace ethnet::sim {

inline constexpr std::size_t kMaxHosts = 16'384;  // hosts of one world
inline constexpr std::size_t kReceiveBuffer = 1'024;

struct HostOptions {
  std::int64_t drift_ppm = 0;
  Duration boot = seconds(1'000);  // what the monotonic clock shows at world time 0
  Duration wall_offset{};
  std::size_t batch_max = kMaxDatagramBatch;  // batches are drawn from 1..batch_max
  Duration wake_max = microseconds(100);      // from the first datagram to the read
  std::uint64_t sink_full_ppm = 0;            // a send finds the socket full
  Duration job_latency = microseconds(100);
  Duration job_jitter = microseconds(400);
  std::uint64_t slow_job_ppm = 0;
  Duration slow_job = milliseconds(500);
  StoreOptions store{};
  Costs costs{};  // nothing costs anything
};

struct HostSpec {
  std::string name;
  Endpoint endpoint;
  HostFactory factory;
  HostOptions options;
};

// What happened, counted; the tests of the simulator assert that every fault really occurs.
struct WorldStats {
  std::uint64_t events = 0;  // of the queue, without the stale ones
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::array<std::uint64_t, kDropReasons> dropped{};
  std::uint64_t batches = 0;
  std::uint64_t batched_datagrams = 0;
  std::uint64_t sink_full = 0;
  std::uint64_t jobs = 0;
  std::uint64_t slow_jobs = 0;
  std::uint64_t crashes = 0;
  std::uint64_t restarts = 0;
  std::uint64_t pauses = 0;
  std::uint64_t wall_jumps = 0;
  std::uint64_t rebinds = 0;
  std::uint64_t cuts = 0;      // partitions, of either kind
  std::uint64_t deferred = 0;  // inputs that waited because their host was at work
  std::uint64_t lost_disks = 0;

  [[nodiscard]] std::uint64_t drops(DropReason reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
};

class World final : public VirtualOs {
 public:
  explicit World(std::uint64_t seed);
  ~World() override;

  // ---- building
  // 10.0.x.y:9001 by index is what HostSpec::endpoint is set to when its port is 0.
  HostId add_host(HostSpec spec);
  void set_default_link(const LinkOptions& options) { default_link_ = options; }
  void set_link(HostId from, HostId to, const LinkOptions& options);
  // One link for all that a host sends, whoever gets it: where each talks to thousands, a link a
  // pair would take more memory than the hosts. CHECK: there is no link yet.
  void share_links();
  // Every link, also those that do not exist yet.
  void set_all_links(const LinkOptions& options);
  // One more address at which the host is reached, and from which it answers there. No NAT is in
  // front of it. CHECK: nobody has it.
  void add_address(HostId host, const Endpoint& endpoint);
  // Every port of this address that nobody else has leads to the host, which answers from there:
  // one machine with as many identities as it has ports. CHECK: nobody has the address so.
  void add_all_ports(HostId host, const IpAddress& ip);
  void start(HostId host);  // with the records of its store; CHECK: it is down

  // ---- faults
  void crash(HostId host);  // nothing when it is down
  // The disk of a host that is down is an old copy of itself: of its operations the first
  // `kept_ppm` millionths are left, also of those that were acknowledged. CHECK: it is down.
  void lose_disk(HostId host, std::uint64_t kept_ppm);
  void pause(HostId host);
  void unpause(HostId host);
  void jump_wall(HostId host, Duration by);
  // A NAT forgets: what the host sends comes from a new port, and only there does it receive.
  void rebind(HostId host);
  void cut(HostId from, HostId to);                      // one way
  enum class Cut : std::uint8_t { both_ways, one_way };  // one way: what the side sends is lost
  void partition(const std::vector<HostId>& side, Cut way = Cut::both_ways);  // from all others
  void isolate(HostId host) { partition({host}); }
  void mend();                                                     // no cuts any more
  void set_host_options(HostId host, const HostOptions& options);  // clocks keep what they had

  // ---- running
  // Runs `action` after `delay`; it may do anything to the world but step it.
  void after(Duration delay, std::function<void(World&)> action);
  // Runs `action` once, while the next write of the host is in flight; never, if it crashes first.
  void at_next_write(HostId host, std::function<void(World&)> action);
  // A datagram that no host sent, on no link: it reaches the socket of `to` after `delay`. May be
  // empty. Nobody is reached at `source` unless a host happens to be.
  void forge(const Endpoint& source, HostId to, Bytes bytes, Duration delay);
  // An input from outside, for a machine of type M on `host`; nothing when it is down or paused. It
  // does not wait for a host that is at work, and what it costs is added to that work.
  template <class M, class F>
  void input(HostId host, F&& f) {
    auto* machine_host = dynamic_cast<MachineHost<M>*>(find_host(host));
    if (machine_host == nullptr || is_paused(host)) return;
    begin_turn(host);
    machine_host->input(now_at(host), std::forward<F>(f));
    end_turn(host);
  }
  // Takes the next event that is not stale, if it is due by `until`.
  [[nodiscard]] bool step(Instant until);
  // Steps until `until`, calling `each` after every event while it gives true.
  void run_until(Instant until, const std::function<bool()>& each = {});

  // ---- looking
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Now now_at(HostId host) const;
  [[nodiscard]] std::size_t host_count() const { return slots_.size(); }
  [[nodiscard]] bool is_up(HostId host) const;
  [[nodiscard]] bool is_paused(HostId host) const;
  [[nodiscard]] std::uint32_t incarnation(HostId host) const;
  [[nodiscard]] Endpoint endpoint(HostId host) const;  // where it is reached now
  [[nodiscard]] const SimStore& store(HostId host) const;
  // How long the host's CPU has been at work in all its lives, by HostOptions::costs.
  [[nodiscard]] Duration busy(HostId host) const;
  [[nodiscard]] LinkOptions link_options(HostId from, HostId to);
  // The host of the last event; checkers may look at it alone.
  [[nodiscard]] std::optional<HostId> touched() const { return touched_; }
  // nullptr when it is down or not of this type.
  template <class M>
  [[nodiscard]] const M* machine(HostId host) const {
    const auto* machine_host = dynamic_cast<const MachineHost<M>*>(find_host(host));
    return machine_host == nullptr ? nullptr : &machine_host->machine();
  }
  [[nodiscard]] const WorldStats& stats() const { return stats_; }
  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] const Trace& trace() const { return trace_; }
  // A stream of the seed for whoever builds or disturbs the world.
  [[nodiscard]] Prng split(std::string_view name) const { return seed_prng_.split(name); }

  // VirtualOs, for third-party code on this thread.
  void fill_random(MutByteView out) noexcept override { os_rng_.fill(out); }
  [[nodiscard]] Now clock() const noexcept override { return os_clock_.at(now_); }

 private:
  class Slot;
  struct Packet {
    HostId from = 0;
    Endpoint source;
    Endpoint inside;  // the destination as the receiving host knows it
    std::uint8_t ecn = 0;
    Bytes bytes;
  };
  struct Read {};
  struct Tick {
    Instant armed;
  };
  struct JobDone {
    JobResult result;
  };
  struct StoreDone {};
  struct GoOn {};
  struct Writable {};
  struct Action {
    std::function<void(World&)> run;
  };
  using What = std::variant<Packet, Read, Tick, JobDone, StoreDone, GoOn, Writable, Action>;
  struct Event {
    Instant at;
    std::uint64_t sequence = 0;
    HostId host = 0;
    std::uint32_t incarnation = 0;
    std::size_t what = 0;  // index into whats_: a heap moves its entries
  };
  struct Route {
    HostId host = 0;
    Endpoint inside;
  };

  void schedule(Instant at, HostId host, What what);
  [[nodiscard]] bool dispatch(const Event& event, What what);
  [[nodiscard]] bool deliver(HostId host, Packet packet);
  [[nodiscard]] bool read(Slot& slot);
  [[nodiscard]] bool tick(Slot& slot, Instant armed);
  void send(Slot& from, const Transmit& transmit, ByteView bytes);
  void drop(HostId from, HostId to, DropReason reason, ByteView bytes);
  [[nodiscard]] std::optional<Route> find_route(const Endpoint& to) const;
  void begin_turn(HostId host);
  void end_turn(HostId host);
  void schedule_read(Slot& slot);
  void record_fault(std::string_view what, HostId host, std::string_view detail = {});
  [[nodiscard]] Link& link(HostId from, HostId to);
  [[nodiscard]] Host* find_host(HostId host) const;
  [[nodiscard]] Slot& slot(HostId host) const;

  Prng seed_prng_;
  Instant now_;
  std::uint64_t next_sequence_ = 0;
  std::vector<Event> queue_;  // a binary heap, the earliest in front
  std::vector<What> whats_;   // of the queue
  std::vector<std::size_t> free_whats_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::vector<std::unique_ptr<Link>>> links_;  // by sender, by receiver; null: not yet
  std::map<std::pair<HostId, HostId>, bool> cuts_;
  std::map<Endpoint, Route> routes_;
  std::map<IpAddress, HostId> whole_addresses_;
  LinkOptions default_link_;
  bool shares_links_ = false;
  WorldStats stats_;
  Trace trace_;
  std::optional<HostId> touched_;
  Bytes scratch_;
  std::vector<Packet> reading_;  // by one host
  std::vector<Datagram> batch_;  // the same, as its machine sees them
  SeededSecureRng os_rng_;
  HostClock os_clock_;
};

}  // namespace ethnet::sim
