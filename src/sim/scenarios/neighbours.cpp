#include "neighbours.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "node_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr std::uint64_t kMostNodes = 10;
// From healing: the longest backoff to the boot node, and rounds of revalidation and refresh.
constexpr Duration kPublish = seconds(120);
constexpr std::size_t kDataBytes = 24 * 1024;
constexpr std::uint32_t kChunkBytes = 1024;
constexpr std::size_t kFoundPeers =
    3;  // that a node dials beyond the boot node, if there are so many

class Neighbours final : public NodeScenario {
 public:
  explicit Neighbours(PlantedBug bug) : NodeScenario{bug} {}

  void build(World& world, Chaos& chaos) override {
    Prng prng = world.split("neighbours");
    add_nodes(world, chaos, prng, at_most(3 + prng.below(kMostNodes - 2)));
    auto capability = session::Capability::parse(mini_sync::kCapability);
    CHECK(capability.has_value());
    for (HostId i = 0; i < plans_.size(); ++i) {
      Plan& plan = plans_[i];
      plan.offers = {*capability};
      plan.discovery = true;
      plan.das = i == 0 || prng.chance_ppm(750'000);
      plan.producer.period = milliseconds(prng.between(1'000, 3'000));
      const bool by_name = chaos.has(Fault::rebind) || prng.chance_ppm(250'000);
      if (i > 0) plan.dials.push_back({.to = 0, .by = by_name ? By::name : By::address});
    }
    plans_[prng.below(plans_.size())].producer.enabled = true;
  }

  void on_healed(World& world) override {
    NodeScenario::on_healed(world);
    world.after(kPublish, [this](World& w) {
      late_ = seal_last_block(w);
      publish(w);
      decided_ = true;
    });
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (auto wrong = missing_host(world)) return wrong;
    if (!decided_) return "nothing is published yet";
    if (late_) return late_;
    for (HostId i = 1; i < plans_.size(); ++i) {
      if (auto wrong = missing_session(world, i, 0)) return wrong;
    }
    for (HostId i = 0; i < plans_.size(); ++i) {
      if (auto wrong = missing_neighbour(world, i)) return wrong;
      if (auto wrong = missing_sample(world, i)) return wrong;
    }
    return missing_head(world);
  }

 private:
  void publish(World& world) {
    Bytes data(kDataBytes);
    Prng prng = world.split("data");
    for (std::byte& b : data) b = static_cast<std::byte>(prng.below(256));
    const Now now = world.now_at(0);
    world.input<SimNode>(0, [&](SimNode& m) {
      const auto run = m.node().publish(now, std::move(data), kChunkBytes);
      CHECK(run.has_value());
    });
  }

  // Everybody is known where it is reached, and enough became peers.
  [[nodiscard]] std::optional<std::string> missing_neighbour(const World& world, HostId host) {
    const node::Node& node = node_of(world, host);
    const kbucket::Table& table = node.discovery()->discovery().table();
    for (HostId other = 0; other < plans_.size(); ++other) {
      if (other == host) continue;
      const kbucket::TableEntry* const entry = table.find(plans_[other].id);
      if (entry == nullptr || !entry->relayable()) {
        return fmt::format("node {} does not know node {}: {}, {} failures, at {}", host, other,
                           entry == nullptr ? "absent" : "claimed or away",
                           entry == nullptr ? 0 : entry->failures,
                           entry == nullptr ? "" : entry->record->endpoint().to_string());
      }
    }
    const std::size_t others = plans_.size() - 1;
    const std::size_t wanted = std::min(others, kFoundPeers);
    if (node.sessions().peer_count() >= wanted) return std::nullopt;
    return fmt::format("node {} has {} peers of {}", host, node.sessions().peer_count(), wanted);
  }

  [[nodiscard]] std::optional<std::string> missing_sample(const World& world, HostId host) {
    if (host == 0 || !plans_[host].das) return std::nullopt;
    for (const das_lite::DataSetView& view : node_of(world, host).das()->data_sets()) {
      if (!view.verdict || !view.verdict->done) continue;
      if (view.verdict->received == view.verdict->requested) {
        watch().note("a data set was sampled in full");
        return std::nullopt;
      }
    }
    return fmt::format("node {} has not sampled what was published", host);
  }

  bool decided_ = false;
  std::optional<std::string> late_;
};

}  // namespace

ScenarioSpec make_neighbours_spec(PlantedBug bug) {
  return {.name = "neighbours",
          .description = "three to ten nodes that know one boot node find each other, and sample",
          .faults = kAllFaults,
          .safety = seconds(30),
          .liveness = seconds(300),
          .sometimes = {"a data set was sampled in full", "a node was found and dialled",
                        "a visit was made"},
          .make = [bug] { return std::make_unique<Neighbours>(bug); }};
}

}  // namespace ethnet::sim
