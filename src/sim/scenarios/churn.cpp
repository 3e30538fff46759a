#include "churn.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "node_scenario.hpp"

namespace ethnet::sim {
namespace {

constexpr std::size_t kMaxPeers = 25;
constexpr std::size_t kFound = 16;  // Kademlia's k
constexpr Duration kBlockEvery = seconds(12);
constexpr std::uint64_t kLeavePercent = 20;
constexpr std::size_t kAtOnce = 20;  // look-ups, each by another node
constexpr Duration kLookupRound = seconds(2);
constexpr Duration kLookupPatience = seconds(120);
constexpr std::string_view kRight = "a look-up found the nearest of all";
constexpr std::string_view kWrong = "a look-up missed one of the nearest";

class Churn final : public NodeScenario {
 public:
  explicit Churn(PlantedBug bug) : NodeScenario{bug} {}

  void build(World& world, Chaos& chaos) override {
    world.set_default_link({.latency = milliseconds(10), .jitter = milliseconds(90)});
    world_ = &world;
    prng_.emplace(world.split("churn"));
    count_ = at_most(kChurnNodes);
    leaving_ = static_cast<HostId>(count_ * kLeavePercent / 100);
    add_nodes(world, chaos, *prng_, count_ + leaving_);
    auto capability = session::Capability::parse(mini_sync::kCapability);
    CHECK(capability.has_value());
    for (HostId i = 0; i < plans_.size(); ++i) {
      plans_[i].offers = {*capability};
      plans_[i].discovery = true;
      plans_[i].max_peers = kMaxPeers;
      if (i > 0) plans_[i].dials.push_back({.to = 0});
      if (i < count_) alive_.insert(i);
    }
    const Duration gap = kChurnPhase / std::max<std::int64_t>(1, leaving_);
    for (HostId i = 0; i < leaving_; ++i) {
      world.after(gap * i + gap / 2, [this, i](World& w) { replace_one(w, count_ + i); });
    }
    for (Duration at = kBlockEvery; at < kChurnPhase; at = at + kBlockEvery) {
      world.after(at, [this](World& w) { seal(w); });
    }
    world.after(kChurnPhase / 2, [this](World& w) { cut_in_two(w); });
    world.after(kChurnPhase / 2 + seconds(60), [](World& w) { w.mend(); });
  }

  [[nodiscard]] bool starts_later(HostId host) const override { return host >= count_; }

  void on_healed(World& world) override {
    NodeScenario::on_healed(world);
    seal_block(world, highest(world), "the last block");
    look_some_up(world);
  }

  [[nodiscard]] std::optional<std::string> missing(const World& world) override {
    if (auto wrong = missing_choice(world)) return wrong;
    const std::uint64_t right = reached().count(kRight);
    const std::uint64_t wrong = reached().count(kWrong);
    if (right + wrong < count_) {
      return fmt::format("{} of {} look-ups have ended", right + wrong, count_);
    }
    if (right * 100 < (right + wrong) * kLookupsRightPercent) {
      return fmt::format("{} of {} look-ups found the nearest of all; first failure: {}", right,
                         right + wrong, first_wrong_);
    }
    return std::nullopt;
  }

 private:
  // Each in a /24 of its own.
  [[nodiscard]] std::optional<Endpoint> address_of(HostId host) const override {
    const auto high = static_cast<std::byte>(host / 200);
    const auto low = static_cast<std::byte>(host % 200);
    return Endpoint{IpAddress::v4({std::byte{60}, high, low, std::byte{1}}), 9001};
  }

  [[nodiscard]] HostId draw(const std::vector<HostId>& from) {
    return from[prng_->below(from.size())];
  }
  [[nodiscard]] std::vector<HostId> alive() const { return {alive_.begin(), alive_.end()}; }

  void replace_one(World& world, HostId newcomer) {
    std::vector<HostId> others = alive();
    std::erase(others, HostId{0});  // newcomers have to find somebody
    const HostId gone = draw(others);
    world.crash(gone);
    alive_.erase(gone);
    world.start(newcomer);
    alive_.insert(newcomer);
  }

  void cut_in_two(World& world) {
    for (const HostId host : alive_) {
      if (host % 2 == 1) one_side_.push_back(host);
    }
    world.partition(one_side_);
  }

  // By somebody on each side, at the same time.
  void seal(World& world) {
    std::vector<HostId> odd;
    std::vector<HostId> even;
    for (const HostId host : alive_) (host % 2 == 1 ? odd : even).push_back(host);
    seal_block(world, draw(even), "even");
    if (!one_side_.empty() && prng_->chance_ppm(500'000)) seal_block(world, draw(odd), "odd");
  }

  [[nodiscard]] HostId highest(const World& world) const {
    return *std::ranges::max_element(
        alive_, {}, [&](HostId host) { return node_of(world, host).chain().head().number; });
  }

  // The longest chain is the rule: of all blocks that anybody has, the one highest.
  [[nodiscard]] std::optional<std::string> missing_choice(const World& world) const {
    std::map<std::uint64_t, std::set<Hash32>> blocks;
    for (const HostId host : alive_) {
      const chain::HeaderTree& tree = node_of(world, host).chain().tree();
      for (chain::NodeIndex at = 0; at < tree.size(); ++at) {
        blocks[tree.node(at).number].insert(tree.node(at).hash);
      }
    }
    const auto& [number, hashes] = *blocks.rbegin();
    if (hashes.size() != 1) return fmt::format("{} blocks have height {}", hashes.size(), number);
    for (const HostId host : alive_) {
      const chain::BlockRef head = node_of(world, host).chain().head();
      if (head.hash == *hashes.begin()) continue;
      return fmt::format("node {} has head {}, the rule's choice of all is {}", host, head.number,
                         number);
    }
    return std::nullopt;
  }

  // ---- look-ups

  struct Try {
    NodeId target;
    Instant since;
  };

  // Begins some, gives up those that do not end, and comes again while there are more to make.
  void look_some_up(World& world) {
    std::erase_if(tries_, [&](const auto& entry) {
      if (world.now() - entry.second.since < kLookupPatience) return false;
      judge(false, "it did not end");
      return true;
    });
    const std::vector<HostId> nodes = alive();
    while (tries_.size() < kAtOnce && begun_ < count_) {
      const HostId host = draw(nodes);
      NodeId target;
      for (std::byte& b : target.bytes) b = static_cast<std::byte>(prng_->below(256));
      const Now now = world.now_at(host);
      std::uint64_t id = 0;
      world.input<SimNode>(host, [&](SimNode& m) { id = m.node().look_up(now, target); });
      if (id == 0) break;  // it is at two already: later
      tries_.emplace(std::pair{host, id}, Try{target, world.now()});
      ++begun_;
    }
    if (begun_ < count_ || !tries_.empty()) {
      world.after(kLookupRound, [this](World& w) { look_some_up(w); });
    }
  }

  void on_looked_up(HostId host, const discv_lite::LookupDone& done) override {
    const auto it = tries_.find({host, done.lookup});
    if (it == tries_.end()) return;  // of its own
    std::vector<NodeId> found;
    for (const auto& record : done.nearest) found.push_back(record->id());
    if (bug() == PlantedBug::short_lookups && !found.empty()) found.erase(found.begin());
    const std::vector<NodeId> nearest = nearest_of_all(it->second.target, host);
    const auto at = std::ranges::mismatch(found, nearest).in2;
    const bool right = found == nearest;
    judge(right, right ? "" : describe_miss(host, found.size(), at - nearest.begin()));
    tries_.erase(it);
  }
  [[nodiscard]] static std::string describe_miss(HostId host, std::size_t found,
                                                 std::ptrdiff_t at) {
    return fmt::format("node {} found {} nodes and not the nearest but {}", host, found, at);
  }

  [[nodiscard]] std::vector<NodeId> nearest_of_all(const NodeId& target, HostId self) const {
    const auto distance = [&](const NodeId& id) {
      NodeId out;
      for (std::size_t i = 0; i < out.bytes.size(); ++i)
        out.bytes[i] = id.bytes[i] ^ target.bytes[i];
      return out.bytes;
    };
    std::vector<NodeId> out;
    for (const HostId host : alive_) {
      if (host != self) out.push_back(plans_[host].id);
    }
    std::ranges::sort(out, {}, distance);
    if (out.size() > kFound) out.resize(kFound);
    return out;
  }

  void judge(bool right, std::string why) {
    reached_.note(right ? kRight : kWrong);
    if (right) return;
    world_->trace().comment(world_->now(), 0, "wrong look-up: " + why);
    if (first_wrong_.empty()) first_wrong_ = std::move(why);
  }

  World* world_ = nullptr;
  std::optional<Prng> prng_;
  HostId count_ = 0;
  HostId leaving_ = 0;
  std::set<HostId> alive_;
  std::vector<HostId> one_side_;
  std::map<std::pair<HostId, std::uint64_t>, Try> tries_;
  std::size_t begun_ = 0;
  std::string first_wrong_;
};

}  // namespace

ScenarioSpec make_churn_spec(PlantedBug bug) {
  return {.name = "churn",
          .description = "200 nodes of which a fifth is replaced; look-ups, a partition (mem)",
          .faults = 0,
          .fidelity = Fidelity::mem,
          .chaos = false,
          .safety = kChurnPhase,
          .liveness = seconds(400),
          .sometimes = {kRight, "a node was found and dialled", "a reorganisation",
                        "a visit was made", "headers were served"},
          .make = [bug] { return std::make_unique<Churn>(bug); }};
}

}  // namespace ethnet::sim
