#include "chaos.hpp"

#include <array>
#include <utility>

namespace ethnet::sim {
namespace {

constexpr std::array<std::string_view, kFaultKinds> kFaultNames{
    "loss",        "burst-loss", "duplicate", "reorder", "corrupt",   "slow-line", "far",
    "partition",   "crash",      "pause",     "clocks",  "slow-jobs", "slow-disk", "disk-errors",
    "full-socket", "rebind",     "relink",    "mtu",     "lost-disk"};
constexpr std::string_view kNoFaults = "none";

// Between two disturbances, at most; then one of the seed's own below it.
constexpr Duration kLongestGap = seconds(4);
// What QUIC needs of every path (RFC 9000, section 14), and Ethernet less the headers of IPv4.
constexpr std::int64_t kLeastMtu = 1'200;
constexpr std::int64_t kGreatestMtu = 1'472;
constexpr Duration kWallJump = seconds(10);  // as a time server corrects, either way
constexpr Duration kWallFall = seconds(3'600);

std::string_view describe(std::uint16_t code) {
  switch (static_cast<FaultsError>(code)) {
    case FaultsError::unknown_fault:
      return "no such fault";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"faults", describe};

Duration between(Prng& prng, Duration low, Duration high) {
  return nanoseconds(prng.between(low.ns, high.ns));
}

HostId any_host(const World& world, Prng& prng) {
  return static_cast<HostId>(prng.below(world.host_count()));
}

std::uint64_t ppm(Prng& prng, std::int64_t low, std::int64_t high) {
  return static_cast<std::uint64_t>(prng.between(low, high));
}

}  // namespace

const ErrorDomain& error_domain(FaultsError) { return kDomain; }

std::string faults_text(std::uint32_t faults) {
  std::string text;
  std::uint32_t bit = 1;
  for (const std::string_view name : kFaultNames) {
    if ((faults & bit) != 0) text.append(text.empty() ? "" : ",").append(name);
    bit <<= 1;
  }
  return text.empty() ? std::string{kNoFaults} : text;
}

Result<std::uint32_t> parse_faults(std::string_view text) {
  std::uint32_t faults = 0;
  if (text == kNoFaults) return faults;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    std::uint32_t bit = 1;
    for (const std::string_view name : kFaultNames) {
      if (name == word) break;
      bit <<= 1;
    }
    if (bit > kAllFaults) return fail(FaultsError::unknown_fault, at);
    faults |= bit;
    at = end + 1;
  }
  return faults;
}

Chaos::Chaos(Prng prng, std::uint32_t allowed)
    : prng_{prng},
      enabled_{allowed & static_cast<std::uint32_t>(prng_.next())},
      gap_max_{between(prng_, milliseconds(200), kLongestGap)} {}

LinkOptions Chaos::draw_link() { return draw_link(prng_); }

LinkOptions Chaos::draw_link(Prng& prng) const {
  LinkOptions drawn;
  drawn.loss_ppm = ppm(prng, 0, 300'000);
  drawn.burst_begin_ppm = ppm(prng, 0, 20'000);
  drawn.burst_end_ppm = ppm(prng, 20'000, 500'000);
  drawn.burst_loss_ppm = ppm(prng, 500'000, 1'000'000);
  drawn.duplicate_ppm = ppm(prng, 0, 100'000);
  drawn.reorder_ppm = ppm(prng, 0, 200'000);
  drawn.reorder_by = between(prng, milliseconds(1), milliseconds(100));
  drawn.corrupt_ppm = ppm(prng, 0, 20'000);
  drawn.bits_per_second = ppm(prng, 100'000, 20'000'000);
  drawn.queue_bytes = static_cast<std::size_t>(prng.between(8 * 1024, 256 * 1024));
  drawn.mtu_bytes = static_cast<std::size_t>(prng.between(kLeastMtu, kGreatestMtu));
  const Duration near = between(prng, microseconds(50), milliseconds(20));
  const Duration near_jitter = between(prng, {}, milliseconds(5));
  const Duration far = between(prng, milliseconds(1), milliseconds(300));
  const Duration far_jitter = between(prng, {}, milliseconds(100));
  const std::uint64_t tail_ppm = ppm(prng, 0, 20'000);

  LinkOptions link;
  link.latency = has(Fault::far) ? far : near;
  link.jitter = has(Fault::far) ? far_jitter : near_jitter;
  if (has(Fault::far)) {
    link.tail_ppm = tail_ppm;
    link.tail = milliseconds(1'000);
  }
  if (has(Fault::loss)) link.loss_ppm = drawn.loss_ppm;
  if (has(Fault::burst_loss)) {
    link.burst_begin_ppm = drawn.burst_begin_ppm;
    link.burst_end_ppm = drawn.burst_end_ppm;
    link.burst_loss_ppm = drawn.burst_loss_ppm;
  }
  if (has(Fault::duplicate)) link.duplicate_ppm = drawn.duplicate_ppm;
  if (has(Fault::reorder)) {
    link.reorder_ppm = drawn.reorder_ppm;
    link.reorder_by = drawn.reorder_by;
  }
  if (has(Fault::corrupt)) link.corrupt_ppm = drawn.corrupt_ppm;
  if (has(Fault::slow_line)) {
    link.bits_per_second = drawn.bits_per_second;
    link.queue_bytes = drawn.queue_bytes;
  }
  if (has(Fault::mtu)) link.mtu_bytes = drawn.mtu_bytes;
  return link;
}

HostOptions Chaos::draw_host() {
  HostOptions host;
  host.boot = between(prng_, seconds(1), seconds(100'000));
  host.batch_max = 1 + prng_.below(kMaxDatagramBatch);
  host.wake_max = between(prng_, {}, microseconds(500));
  const std::int64_t drift_ppm = prng_.between(-500, 500);
  const Duration wall_offset = between(prng_, seconds(-2), seconds(2));
  const std::uint64_t sink_full_ppm = ppm(prng_, 0, 50'000);
  const std::uint64_t slow_job_ppm = ppm(prng_, 0, 100'000);
  const Duration slow_job = between(prng_, milliseconds(10), seconds(3));
  const std::uint64_t slow_disk_ppm = ppm(prng_, 20'000, 500'000);
  const Duration slow_disk = between(prng_, milliseconds(50), seconds(2));
  const std::uint64_t eio_ppm = ppm(prng_, 0, 10'000);
  if (has(Fault::clocks)) {
    host.drift_ppm = drift_ppm;
    host.wall_offset = wall_offset;
  }
  if (has(Fault::full_socket)) host.sink_full_ppm = sink_full_ppm;
  if (has(Fault::slow_jobs)) {
    host.slow_job_ppm = slow_job_ppm;
    host.slow_job = slow_job;
  }
  if (has(Fault::slow_disk)) {  // slow enough for crashes to find writes in flight
    host.store.slow_ppm = slow_disk_ppm;
    host.store.slow = slow_disk;
  }
  if (has(Fault::disk_errors)) host.store.eio_ppm = eio_ppm;
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
  for (const auto& [host, sum] : jumped_) {
    if (sum > kWallJump || sum < nanoseconds(-kWallJump.ns)) {
      world.jump_wall(host, nanoseconds(-sum.ns));
    }
  }
  for (HostId host = 0; host < world.host_count(); ++host) {
    world.unpause(host);
    world.set_host_options(host, HostOptions{});
    if (world.store(host).poisoned()) world.crash(host);
    if (!world.is_up(host)) world.start(host);
  }
}

void Chaos::plan_next(World& world) {
  world.after(between(prng_, milliseconds(1), gap_max_), [this](World& w) {
    if (!active_) return;
    restart_poisoned(w);
    Prng prng{prng_.next()};  // so that what one disturbance draws does not move the next
    if (w.host_count() > 0) disturb(w, prng);
    plan_next(w);
  });
}

// A machine stops after an I/O error; what supervises the process starts it again.
void Chaos::restart_poisoned(World& world) {
  for (HostId host = 0; host < world.host_count(); ++host) {
    if (!world.is_up(host) || !world.store(host).poisoned()) continue;
    Prng prng{prng_.next()};
    crash_and_restart(world, prng, host);
  }
}

void Chaos::disturb(World& world, Prng& prng) {
  const HostId host = any_host(world, prng);
  switch (prng.below(9)) {
    case 0:
    case 1:
      if (has(Fault::partition)) cut_something(world, prng);
      break;
    case 2:
      world.mend();
      break;
    case 3:
      if (has(Fault::crash)) crash_now_or_in_a_write(world, prng, host);
      break;
    case 4:
      if (has(Fault::pause)) {
        world.pause(host);
        world.after(between(prng, milliseconds(1), seconds(5)),
                    [host](World& w) { w.unpause(host); });
      }
      break;
    case 5:
      if (has(Fault::clocks)) jump(world, prng, host);
      break;
    case 6:
      if (has(Fault::rebind)) world.rebind(host);
      break;
    case 7:
      if (has(Fault::mtu)) make_black_hole(world, prng, host);
      break;
    default:
      if (has(Fault::relink)) {
        const HostId to = any_host(world, prng);
        world.set_link(host, to, draw_link(prng));
      }
  }
}

// One time in four the disk is another one when the host comes back.
void Chaos::crash_and_restart(World& world, Prng& prng, HostId host) {
  world.crash(host);
  const bool loses = prng.chance_ppm(250'000);
  const std::uint64_t kept_ppm = prng.chance_ppm(500'000) ? 0 : prng.below(1'000'000);
  if (has(Fault::lost_disk) && loses) world.lose_disk(host, kept_ppm);
  world.after(between(prng, milliseconds(1), seconds(5)), [this, host](World& w) {
    if (active_ && !w.is_up(host)) w.start(host);
  });
}

// A crash is worst for a host that has a write in flight.
void Chaos::crash_now_or_in_a_write(World& world, Prng& prng, HostId host) {
  if (prng.chance_ppm(500'000)) return crash_and_restart(world, prng, host);
  world.at_next_write(host, [this, host, own = Prng{prng.next()}](World& w) {
    Prng draws = own;
    if (active_) crash_and_restart(w, draws, host);
  });
}

// One way: what the side says is not heard, yet it hears.
void Chaos::cut_something(World& world, Prng& prng) {
  std::vector<HostId> side;
  const std::uint64_t shape = prng.below(4);
  if (shape == 3) {
    const HostId from = any_host(world, prng);
    const HostId to = any_host(world, prng);
    return world.cut(from, to);
  }
  if (shape == 2) {
    side.push_back(any_host(world, prng));
  } else {
    for (HostId host = 0; host < world.host_count(); ++host) {
      if (prng.chance_ppm(500'000)) side.push_back(host);
    }
  }
  world.partition(side, prng.chance_ppm(300'000) ? World::Cut::one_way : World::Cut::both_ways);
}

void Chaos::jump(World& world, Prng& prng, HostId host) {
  const bool falls = prng.chance_ppm(150'000);
  const Duration small = between(prng, nanoseconds(-kWallJump.ns), kWallJump);
  const Duration fall = between(prng, nanoseconds(-kWallFall.ns), {});
  const Duration by = falls ? fall : small;
  jumped_[host] = jumped_[host] + by;
  world.jump_wall(host, by);
}

// Larger packets vanish on what one host sends, for a while.
void Chaos::make_black_hole(World& world, Prng& prng, HostId from) {
  const HostId to = any_host(world, prng);
  const LinkOptions before = world.link_options(from, to);
  LinkOptions hole = before;
  hole.mtu_bytes = static_cast<std::size_t>(prng.between(100, kLeastMtu - 1));
  world.set_link(from, to, hole);
  world.after(between(prng, milliseconds(100), seconds(10)), [this, from, to, before](World& w) {
    if (active_) w.set_link(from, to, before);
  });
}

}  // namespace ethnet::sim
