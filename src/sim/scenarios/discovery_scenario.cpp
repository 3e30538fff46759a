#include "discovery_scenario.hpp"

#include <fmt/format.h>

#include "../seeded_secure_rng.hpp"

namespace ethnet::sim {
namespace {

using DiscoveryHost = MachineHost<discovery::Host>;

constexpr std::uint64_t kLookAtEvery = 997;  // events; a prime, so that no rhythm hides a host

class TablesWithinLimits final : public Checker {
 public:
  [[nodiscard]] std::string_view name() const override { return "tables within limits"; }
  [[nodiscard]] std::optional<std::string> check(const World& world) override {
    if (++events_ % kLookAtEvery != 0 || !world.touched()) return std::nullopt;
    const auto* const host = world.machine<discovery::Host>(*world.touched());
    if (host == nullptr || host->table().broken().empty()) return std::nullopt;
    return fmt::format("node {}: {}", *world.touched(), host->table().broken());
  }

 private:
  std::uint64_t events_ = 0;
};

}  // namespace

std::vector<std::unique_ptr<Checker>> DiscoveryScenario::make_checkers() {
  std::vector<std::unique_ptr<Checker>> out;
  out.push_back(std::make_unique<TablesWithinLimits>());
  return out;
}

// Each in a /24 of its own.
Endpoint DiscoveryScenario::address_of(HostId host) {
  const auto high = static_cast<std::byte>(host / 200);
  const auto low = static_cast<std::byte>(host % 200);
  return {IpAddress::v4({std::byte{60}, high, low, std::byte{1}}), 9000};
}

void DiscoveryScenario::add_nodes(World& world, const Prng& prng, HostId count) {
  for (HostId i = 0; i < count; ++i) {
    SeededSecureRng rng{prng.split(fmt::format("key {}", i))};
    Plan plan;
    plan.key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng));
    const Endpoint where = address_of(i);
    const auto record = EnrBuilder{1}.ip(where.ip).udp(where.port).sign(*plan.key);
    CHECK(record.has_value());
    plan.record = std::make_shared<const VerifiedEnr>(*record);
    plans_.push_back(std::move(plan));
    HostSpec spec;
    spec.endpoint = where;
    spec.factory = [this](const HostEnv& env) { return make_host(env); };
    const HostId host = world.add_host(std::move(spec));
    CHECK(host == i);
    if (i < kDiscv5Boots) alive_.insert(i);  // the world starts them
  }
}

std::unique_ptr<Host> DiscoveryScenario::make_host(const HostEnv& env) {
  const Plan& plan = plans_[env.index];
  const HostId host = env.index;
  auto made = std::make_unique<DiscoveryHost>(
      env, PumpLimits{},
      [this, host](Now, const discovery::Event& event) {
        on_told(host, event);
        return std::string{};
      },
      env.now,
      discovery::HostConfig{
          .key = plan.key, .local_record = plan.record, .local = {env.local}, .v4 = false},
      env.rng, env.prng);
  discv5::Engine& engine = *made->machine().v5();
  for (HostId boot = 0; boot < kDiscv5Boots && boot < plans_.size(); ++boot) {
    if (boot == env.index) continue;
    const auto node = kbucket::NodeRecord::of(plans_[boot].record, kbucket::RecordPort::udp);
    CHECK(engine.add_boot_node(env.now, node));
  }
  for (const kbucket::RecordPtr& node : plan.remembered) engine.add_node(env.now, node);
  return made;
}

void DiscoveryScenario::begin(World& world, HostId host) {
  plans_[host].since = world.now();
  world.start(host);
  alive_.insert(host);
}

void DiscoveryScenario::end(World& world, HostId host) {
  world.crash(host);
  alive_.erase(host);
}

std::uint64_t DiscoveryScenario::look_up(World& world, HostId host, const NodeId& target) {
  const Now now = world.now_at(host);
  std::uint64_t id = 0;
  world.input<discovery::Host>(
      host, [&](discovery::Host& machine) { id = machine.v5()->start_lookup(now, target); });
  return id;
}

const discovery::Host& DiscoveryScenario::discovery_of(const World& world, HostId host) {
  const auto* const machine = world.machine<discovery::Host>(host);
  CHECK(machine != nullptr);
  return *machine;
}

std::optional<std::string> DiscoveryScenario::broken_table(const World& world) const {
  for (const HostId host : alive_) {
    const std::string_view broken = discovery_of(world, host).table().broken();
    if (!broken.empty()) return fmt::format("node {}: {}", host, broken);
  }
  return std::nullopt;
}

}  // namespace ethnet::sim
