#include "town.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "node_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr Duration kLookUpEvery = seconds(60);  // a busy node
constexpr Duration kPublishEvery = seconds(120);
constexpr Duration kMeet = seconds(5);  // until the first of all that
// Longer than a session's silence before it pings: acknowledgements ride on what travels anyhow.
// Nothing is lost here, so nothing waits for one.
constexpr Duration kAckDelay = seconds(20);
constexpr std::size_t kDataBytes = 24 * 1'024;
constexpr std::uint32_t kChunkBytes = 1'024;

class Town final : public NodeScenario {
 public:
  Town(HostId nodes, bool all_discover)
      : NodeScenario{PlantedBug::none}, nodes_{nodes}, all_discover_{all_discover} {}

  void build(World& world, Chaos& chaos) override {
    world.set_default_link({.latency = milliseconds(20), .jitter = milliseconds(60)});
    set_ack_delay(kAckDelay);
    prng_.emplace(world.split("town"));
    add_nodes(world, chaos, *prng_, at_most(nodes_));
    const auto count = static_cast<HostId>(plans_.size());
    auto capability = session::Capability::parse(mini_sync::kCapability);
    CHECK(capability.has_value());
    for (HostId i = 0; i < count; ++i) {
      plans_[i].offers = {*capability};
      plans_[i].discovery = all_discover_ || i % kTownBusyOf == 0;
      plans_[i].das = true;
      plans_[i].max_peers = std::max<std::size_t>(kTownPeers, 2);
    }
    draw_peers(count);
    world.after(kMeet, [this](World& w) { seal_on(w); });
    for (HostId i = 0; i < count; i += kTownBusyOf) {
      world.after(kMeet + draw_up_to(kLookUpEvery), [this, i](World& w) { look_up_on(w, i); });
      world.after(kMeet + draw_up_to(kPublishEvery), [this, i](World& w) { publish_on(w, i); });
    }
  }

  void on_healed(World& world) override {
    NodeScenario::on_healed(world);
    over_ = true;
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    for (HostId i = 0; i < plans_.size(); ++i) {
      const std::size_t peers = node_of(world, i).sessions().peer_count();
      const std::size_t wanted = std::min<std::size_t>(kTownPeers, plans_.size() - 1);
      if (peers != wanted) return fmt::format("node {} has {} peers of {}", i, peers, wanted);
    }
    return missing_head(world);
  }

 private:
  [[nodiscard]] Duration draw_up_to(Duration limit) {
    return nanoseconds(prng_->between(0, limit.ns));
  }

  // Everybody dials those at the same drawn distances around a circle, twelve and one that dials
  // back: 25 peers each, and nobody is far from anybody.
  void draw_peers(HostId count) {
    const auto half = static_cast<HostId>(count / 2);
    std::vector<HostId> distances{kTownBusyOf};  // so that the busy know each other
    for (HostId distance = 1; distance < half; ++distance) {
      if (distance != kTownBusyOf) distances.push_back(distance);
    }
    for (std::size_t i = 1; i < distances.size(); ++i) {
      std::swap(distances[i], distances[i + prng_->below(distances.size() - i)]);
    }
    distances.resize(std::min<std::size_t>(distances.size(), kTownPeers / 2));
    for (HostId i = 0; i < count; ++i) {
      for (const HostId distance : distances) {
        plans_[i].dials.push_back({.to = static_cast<HostId>((i + distance) % count)});
      }
      if (i < half) plans_[i].dials.push_back({.to = i + half});
    }
  }

  [[nodiscard]] HostId draw_busy() {
    const std::uint64_t busy = (plans_.size() + kTownBusyOf - 1) / kTownBusyOf;
    return static_cast<HostId>(prng_->below(busy) * kTownBusyOf);
  }

  void seal_on(World& world) {
    if (over_) return;
    seal_block(world, draw_busy(), "town");
    world.after(kTownBlockEvery, [this](World& w) { seal_on(w); });
  }

  void look_up_on(World& world, HostId host) {
    if (over_) return;
    NodeId target;
    for (std::byte& b : target.bytes) b = static_cast<std::byte>(prng_->below(256));
    const Now now = world.now_at(host);
    world.input<SimNode>(host, [&](SimNode& m) { (void)m.node().look_up(now, target); });
    world.after(kLookUpEvery, [this, host](World& w) { look_up_on(w, host); });
  }

  void publish_on(World& world, HostId host) {
    if (over_) return;
    Bytes data(kDataBytes);
    for (std::byte& b : data) b = static_cast<std::byte>(prng_->below(256));
    const Now now = world.now_at(host);
    world.input<SimNode>(host, [&](SimNode& m) {
      if (m.node().publish(now, std::move(data), kChunkBytes)) watch().note("data was published");
    });
    world.after(kPublishEvery, [this, host](World& w) { publish_on(w, host); });
  }

  HostId nodes_;
  bool all_discover_;
  std::optional<Prng> prng_;
  bool over_ = false;
};

ScenarioSpec make_spec(std::string_view name, std::string_view description, HostId nodes,
                       bool all_discover) {
  return {.name = name,
          .description = description,
          .faults = 0,
          .fidelity = Fidelity::mem,
          .chaos = false,
          .safety = seconds(600),
          .liveness = seconds(30),
          .sometimes = {"data was published"},
          .make = [=] { return std::make_unique<Town>(nodes, all_discover); }};
}

}  // namespace

ScenarioSpec make_town_spec() {
  return make_spec("town", "100 nodes with 25 peers each, a tenth of them busy (mem)", kTownNodes,
                   false);
}
ScenarioSpec make_city_spec() {
  return make_spec("city", "the same with 1,000 nodes, all with discovery (mem)", kCityNodes, true);
}

}  // namespace ethnet::sim
