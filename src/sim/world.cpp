#include "world.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <fmt/format.h>

#include "trace_log.hpp"

namespace ethnet::sim {
namespace {

// The heap's front is the earliest event.
constexpr auto kLater = [](const auto& a, const auto& b) {
  return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
};

Endpoint default_endpoint(HostId host) {
  const auto high = static_cast<std::byte>(host >> 8);
  const auto low = static_cast<std::byte>(host & 0xff);
  return {IpAddress::v4({std::byte{10}, std::byte{1}, high, low}), 9001};
}

}  // namespace

// One host: its machine while it is up, and everything that outlives the machine.
class World::Slot final : public Outputs {
 public:
  Slot(World& world, HostId index, HostSpec described, Prng own)
      : world_{world},
        id{index},
        spec{std::move(described)},
        prng{own},
        clock{spec.options.drift_ppm, spec.options.boot, spec.options.wall_offset},
        store_device{spec.options.store, own.split("store")},
        log{world.trace_, world.now_, index},
        public_endpoint{spec.endpoint} {}

  [[nodiscard]] Now now() const override { return clock.at(world_.now_); }
  bool transmit(const Transmit& transmit, ByteView bytes) override {
    if (prng.chance_ppm(spec.options.sink_full_ppm)) {
      ++world_.stats_.sink_full;
      return false;
    }
    const std::size_t segment = std::max<std::size_t>(transmit.segment_size, 1);
    charge(costs().datagram_sent, (bytes.size() + segment - 1) / segment);
    world_.send(*this, transmit, bytes);
    return true;
  }
  void event(std::string text) override { world_.trace_.record(world_.now_, "event", id, text); }
  void job(Job job) override {
    ++world_.stats_.jobs;
    Duration takes = spec.options.job_latency + draw_up_to(spec.options.job_jitter);
    if (prng.chance_ppm(spec.options.slow_job_ppm)) {
      ++world_.stats_.slow_jobs;
      takes = takes + draw_up_to(spec.options.slow_job);
    }
    world_.trace_.record(world_.now_, "job", id, job.name);
    JobResult result{.id = job.id, .output = job.work ? job.work() : Bytes{}};
    charge();
    worker_free = std::max(worker_free, cpu_time()) + costs().job;
    world_.schedule(worker_free + takes, id, JobDone{std::move(result)});
  }
  void store(StoreOp op) override {
    world_.trace_.record(world_.now_, "store", id, fmt::format("{} records", op.records.size()));
    charge(costs().store_op, 1);
    const Instant done = store_device.begin(cpu_time(), std::move(op));
    world_.schedule(done, id, StoreDone{});
    if (!in_next_write) return;
    const Duration most = done - world_.now_ - nanoseconds(1);
    world_.after(draw_up_to(most), std::exchange(in_next_write, {}));
  }
  [[nodiscard]] Duration draw_up_to(Duration limit) {
    return nanoseconds(prng.between(0, limit.ns));
  }

  [[nodiscard]] const Costs& costs() const { return spec.options.costs; }
  // What the machine did since it was last asked, and `n` times `price`, is work of the CPU.
  void charge(Duration price = {}, std::size_t n = 0) {
    if (!costs().any() || !host) return;
    const Work before = std::exchange(work_charged, host->work());
    const Duration takes = costs().of(before, work_charged) + price * static_cast<std::int64_t>(n);
    busy = busy + takes;
    cpu_free = cpu_time() + takes;
  }
  // When the CPU can do what is asked of it now.
  [[nodiscard]] Instant cpu_time() const { return std::max(cpu_free, world_.now_); }

 private:
  World& world_;

 public:
  const HostId id;
  HostSpec spec;
  Prng prng;
  HostClock clock;
  SimStore store_device;
  TraceLog log;
  Endpoint public_endpoint;
  std::vector<Endpoint> more_addresses;
  std::optional<IpAddress> whole_address;
  std::uint32_t incarnation = 0;
  std::uint32_t rebinds = 0;
  bool paused = false;
  bool read_scheduled = false;
  bool writable_scheduled = false;
  Instant armed = Instant::never();  // world time of the Tick that is queued
  std::deque<Packet> received;
  Instant cpu_free;     // in world time, as the next
  Instant worker_free;  // jobs are done one after the other
  Work work_charged;    // of this incarnation
  Duration busy;        // of all
  std::function<void(World&)> in_next_write;
  std::vector<What> deferred;  // what came while it was paused
  std::unique_ptr<SeededSecureRng> rng;
  std::unique_ptr<Host> host;  // after rng, which its machine uses
};

World::World(std::uint64_t seed)
    : seed_prng_{seed},
      scratch_(kTransmitBufferBytes),
      os_rng_{seed_prng_.split("os entropy")},
      os_clock_{0, seconds(1'000), {}} {}

World::~World() = default;

// ---- building

HostId World::add_host(HostSpec spec) {
  CHECK(slots_.size() < kMaxHosts);
  CHECK(spec.factory != nullptr);
  const auto id = static_cast<HostId>(slots_.size());
  if (spec.endpoint.port == 0) spec.endpoint = default_endpoint(id);
  if (spec.name.empty()) spec.name = fmt::format("host{}", id);
  const bool endpoint_is_free = routes_.emplace(spec.endpoint, Route{id, spec.endpoint}).second;
  CHECK(endpoint_is_free);
  const Prng prng = seed_prng_.split(fmt::format("host {}", id));
  slots_.push_back(std::make_unique<Slot>(*this, id, std::move(spec), prng));
  return id;
}

void World::set_link(HostId from, HostId to, const LinkOptions& options) {
  link(from, to).set_options(options);
}

void World::share_links() {
  CHECK(links_.empty());
  shares_links_ = true;
}

void World::set_all_links(const LinkOptions& options) {
  default_link_ = options;
  for (const auto& from : links_) {
    for (const auto& link : from) {
      if (link) link->set_options(options);
    }
  }
}

void World::add_address(HostId host, const Endpoint& endpoint) {
  const bool endpoint_is_free = routes_.emplace(endpoint, Route{host, endpoint}).second;
  CHECK(endpoint_is_free);
  slot(host).more_addresses.push_back(endpoint);
}

void World::add_all_ports(HostId host, const IpAddress& ip) {
  const bool address_is_free = whole_addresses_.emplace(ip, host).second;
  CHECK(address_is_free);
  slot(host).whole_address = ip;
}

void World::start(HostId host) {
  Slot& s = slot(host);
  CHECK(!s.host);
  if (s.incarnation > 0) ++stats_.restarts;
  record_fault("start", host);
  const Prng prng = s.prng.split(fmt::format("incarnation {}", s.incarnation));
  s.rng = std::make_unique<SeededSecureRng>(prng.split("secure"));
  const HostEnv env{.index = host,
                    .incarnation = s.incarnation,
                    .now = s.now(),
                    .local = s.spec.endpoint,
                    .prng = prng.split("machine"),
                    .rng = *s.rng,
                    .log = s.log,
                    .records = s.store_device.records(),
                    .outputs = s,
                    .scratch = scratch_};
  s.host = s.spec.factory(env);
  CHECK(s.host != nullptr);
  begin_turn(host);
  s.host->resume(s.now());
  end_turn(host);
}

// ---- faults

void World::crash(HostId host) {
  Slot& s = slot(host);
  if (!s.host) return;
  ++stats_.crashes;
  record_fault("crash", host);
  s.host.reset();
  s.rng.reset();
  ++s.incarnation;
  s.store_device.crash();
  s.received.clear();
  s.deferred.clear();
  s.in_next_write = {};
  s.paused = s.read_scheduled = s.writable_scheduled = false;
  s.armed = Instant::never();
  s.cpu_free = s.worker_free = now_;
  s.work_charged = {};
  touched_ = host;
}

void World::lose_disk(HostId host, std::uint64_t kept_ppm) {
  Slot& s = slot(host);
  CHECK(!s.host);
  ++stats_.lost_disks;
  s.store_device.lose(kept_ppm);
  record_fault("lost disk", host, fmt::format("{} left", s.store_device.durable_operations()));
}

void World::pause(HostId host) {
  Slot& s = slot(host);
  if (!s.host || s.paused) return;
  ++stats_.pauses;
  record_fault("pause", host);
  s.paused = true;
}

void World::unpause(HostId host) {
  Slot& s = slot(host);
  if (!s.paused) return;
  record_fault("unpause", host);
  s.paused = false;
  for (What& what : std::exchange(s.deferred, {})) schedule(now_, host, std::move(what));
  schedule_read(s);
  end_turn(host);  // arms what did not fire
}

void World::jump_wall(HostId host, Duration by) {
  ++stats_.wall_jumps;
  record_fault("wall jump", host, fmt::format("{} ns", by.ns));
  slot(host).clock.jump_wall(by);
}

void World::rebind(HostId host) {
  Slot& s = slot(host);
  ++stats_.rebinds;
  ++s.rebinds;
  routes_.erase(s.public_endpoint);
  // Ports from 20000 belong to the NAT; one host has at most one at a time.
  s.public_endpoint.port = static_cast<std::uint16_t>(20'000 + s.rebinds % 40'000);
  routes_[s.public_endpoint] = Route{host, s.spec.endpoint};
  record_fault("rebind", host, s.public_endpoint.to_string());
}

void World::cut(HostId from, HostId to) {
  ++stats_.cuts;
  record_fault("cut", from, fmt::format("-> {}", to));
  cuts_[{from, to}] = true;
}

void World::partition(const std::vector<HostId>& side, Cut way) {
  ++stats_.cuts;
  for (const HostId inside : side) {
    record_fault("partition", inside, way == Cut::one_way ? "one way" : "");
    for (HostId other = 0; other < slots_.size(); ++other) {
      if (std::ranges::find(side, other) != side.end()) continue;
      cuts_[{inside, other}] = true;
      if (way == Cut::both_ways) cuts_[{other, inside}] = true;
    }
  }
}

void World::mend() {
  if (cuts_.empty()) return;
  trace_.record(now_, "mend", 0, {});
  cuts_.clear();
}

void World::set_host_options(HostId host, const HostOptions& options) {
  Slot& s = slot(host);
  s.spec.options = options;
  if (s.host) s.work_charged = s.host->work();  // what came before has another price, or none
  s.store_device.set_options(options.store);
}

// ---- running

void World::after(Duration delay, std::function<void(World&)> action) {
  schedule(now_ + delay, 0, Action{std::move(action)});
}

void World::forge(const Endpoint& source, HostId to, Bytes bytes, Duration delay) {
  schedule(now_ + delay, to, Packet{to, source, slot(to).spec.endpoint, 0, std::move(bytes)});
}

void World::at_next_write(HostId host, std::function<void(World&)> action) {
  slot(host).in_next_write = std::move(action);
}

void World::schedule(Instant at, HostId host, What what) {
  const std::uint32_t incarnation = host < slots_.size() ? slots_[host]->incarnation : 0;
  std::size_t place = whats_.size();
  if (free_whats_.empty()) {
    whats_.push_back(std::move(what));
  } else {
    place = free_whats_.back();
    free_whats_.pop_back();
    whats_[place] = std::move(what);
  }
  queue_.push_back(Event{at, next_sequence_++, host, incarnation, place});
  std::ranges::push_heap(queue_, kLater);
}

bool World::step(Instant until) {
  while (!queue_.empty() && queue_.front().at <= until) {
    std::ranges::pop_heap(queue_, kLater);
    const Event event = queue_.back();
    queue_.pop_back();
    now_ = event.at;
    free_whats_.push_back(event.what);
    if (!dispatch(event, std::move(whats_[event.what]))) continue;
    ++stats_.events;
    return true;
  }
  return false;
}

void World::run_until(Instant until, const std::function<bool()>& each) {
  while (step(until)) {
    if (each && !each()) return;
  }
  now_ = std::max(now_, until);
}

// False: stale, nothing happened.
bool World::dispatch(const Event& event, What what) {
  touched_.reset();
  if (auto* action = std::get_if<Action>(&what)) {
    action->run(*this);
    return true;
  }
  if (auto* packet = std::get_if<Packet>(&what)) {
    return deliver(event.host, std::move(*packet));
  }
  Slot& s = slot(event.host);
  if (!s.host || event.incarnation != s.incarnation) return false;
  if (s.cpu_free > now_ && !s.paused) {
    ++stats_.deferred;
    schedule(s.cpu_free, s.id, std::move(what));
    return false;
  }
  if (std::holds_alternative<Read>(what)) return read(s);
  if (const auto* due = std::get_if<Tick>(&what)) return tick(s, due->armed);
  if (s.paused) {
    s.deferred.push_back(std::move(what));
    return false;
  }
  begin_turn(s.id);
  if (const auto* job = std::get_if<JobDone>(&what)) {
    s.host->handle_job_done(s.now(), job->result);
  } else if (std::holds_alternative<StoreDone>(what)) {
    const StoreResult done = s.store_device.finish();
    trace_.record(now_, done.ok ? "stored" : "store error", s.id, {});
    s.host->handle_store_done(s.now(), done);
  } else if (std::holds_alternative<Writable>(what)) {
    s.writable_scheduled = false;
    s.host->handle_writable(s.now());
  } else {
    s.host->resume(s.now());
  }
  end_turn(s.id);
  return true;
}

bool World::deliver(HostId host, Packet packet) {
  Slot& s = slot(host);
  if (!s.host || s.received.size() >= kReceiveBuffer) {
    const auto reason = s.host ? DropReason::receive_buffer : DropReason::host_down;
    drop(packet.from, host, reason, packet.bytes);
    return true;
  }
  s.received.push_back(std::move(packet));
  schedule_read(s);
  return true;
}

// The moment from the first datagram to the read is when batches form.
void World::schedule_read(Slot& s) {
  if (s.read_scheduled || s.paused || s.received.empty()) return;
  s.read_scheduled = true;
  schedule(now_ + s.draw_up_to(s.spec.options.wake_max), s.id, Read{});
}

bool World::read(Slot& s) {
  s.read_scheduled = false;
  if (s.paused || s.received.empty()) return false;
  const std::size_t limit = 1 + s.prng.below(s.spec.options.batch_max);
  const std::size_t count = std::min(limit, s.received.size());
  reading_.clear();
  batch_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    reading_.push_back(std::move(s.received.front()));
    s.received.pop_front();
    const Packet& packet = reading_.back();
    trace_.record_datagram(now_, "delivered", packet.from, s.id, packet.bytes);
    batch_.push_back({packet.inside, packet.source, packet.ecn, packet.bytes});
  }
  stats_.delivered += count;
  ++stats_.batches;
  stats_.batched_datagrams += count;
  begin_turn(s.id);
  s.charge(s.costs().datagram_received, count);
  s.host->handle_datagrams(s.now(), batch_);
  schedule_read(s);
  end_turn(s.id);
  return true;
}

bool World::tick(Slot& s, Instant armed) {
  if (s.armed != armed) return false;  // moved to an earlier time since
  s.armed = Instant::never();
  if (s.paused) return false;
  const Instant deadline = s.host->next_deadline();
  if (deadline > s.now().mono) {  // moved to a later time since
    end_turn(s.id);
    return false;
  }
  begin_turn(s.id);
  s.host->handle_deadline(s.now());
  end_turn(s.id);
  return true;
}

void World::begin_turn(HostId host) { touched_ = host; }

void World::end_turn(HostId host) {
  Slot& s = slot(host);
  s.charge();
  if (s.host->waits_for_writable() && !s.writable_scheduled) {
    s.writable_scheduled = true;
    schedule(now_ + microseconds(1) + s.draw_up_to(milliseconds(2)), host, Writable{});
  }
  if (s.host->needs_drain()) schedule(now_ + s.draw_up_to(microseconds(20)), host, GoOn{});
  const Instant deadline = s.host->next_deadline();
  if (deadline.is_never()) return;
  const Instant at = std::max(now_, s.clock.when(deadline));
  if (at >= s.armed) return;  // the Tick that is queued comes first and arms anew
  s.armed = at;
  schedule(at, host, Tick{at});
}

// ---- the network

void World::send(Slot& from, const Transmit& transmit, ByteView bytes) {
  const auto& more = from.more_addresses;
  const bool not_the_first = from.whole_address == transmit.local.ip ||
                             std::ranges::find(more, transmit.local) != more.end();
  const Endpoint source = not_the_first ? transmit.local : from.public_endpoint;
  while (!bytes.empty()) {
    const ByteView datagram = bytes.first(std::min(transmit.segment_size, bytes.size()));
    bytes = bytes.subspan(datagram.size());
    ++stats_.sent;
    const auto route = find_route(transmit.remote);
    if (!route) {
      drop(from.id, from.id, DropReason::no_route, datagram);
      continue;
    }
    const HostId to = route->host;
    if (!cuts_.empty() && cuts_.contains({from.id, to})) {
      drop(from.id, to, DropReason::partition, datagram);
      continue;
    }
    const Link::Fate fate = link(from.id, to).send(from.cpu_time(), datagram.size());
    if (fate.dropped) {
      drop(from.id, to, *fate.dropped, datagram);
      continue;
    }
    trace_.record_datagram(now_, "sent", from.id, to, datagram);
    if (fate.count > 1) ++stats_.duplicated;
    if (fate.reordered) ++stats_.reordered;
    for (std::size_t i = 0; i < fate.count; ++i) {
      Packet packet{from.id, source, route->inside, transmit.ecn, to_bytes(datagram)};
      if (fate.copies[i].corrupt) {
        ++stats_.corrupted;
        packet.bytes[from.prng.below(packet.bytes.size())] ^=
            std::byte{1} << static_cast<int>(from.prng.below(8));
      }
      schedule(fate.copies[i].arrival, to, std::move(packet));
    }
  }
}

std::optional<World::Route> World::find_route(const Endpoint& to) const {
  if (const auto it = routes_.find(to); it != routes_.end()) return it->second;
  const auto whole = whole_addresses_.find(to.ip);
  if (whole == whole_addresses_.end()) return std::nullopt;
  return Route{whole->second, to};
}

void World::drop(HostId from, HostId to, DropReason reason, ByteView bytes) {
  ++stats_.dropped[static_cast<std::size_t>(reason)];
  trace_.record_datagram(now_, to_string(reason), from, to, bytes);
}

LinkOptions World::link_options(HostId from, HostId to) { return link(from, to).options(); }

Link& World::link(HostId from, HostId to) {
  if (shares_links_) to = 0;
  if (links_.size() <= from) links_.resize(from + std::size_t{1});
  std::vector<std::unique_ptr<Link>>& of_sender = links_[from];
  if (of_sender.size() <= to) of_sender.resize(to + std::size_t{1});
  std::unique_ptr<Link>& link = of_sender[to];
  if (link == nullptr) {
    const Prng prng = seed_prng_.split(fmt::format("link {} {}", from, to));
    link = std::make_unique<Link>(default_link_, prng);
  }
  return *link;
}

// ---- looking

void World::record_fault(std::string_view what, HostId host, std::string_view detail) {
  trace_.record(now_, what, host, detail);
}

Now World::now_at(HostId host) const { return slot(host).now(); }
bool World::is_up(HostId host) const { return slot(host).host != nullptr; }
bool World::is_paused(HostId host) const { return slot(host).paused; }
std::uint32_t World::incarnation(HostId host) const { return slot(host).incarnation; }
Endpoint World::endpoint(HostId host) const { return slot(host).public_endpoint; }
const SimStore& World::store(HostId host) const { return slot(host).store_device; }
Duration World::busy(HostId host) const { return slot(host).busy; }
Host* World::find_host(HostId host) const { return slot(host).host.get(); }

World::Slot& World::slot(HostId host) const {
  CHECK(host < slots_.size());
  return *slots_[host];
}

}  // namespace ethnet::sim
