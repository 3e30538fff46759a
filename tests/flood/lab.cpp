#include "lab.hpp"

#include <algorithm>

namespace ethnet::testing {

using sim::HostId;

Percentiles percentiles(std::vector<Duration> samples, std::size_t unanswered) {
  samples.insert(samples.end(), unanswered, Duration{INT64_MAX});
  std::ranges::sort(samples);
  Percentiles out;
  out.samples = samples.size();
  out.unanswered = unanswered;
  if (samples.empty()) return out;
  // The least sample that no less than q percent do not exceed.
  const auto rank = [&](std::size_t q) { return samples[(samples.size() * q + 99) / 100 - 1]; };
  out.p50 = rank(50);
  out.p99 = rank(99);
  out.most = samples.back();
  return out;
}

std::string text(const Percentiles& p) {
  return fmt::format("{} round trips, {} unanswered, p50 {} us, p99 {} us, most {} us", p.samples,
                     p.unanswered, p.p50.ns / 1'000, p.p99.ns / 1'000, p.most.ns / 1'000);
}

Lab::Lab(std::uint64_t seed) : world{seed} {
  sim::LinkOptions link;
  link.latency = milliseconds(10);
  world.set_default_link(link);
}

HostId Lab::add(FloodPeerOptions options) {
  const auto number = static_cast<HostId>(world.host_count());
  sim::SeededSecureRng rng{world.split(fmt::format("key {}", number))};
  const auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng));
  sim::HostSpec spec;
  spec.options.costs = sim::measured_costs();
  spec.factory = [options, key](const sim::HostEnv& env) {
    return sim::make_machine_host<FloodPeer>(env, {}, env, options, key);
  };
  const HostId host = world.add_host(std::move(spec));
  world.start(host);
  return host;
}

void Lab::dial(HostId from, HostId to) {
  const Endpoint remote = world.endpoint(to);
  const Now now = world.now_at(from);
  world.input<FloodPeer>(from, [&](FloodPeer& peer) { peer.dial(now, remote); });
}

Percentiles Lab::asked_by(const std::vector<HostId>& hosts, Instant from, Instant to) const {
  std::vector<Duration> answered;
  std::size_t unanswered = 0;
  for (const HostId host : hosts) {
    const Duration ahead = world.now_at(host).mono - world.now();  // clocks do not drift here
    for (const RoundTrip& trip : peer(host).round_trips()) {
      if (trip.asked < from + ahead || trip.asked >= to + ahead) continue;
      if (trip.took) {
        answered.push_back(*trip.took);
      } else {
        ++unanswered;
      }
    }
  }
  return percentiles(std::move(answered), unanswered);
}

void in_lab(std::uint64_t seed, const std::function<void(Lab&)>& body) {
  std::thread{[&] {
    Lab lab{seed};
    const sim::VirtualOsScope scope{lab.world};
    body(lab);
  }}.join();
}

}  // namespace ethnet::testing
