#include "node_scenario.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <chain/producer.hpp>
#include <fmt/format.h>
#include <transport/memory/memory_transport.hpp>

namespace ethnet::sim {
namespace {

constexpr Duration kLookUp = milliseconds(20);
// Of transport/memory: sessions ping each other anyhow, well within its idle timeout.
constexpr Duration kNoKeepAlive = seconds(3'600);

// What a node holds for its sessions, by the names of its snapshot: nothing, before its start and
// after the last session's end.
constexpr std::array<std::string_view, 14> kTables{
    "quic.connections",      "session.dialing",         "session.handshaking",
    "session.proven",        "session.active.inbound",  "session.active.outbound",
    "session.closing",       "session.accounted_bytes", "session.transport_bytes",
    "session.queued_events", "session.pending_jobs",    "mini_sync.judging_headers",
    "mini_sync.held",        "node.awaited_imports"};

std::string describe(const node::NodeEvent& event) {
  if (const auto* up = std::get_if<node::SessionUp>(&event)) {
    return fmt::format("session up {} {}", up->peer.short_hex(), up->inbound ? "in" : "out");
  }
  if (const auto* down = std::get_if<node::SessionDown>(&event)) {
    return fmt::format("session down {} {}", down->peer.short_hex(), down->reason);
  }
  if (const auto* head = std::get_if<node::HeadMoved>(&event)) {
    return fmt::format("head {} {}", head->number, head->hash.short_hex());
  }
  if (const auto* reorg = std::get_if<node::Reorganised>(&event)) {
    return fmt::format("reorg {} -{} +{}", reorg->height, reorg->removed.size(),
                       reorg->added.size());
  }
  if (const auto* fork = std::get_if<node::ForkSeen>(&event)) {
    return fmt::format("fork {} {}", fork->height, fork->branch_head.short_hex());
  }
  if (const auto* sync = std::get_if<node::SyncMoved>(&event)) {
    return fmt::format("sync {} of {}", sync->imported, sync->target);
  }
  if (const auto* sampled = std::get_if<node::DataSampled>(&event)) {
    return fmt::format("sampled {} {}/{}{}", sampled->data_id.short_hex(), sampled->received,
                       sampled->requested, sampled->done ? " done" : "");
  }
  if (const auto* published = std::get_if<node::DataPublished>(&event)) {
    return fmt::format("published {}{}", published->data_id.short_hex(),
                       published->kept ? "" : ", not kept");
  }
  if (const auto* fetched = std::get_if<node::DataFetched>(&event)) {
    return fmt::format("fetched {} {}/{}", fetched->data_id.short_hex(), fetched->received,
                       fetched->total);
  }
  if (const auto* fatal = std::get_if<node::Fatal>(&event)) return "fatal " + fatal->what;
  return "look up";
}

Endpoint second_address(HostId host) {
  ByteArray<16> bytes{};
  bytes.front() = std::byte{0xfd};
  store_be<std::uint32_t>(MutByteView{bytes}.last(4), host + 1);
  return {IpAddress::v6(bytes), 9001};
}

// Of a block that nobody will make.
chain::RuleChoice no_block_allowed() { return {"checkpoint", "1 " + std::string(64, '1')}; }

}  // namespace

NodeScenario::NodeScenario(PlantedBug bug)
    : bug_{bug}, genesis_{chain::dev_genesis()}, watch_{reached_} {}

std::vector<std::unique_ptr<Checker>> NodeScenario::make_checkers() {
  NodeCheckOptions options;
  options.max_peers = [this](HostId host) { return plans_.at(host).max_peers; };
  options.rule = [this](HostId host) {
    if (bug_ == PlantedBug::left_checkpoint) return no_block_allowed();
    return plans_.at(host).fork_choice;
  };
  if (bug_ == PlantedBug::doubled_session) {
    options.falsify = [](SessionView& view) {
      if (!view.sessions.empty()) view.sessions.push_back(view.sessions.front());
    };
  } else if (bug_ == PlantedBug::full_queue) {
    options.falsify = [](SessionView& view) { view.exceeded_limit = "pending"; };
  } else if (bug_ == PlantedBug::shared_blame) {
    options.falsify = [this](SessionView& view) { view.banned.push_back(plans_.front().id); };
  }
  return make_node_checkers(watch_, std::move(options));
}

void NodeScenario::on_healed(World& world) {
  healed_ = true;
  for (HostId i = 0; i < plans_.size(); ++i) {
    world.input<SimNode>(i, [](SimNode& m) { m.node().stop_producing(); });
  }
}

void NodeScenario::on_end(const World& world) {
  for (HostId i = 0; i < plans_.size(); ++i) {
    if (world.machine<SimNode>(i) != nullptr) watch_.on_end(node_of(world, i));
    if (world.store(i).stats().torn_at_crash > 0) watch_.note("a torn write was cut off");
    if (world.store(i).stats().errors > 0) watch_.note("a write failed");
  }
}

void NodeScenario::add_nodes(World& world, Chaos& chaos, Prng& prng, HostId count) {
  world_ = &world;
  plans_.resize(count);
  for (HostId i = 0; i < count; ++i) {
    SeededSecureRng rng{prng.split(fmt::format("key {}", i))};
    plans_[i].key = std::make_shared<crypto::SecretKey>(crypto::SecretKey::generate(rng));
    plans_[i].id = NodeId{crypto::node_id_of(plans_[i].key->public_key())};
    HostSpec spec;
    spec.options = chaos.draw_host();
    if (const auto at = address_of(i)) spec.endpoint = *at;
    spec.factory = [this](const HostEnv& env) { return make_host(env); };
    world.add_address(world.add_host(std::move(spec)), second_address(i));
  }
}

const node::Node& NodeScenario::node_of(const World& world, HostId host) {
  const SimNode* const machine = world.machine<SimNode>(host);
  CHECK(machine != nullptr);  // asked of running hosts only
  return machine->node();
}

std::optional<std::string> NodeScenario::missing_host(const World& world) const {
  for (HostId i = 0; i < plans_.size(); ++i) {
    if (world.machine<SimNode>(i) == nullptr) return fmt::format("node {} is down", i);
  }
  return std::nullopt;
}

std::optional<std::string> NodeScenario::missing_session(const World& world, HostId a,
                                                         HostId b) const {
  const auto inbound = [&](HostId at, HostId peer) -> std::optional<bool> {
    const session::SessionManager& sessions = node_of(world, at).sessions();
    const auto handle = sessions.find(plans_[peer].id);
    if (!handle) return std::nullopt;
    return sessions.find(*handle)->inbound;
  };
  const auto at_a = inbound(a, b);
  const auto at_b = inbound(b, a);
  if (!at_a || !at_b) {
    return fmt::format("node {} dials {}: session {} here, {} there", a, b, at_a.has_value(),
                       at_b.has_value());
  }
  if (*at_a == *at_b) return fmt::format("nodes {} and {} hold different sessions", a, b);
  return std::nullopt;
}

std::optional<std::string> NodeScenario::seal_last_block(World& world) {
  const auto height = [&](HostId host) { return node_of(world, host).chain().head().number; };
  HostId highest = 0;
  for (HostId i = 1; i < plans_.size(); ++i) {
    if (height(i) > height(highest)) highest = i;
  }
  std::optional<std::string> late;
  for (HostId i = 0; i < plans_.size(); ++i) {
    if (height(i) == height(highest)) continue;
    late = fmt::format("when the last block is due, node {} has head {} and node {} has {}", i,
                       height(i), highest, height(highest));
  }
  seal_block(world, highest, "the last block");
  return late;
}

void NodeScenario::seal_block(World& world, HostId host, std::string_view extra) {
  const Now now = world.now_at(host);
  world.input<SimNode>(host, [&](SimNode& m) {
    const chain::ChainManager& chain = m.node().chain();
    const auto parent = chain.pending_header(chain.pending_head().hash);
    CHECK(parent.has_value());
    const chain::HeaderInput block =
        chain::seal_signed(chain.config(), *parent, 0, *plans_[host].key, extra);
    (void)m.node().import_headers(now, std::span{&block, 1}, {"scenario", "block"});
  });
}

std::optional<std::string> NodeScenario::missing_head(const World& world) const {
  const chain::ChainManager& first = node_of(world, 0).chain();
  for (HostId i = 0; i < plans_.size(); ++i) {
    const chain::ChainManager& chain = node_of(world, i).chain();
    if (chain.pending_batches() > 0) return fmt::format("node {} still stores", i);
    if (chain.head() == first.head()) continue;
    return fmt::format("node {} has head {} {}, node 0 has {} {}", i, chain.head().number,
                       chain.head().hash.short_hex(), first.head().number,
                       first.head().hash.short_hex());
  }
  return std::nullopt;
}

std::optional<std::string> NodeScenario::kept_table(const World& world, HostId host) {
  const node::Node& node = node_of(world, host);
  const auto kept = [host](std::string_view name, std::uint64_t count) {
    return fmt::format("node {} keeps {} of {} without a session", host, count, name);
  };
  const std::vector<node::Counter> counters = node.counters();
  for (const std::string_view name : kTables) {
    if (node.endpoint() == nullptr && name.starts_with("quic.")) continue;
    const auto table = std::ranges::find(counters, name, &node::Counter::name);
    CHECK(table != counters.end());  // renamed: rename it above
    if (table->value > 0) return kept(name, table->value);
  }
  if (node.endpoint() == nullptr) return std::nullopt;
  const quic::QuicEndpoint& endpoint = *node.endpoint();
  if (endpoint.half_open_count() > 0) return kept("half-open connections", 1);
  if (endpoint.cid_count() > 0) return kept("connection ids", endpoint.cid_count());
  if (endpoint.remote_count() > 0) return kept("peer addresses", endpoint.remote_count());
  return std::nullopt;
}

std::vector<session::Capability> NodeScenario::offer_of(const Plan& plan) {
  std::vector<session::Capability> offer = plan.offers;
  const auto add = [&](std::string_view literal) {
    auto capability = session::Capability::parse(literal);
    CHECK(capability.has_value());
    offer.push_back(*std::move(capability));
  };
  if (plan.discovery) add(discv_lite::kCapability);
  if (plan.das) add(das_lite::kCapability);
  return offer;
}

std::unique_ptr<Host> NodeScenario::make_host(const HostEnv& env) {
  const auto observe = [this, host = env.index](Now, const node::NodeEvent& event) {
    on_node_event(host, event);
    return describe(event);
  };
  // Of a crash; what runs until the end is read by on_end().
  const auto on_end = [this](const node::Node& node) { watch_.on_end(node); };
  return make_machine_host<SimNode>(env, observe, make_node(env), on_end);
}

node::NodeConfig NodeScenario::make_config(const HostEnv& env) const {
  const Plan& plan = plans_[env.index];
  node::NodeConfig config;
  config.listen = {env.local, second_address(env.index)};
  config.genesis = genesis_;
  config.fork_choice = plan.fork_choice;
  config.rules = rules_;
  config.max_peers = plan.max_peers;
  config.producer = plan.producer;
  config.retry_above = plan.retry_above;
  config.sync_versions = plan.offers;
  if (plan.discovery) config.discovery.emplace().saved = plan.saved;
  if (plan.das) config.das.emplace();
  config.dns_trees = plan.dns_trees;
  if (bug_ == PlantedBug::offers_less) config.sync_versions.clear();
  if (healed_) config.producer.enabled = false;
  if (bug_ == PlantedBug::other_rule) config.fork_choice.name = "lexicographic-head";
  if (bug_ == PlantedBug::left_checkpoint) config.fork_choice = {};
  if (bug_ == PlantedBug::never_dials) return config;
  for (const Dial& dial : plan.dials) {
    node::StaticPeer peer;
    if (dial.by == By::name) {
      peer.host = fmt::format("node{}", dial.to);
    } else {
      peer.endpoint = dial.by == By::address ? world_->endpoint(dial.to) : second_address(dial.to);
    }
    if (dial.expects) peer.expected = plans_[dial.to].id;
    config.peers.push_back(std::move(peer));
  }
  return config;
}

Result<std::unique_ptr<node::Node>> NodeScenario::make_bare_node(const HostEnv& env) const {
  const auto& key = plans_[env.index].key;
  node::NodeConfig config = make_config(env);
  if (fidelity() == Fidelity::quic) {
    return node::Node::make(env.now, std::move(config), key, env.rng, env.prng, env.log);
  }
  config.listen.resize(1);  // MemoryTransport has one address
  transport::MemoryConfig memory{.local = env.local, .keep_alive = kNoKeepAlive};
  memory.ack_delay = ack_delay_.value_or(memory.ack_delay);
  auto transport = std::make_unique<transport::MemoryTransport>(std::move(memory), env.rng);
  return node::Node::make(env.now, std::move(config), key, env.rng, env.prng, env.log,
                          std::move(transport));
}

std::unique_ptr<node::Node> NodeScenario::make_node(const HostEnv& env) {
  auto node = make_bare_node(env);
  CHECK(node.has_value());
  if (!plans_[env.index].offers.empty()) {
    watch_.set_offer(plans_[env.index].id, offer_of(plans_[env.index]));
  }
  const std::uint64_t losses = world_->store(env.index).stats().losses;
  if (std::exchange(plans_[env.index].losses_seen, losses) != losses) {
    watch_.on_lost_disk(env.index);
  }
  const bool forgets = bug_ == PlantedBug::forgets_last_record && !env.records.empty();
  const std::size_t keep = env.records.size() - (forgets ? 1 : 0);
  for (std::size_t i = 0; i < keep; ++i) {
    const auto restored = (*node)->restore(env.records[i]);
    if (!restored) watch_.on_restore_failed(env.index, restored.error().message());
  }
  (*node)->set_session_tap([this, host = env.index](const session::SessionEvent& event) {
    on_session_event(host, event);
  });
  if (plans_[env.index].discovery) {
    (*node)->set_lookup_tap(
        [this, host = env.index](const discv_lite::LookupDone& done) { on_looked_up(host, done); });
  }
  (*node)->start(env.now);
  watch_.on_start(env.index, **node);
  return std::move(*node);
}

void NodeScenario::on_node_event(HostId host, const node::NodeEvent& event) {
  if (const auto* wanted = std::get_if<node::ResolveWanted>(&event)) look_up(host, *wanted);
  if (const auto* texts = std::get_if<node::TextsWanted>(&event)) look_up(host, *texts);
  const auto* reorg = std::get_if<node::Reorganised>(&event);
  if (reorg != nullptr && bug_ == PlantedBug::lost_reorgs) return;
  if (reorg != nullptr && bug_ == PlantedBug::short_reorgs) {
    node::Reorganised shorter = *reorg;
    shorter.removed.erase(shorter.removed.begin());
    return watch_.on_event(host, shorter);
  }
  watch_.on_event(host, event);
  on_told(host, event);
}

void NodeScenario::on_session_event(HostId host, const session::SessionEvent& event) {
  const auto* message = std::get_if<session::MessageReceived>(&event);
  if (message != nullptr && bug_ == PlantedBug::foreign_message) {
    const auto foreign = session::Capability::parse("eth/68");
    CHECK(foreign.has_value());
    return watch_.on_session_event(
        host, session::MessageReceived{message->session, *foreign, message->payload});
  }
  watch_.on_session_event(host, event);
}

// The resolver of this world: it always knows where a host is reached now.
void NodeScenario::look_up(HostId host, const node::ResolveWanted& wanted) {
  const HostId to = plans_[host].dials.at(wanted.target).to;
  world_->after(kLookUp, [host, to, target = wanted.target](World& world) {
    const Endpoint found = world.endpoint(to);
    const Now now = world.now_at(host);
    world.input<SimNode>(host, [&](SimNode& m) { m.node().handle_resolved(now, target, {found}); });
  });
}

void NodeScenario::look_up(HostId host, const node::TextsWanted& wanted) {
  world_->after(kLookUp, [this, host, wanted](World& world) {
    if (!world.is_up(host)) return;
    const auto* const texts = texts_of(wanted.name);
    const Now now = world.now_at(host);
    world.input<SimNode>(host, [&](SimNode& m) {
      const auto outcome = texts == nullptr ? node::TextsOutcome::none : node::TextsOutcome::found;
      const std::span<const std::string> found =
          texts == nullptr ? std::span<const std::string>{} : *texts;
      m.node().handle_texts(now, wanted.question, outcome, found);
    });
  });
}

}  // namespace ethnet::sim
