// Lab: a world for floods. Hosts pay for their work by the measured prices (sim/cost.hpp), round
// trips are counted from all samples, and what the thread holds is metered.
//
// Each test runs on a thread of its own (in_lab), as GnuTLS demands of what is to repeat.
// ETHNET_FLOOD=full runs the counts that the attack rows name, instead of the share that every test
// run affords; a release build does that in minutes.
#pragma once

#include <cstdlib>
#include <functional>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sim/world.hpp>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "flood_peer.hpp"

namespace ethnet::testing {

[[nodiscard]] inline bool full_count() {
  const char* wish = std::getenv("ETHNET_FLOOD");
  return wish != nullptr && std::string_view{wish} == "full";
}
template <class T>
[[nodiscard]] T count(T share, T full) {
  return full_count() ? full : share;
}

// Of round trips; one that was never answered is the longest of all.
struct Percentiles {
  std::size_t samples = 0;
  std::size_t unanswered = 0;
  Duration p50;
  Duration p99;
  Duration most;
};
[[nodiscard]] Percentiles percentiles(std::vector<Duration> samples, std::size_t unanswered);
[[nodiscard]] std::string text(const Percentiles& percentiles);

class Lab {
 public:
  explicit Lab(std::uint64_t seed);

  sim::HostId add(FloodPeerOptions options);
  void dial(sim::HostId from, sim::HostId to);
  [[nodiscard]] const FloodPeer& peer(sim::HostId host) const {
    const FloodPeer* found = world.machine<FloodPeer>(host);
    CHECK(found != nullptr);
    return *found;
  }
  void run(Duration time, const std::function<bool()>& each = {}) {
    world.run_until(world.now() + time, each);
  }
  // What these hosts asked in world time [from, to).
  [[nodiscard]] Percentiles asked_by(const std::vector<sim::HostId>& hosts, Instant from,
                                     Instant to) const;

  sim::World world;
};

// `body` on a fresh thread with the lab's clocks and entropy.
void in_lab(std::uint64_t seed, const std::function<void(Lab&)>& body);

}  // namespace ethnet::testing
