#include "chaos.hpp"

#include <array>
#include <string_view>

namespace ethnet::sim {
namespace {

constexpr std::array<std::string_view, 17> kFaultNames{
    "loss",      "burst-loss",  "duplicate",   "reorder", "corrupt", "slow-line",
    "far",       "partition",   "crash",       "pause",   "clocks",  "slow-jobs",
    "slow-disk", "disk-errors", "full-socket", "rebind",  "relink"};

}  // namespace

Chaos::Chaos(Prng prng, std::uint32_t allowed)
    : prng_{prng},
      enabled_{allowed & static_cast<std::uint32_t>(prng_.next())},
      gap_max_{milliseconds(prng_.between(200, 4'000))} {}

std::string Chaos::description() const {
  std::string text;
  std::uint32_t bit = 1;
  for (const std::string_view name : kFaultNames) {
    if ((enabled_ & bit) != 0) text.append(text.empty() ? "" : " ").append(name);
    bit <<= 1;
  }
  return text.empty() ? "none" : text;
}

LinkOptions Chaos::draw_link() {
  LinkOptions link;
  const auto ppm = [this](std::int64_t low, std::int64_t high) {
    return static_cast<std::uint64_t>(prng_.between(low, high));
  };
  link.latency = between(microseconds(50), milliseconds(20));
  link.jitter = between({}, milliseconds(5));
  if (has(Fault::far)) {
    link.latency = between(milliseconds(1), milliseconds(300));
    link.jitter = between({}, milliseconds(100));
    link.tail_ppm = ppm(0, 20'000);
    link.tail = milliseconds(1'000);
  }
  if (has(Fault::loss)) link.loss_ppm = ppm(0, 150'000);
  if (has(Fault::burst_loss)) {
    link.burst_begin_ppm = ppm(0, 20'000);
    link.burst_end_ppm = ppm(20'000, 500'000);
    link.burst_loss_ppm = ppm(500'000, 1'000'000);
  }
  if (has(Fault::duplicate)) link.duplicate_ppm = ppm(0, 100'000);
  if (has(Fault::reorder)) {
    link.reorder_ppm = ppm(0, 200'000);
    link.reorder_by = between(milliseconds(1), milliseconds(100));
  }
  if (has(Fault::corrupt)) link.corrupt_ppm = ppm(0, 20'000);
  if (has(Fault::slow_line)) {
    link.bits_per_second = ppm(500'000, 20'000'000);
    link.queue_bytes = static_cast<std::size_t>(prng_.between(8 * 1024, 256 * 1024));
  }
  return link;
}

HostOptions Chaos::draw_host() {
  HostOptions host;
  host.boot = between(seconds(1), seconds(100'000));
  host.batch_max = 1 + prng_.below(kMaxDatagramBatch);
  host.wake_max = between({}, microseconds(500));
  if (has(Fault::clocks)) {
    host.drift_ppm = prng_.between(-500, 500);
    host.wall_offset = between(seconds(-2), seconds(2));
  }
  if (has(Fault::full_socket)) {
    host.sink_full_ppm = static_cast<std::uint64_t>(prng_.between(0, 50'000));
  }
  if (has(Fault::slow_jobs)) host.slow_job_ppm = 50'000;
  if (has(Fault::slow_disk)) {  // slow enough for crashes to find writes in flight
    host.store.slow_ppm = static_cast<std::uint64_t>(prng_.between(20'000, 500'000));
    host.store.slow = between(milliseconds(50), seconds(2));
  }
  if (has(Fault::disk_errors)) host.store.eio_ppm = 2'000;
  return host;
}

void Chaos::begin(World& world) {
  active_ = true;
  for (HostId from = 0; from < world.host_count(); ++from) {
    for (HostId to = 0; to < world.host_count(); ++to) world.set_link(from, to, draw_link());
  }
  plan_next(world);
}

void Chaos::heal(World& world) {
  active_ = false;
  enabled_ = 0;
  world.mend();
  LinkOptions good;
  good.latency = milliseconds(10);
  good.jitter = milliseconds(2);
  world.set_all_links(good);
  for (HostId host = 0; host < world.host_count(); ++host) {
    world.unpause(host);
    world.set_host_options(host, HostOptions{});
    if (world.store(host).poisoned()) world.crash(host);
    if (!world.is_up(host)) world.start(host);
  }
}

void Chaos::plan_next(World& world) {
  world.after(between(milliseconds(1), gap_max_), [this](World& w) {
    if (!active_) return;
    restart_poisoned(w);
    disturb(w);
    plan_next(w);
  });
}

// A machine stops after an I/O error; what supervises the process starts it again.
void Chaos::restart_poisoned(World& world) {
  for (HostId host = 0; host < world.host_count(); ++host) {
    if (world.is_up(host) && world.store(host).poisoned()) crash_and_restart(world, host);
  }
}

void Chaos::disturb(World& world) {
  if (world.host_count() == 0) return;
  const HostId host = any_host(world);
  switch (prng_.below(8)) {
    case 0:
    case 1:
      if (has(Fault::partition)) cut_something(world);
      break;
    case 2:
      world.mend();
      break;
    case 3:
      if (has(Fault::crash)) crash_now_or_in_a_write(world, host);
      break;
    case 4:
      if (has(Fault::pause)) {
        world.pause(host);
        world.after(between(milliseconds(1), seconds(5)), [host](World& w) { w.unpause(host); });
      }
      break;
    case 5:
      if (has(Fault::clocks)) world.jump_wall(host, between(seconds(-10), seconds(10)));
      break;
    case 6:
      if (has(Fault::rebind)) world.rebind(host);
      break;
    default:
      if (has(Fault::relink)) {
        // Drawn one after the other: the order of arguments is the compiler's.
        const HostId to = any_host(world);
        world.set_link(host, to, draw_link());
      }
  }
}

void Chaos::crash_and_restart(World& world, HostId host) {
  world.crash(host);
  world.after(between(milliseconds(1), seconds(5)), [this, host](World& w) {
    if (active_ && !w.is_up(host)) w.start(host);
  });
}

// A crash is worst for a host that has a write in flight.
void Chaos::crash_now_or_in_a_write(World& world, HostId host) {
  if (prng_.chance_ppm(500'000)) return crash_and_restart(world, host);
  world.at_next_write(host, [this, host](World& w) {
    if (active_) crash_and_restart(w, host);
  });
}

void Chaos::cut_something(World& world) {
  switch (prng_.below(3)) {
    case 0: {
      std::vector<HostId> side;
      for (HostId host = 0; host < world.host_count(); ++host) {
        if (prng_.chance_ppm(500'000)) side.push_back(host);
      }
      world.partition(side);
      break;
    }
    case 1:
      world.isolate(any_host(world));
      break;
    default: {
      const HostId from = any_host(world);
      world.cut(from, any_host(world));
    }
  }
}

HostId Chaos::any_host(const World& world) {
  return static_cast<HostId>(prng_.below(world.host_count()));
}

Duration Chaos::between(Duration low, Duration high) {
  return nanoseconds(prng_.between(low.ns, high.ns));
}

}  // namespace ethnet::sim
