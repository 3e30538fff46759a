#include "script_network.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <chain/producer.hpp>
#include <fmt/format.h>

#include "hostile/hostile_peer.hpp"

namespace ethnet::sim {
namespace {

using What = ScriptEvent::What;

std::string head_text(const chain::BlockRef& head) {
  return fmt::format("{} {}", head.number, head.hash.short_hex());
}

}  // namespace

ScriptNetwork::ScriptNetwork(const Script& script, ScriptReport& report)
    : NodeScenario{PlantedBug::none}, script_{script}, report_{report} {}

void ScriptNetwork::build(World& world, Chaos& chaos) {
  world_ = &world;
  Prng prng = world.split("script");
  const auto honest = static_cast<HostId>(script_.honest());
  told_.resize(honest);
  use_rules(script_.rules);
  add_nodes(world, chaos, prng, honest);
  for (HostId i = 0; i < honest; ++i) {
    const ScriptNode& node = script_.nodes[i];
    Plan& plan = plans_[i];
    plan.fork_choice = node.fork_choice;
    plan.producer = node.producer;
    plan.max_peers = node.max_peers;
    plan.discovery = node.discovery;
    plan.das = node.das;
    for (const HostId to : node.dials) plan.dials.push_back({.to = to});
    HostOptions options;
    options.store = node.disk;
    if (node.costs) options.costs = measured_costs();
    if (node.costs || node.disk != StoreOptions{}) world.set_host_options(i, options);
  }
  for (auto i = honest; i < script_.nodes.size(); ++i) {
    SeededSecureRng rng{prng.split(fmt::format("hostile key {}", i))};
    hostile_keys_.push_back(std::make_shared<crypto::SecretKey>(crypto::SecretKey::generate(rng)));
    HostSpec spec;
    spec.options = chaos.draw_host();
    spec.factory = [this](const HostEnv& env) { return make_hostile(*world_, env); };
    (void)world.add_host(std::move(spec));
  }
}

std::unique_ptr<Host> ScriptNetwork::make_hostile(const World& world, const HostEnv& env) const {
  const ScriptNode& node = script_.nodes[env.index];
  HostileConfig config;
  config.act = node.role->act;
  config.manner = node.role->manner;
  config.local = env.local;
  config.key = hostile_keys_[env.index - script_.honest()];
  config.genesis = &genesis();
  config.beat = node.beat;
  config.targets = [&world, &node] {
    std::vector<Endpoint> targets;
    for (const HostId victim : node.dials) targets.push_back(world.endpoint(victim));
    return targets;
  };
  return make_machine_host<HostilePeer>(env, {}, env.now, std::move(config), env.rng, env.prng,
                                        env.log);
}

void ScriptNetwork::schedule(World& world) {
  world.set_default_link(script_.link);
  for (const ScriptLink& link : script_.links) {
    for (const HostId from : link.from) {
      for (const HostId to : link.to) {
        if (from != to) world.set_link(from, to, link.options);
      }
    }
  }
  std::map<Duration, std::vector<HostId>> starts;
  for (HostId host = 0; host < script_.nodes.size(); ++host) {
    starts[script_.nodes[host].starts].push_back(host);
  }
  for (const auto& [at, hosts] : starts) {
    if (at == Duration{}) {
      for (const HostId host : hosts) world.start(host);
    } else {
      world.after(at, [this, hosts](World& w) {
        const std::size_t more = hosts.size() - 1;
        say(more == 0 ? fmt::format("start {}", name(hosts.front()))
                      : fmt::format("start {} and {} more", name(hosts.front()), more));
        for (const HostId host : hosts) w.start(host);
      });
    }
  }
  for (const ScriptEvent& event : script_.events) {
    world.after(event.at, [this, &event](World& w) { happen(w, event); });
  }
  for (const ScriptCheck& check : script_.checks) {
    world.after(check.at, [this, &check](World& w) { judge(w, check); });
  }
}

// ---- what is told

void ScriptNetwork::say(std::string what) {
  if (report_.lines.size() == kMaxScriptLines) {
    ++report_.lines_left_out;
    return;
  }
  report_.lines.push_back({world_->now(), std::move(what)});
}

void ScriptNetwork::on_told(HostId host, const node::NodeEvent& event) {
  Told& told = told_[host];
  if (const auto* reorg = std::get_if<node::Reorganised>(&event)) {
    ++told.reorgs;
    told.deepest = std::max<std::uint64_t>(told.deepest, reorg->removed.size());
    say(fmt::format("{} reorganises by {} to height {} {}", name(host), reorg->removed.size(),
                    reorg->height, reorg->new_head.short_hex()));
  } else if (const auto* fork = std::get_if<node::ForkSeen>(&event)) {
    if (!told.fork_points.insert(fork->fork_point).second) return;
    say(fmt::format("{} sees a fork: a branch up to height {} leaves its chain at {}", name(host),
                    fork->height, fork->fork_point.short_hex()));
  } else if (const auto* sampled = std::get_if<node::DataSampled>(&event)) {
    if (!sampled->done) return;
    ++(sampled->received == sampled->requested ? told.sampled : told.missed);
    say(fmt::format("{} has sampled {}: {} of {} chunks", name(host), sampled->data_id.short_hex(),
                    sampled->received, sampled->requested));
  } else if (const auto* fatal = std::get_if<node::Fatal>(&event)) {
    say(fmt::format("{} cannot go on: {}", name(host), fatal->what));
  }
}

// ---- what happens

void ScriptNetwork::happen(World& world, const ScriptEvent& event) {
  say(event.text);
  if (event.what == What::partition) {
    for (const std::vector<HostId>& side : event.sides) world.partition(side);
  } else if (event.what == What::heal) {
    world.mend();
  }
  for (const HostId host : event.nodes) happen_to(world, event, host);
}

void ScriptNetwork::happen_to(World& world, const ScriptEvent& event, HostId host) {
  const Now now = world.now_at(host);
  switch (event.what) {
    case What::partition:
    case What::heal:
      return;
    case What::fork:
      return inject_fork(world, event, host);
    case What::crash:
      return world.crash(host);
    case What::restart:
      return restart(world, event, host);
    case What::pause:
      return world.pause(host);
    case What::resume:
      return world.unpause(host);
    case What::produce:
      plans_[host].producer.enabled = true;
      return world.input<SimNode>(host, [now](SimNode& m) { m.node().start_producing(now); });
    case What::stop:
      plans_[host].producer.enabled = false;
      return world.input<SimNode>(host, [](SimNode& m) { m.node().stop_producing(); });
    case What::release:
      return world.input<HostilePeer>(host, [](HostilePeer& m) { m.release(); });
    case What::publish:
      return publish(world, event, host);
  }
}

void ScriptNetwork::publish(World& world, const ScriptEvent& event, HostId host) {
  Bytes data(kScriptDataBytes);
  Prng prng = world.split(fmt::format("data {}", ++data_published_));
  for (std::byte& b : data) b = static_cast<std::byte>(prng.below(256));
  std::string wrong = "it did not take it";
  const Now now = world.now_at(host);
  world.input<SimNode>(host, [&](SimNode& m) {
    const auto run = m.node().publish(now, std::move(data), kScriptChunkBytes);
    wrong = run ? std::string{} : run.error().message();
  });
  if (!wrong.empty()) {
    report_.outcomes.push_back({event.line, world.now(), event.text, wrong, false});
  }
}

void ScriptNetwork::restart(World& world, const ScriptEvent& event, HostId host) {
  if (event.fork_choice) plans_.at(host).fork_choice = *event.fork_choice;
  if (event.checkpoint) set_checkpoint(world, event, host);
  if (event.kept_ppm) world.lose_disk(host, *event.kept_ppm);
  world.start(host);
}

void ScriptNetwork::set_checkpoint(const World& world, const ScriptEvent& event, HostId host) {
  const auto [of, height] = *event.checkpoint;
  const SimNode* const machine = world.machine<SimNode>(of);
  std::string wrong = fmt::format("{} is down", name(of));
  if (machine != nullptr) {
    const chain::ChainManager& chain = machine->node().chain();
    const chain::BlockRef head = chain.head();
    if (height <= head.number) {
      const auto at = chain.tree().ancestor(*chain.tree().find(head.hash), height);
      plans_.at(host).fork_choice = {
          "checkpoint", fmt::format("{} {}", height, chain.tree().node(at).hash.hex())};
      return;
    }
    wrong = fmt::format("{} has head {}: no block {}", name(of), head.number, height);
  }
  report_.outcomes.push_back({event.line, world.now(), event.text, wrong, false});
}

void ScriptNetwork::inject_fork(World& world, const ScriptEvent& event, HostId host) {
  std::optional<std::string> wrong = "it did not take it";
  const Now now = world.now_at(host);
  world.input<SimNode>(host,
                       [&](SimNode& machine) { wrong = seal_fork(machine, now, event, host); });
  if (!wrong) return;
  report_.outcomes.push_back({event.line, world.now(), event.text, *wrong, false});
}

std::optional<std::string> ScriptNetwork::seal_fork(SimNode& machine, Now now,
                                                    const ScriptEvent& event, HostId host) {
  const chain::ChainManager& chain = machine.node().chain();
  const chain::BlockRef head = chain.pending_head();
  const std::uint64_t below = std::min(event.fork.below, head.number);
  const std::uint64_t height = event.fork.height.value_or(head.number - below);
  if (height >= head.number) {
    return fmt::format("{} has head {}: no branch leaves its chain at {}", name(host), head.number,
                       height);
  }
  const std::uint64_t blocks = event.fork.blocks.value_or(head.number - height + 1);
  if (blocks > kMaxScriptForkBlocks) {
    return fmt::format("{} blocks, more than {}", blocks, kMaxScriptForkBlocks);
  }
  const auto at = chain.tree().ancestor(*chain.tree().find(head.hash), height);
  auto parent = chain.pending_header(chain.tree().node(at).hash);
  const std::uint64_t turn = ++forks_injected_;
  std::vector<chain::HeaderInput> batch;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    CHECK(parent.has_value());
    batch.push_back(chain::seal_signed(chain.config(), *parent, 0, *plans_[host].key,
                                       fmt::format("injected {}.{}", turn, i)));
    auto sealed = Header::decode(batch.back().header);
    CHECK(sealed.has_value());
    parent = *std::move(sealed);
  }
  say(fmt::format("{} has {} blocks on its block {}, of head {}", name(host), blocks, height,
                  head.number));
  const chain::ImportOutcome outcome =
      machine.node().import_headers(now, batch, {"scenario", "injected fork"});
  if (outcome.added == blocks) return std::nullopt;
  return fmt::format("{} of {} blocks were taken (the last is {} s ahead of the clock)",
                     outcome.added, blocks,
                     static_cast<std::int64_t>(parent->timestamp) -
                         static_cast<std::int64_t>(now.wall.whole_seconds()));
}

// ---- what is expected

void ScriptNetwork::judge(const World& world, const ScriptCheck& check) {
  ScriptOutcome outcome{check.line, world.now(), check.text, {}, true};
  const auto down = [&](HostId host) { return world.machine<SimNode>(host) == nullptr; };
  for (const std::vector<HostId>& side : check.sides) {
    const auto found = std::ranges::find_if(side, down);
    if (found == side.end()) continue;
    outcome.met = false;
    outcome.found = name(*found) + " is down";
  }
  if (outcome.met) {
    const bool heads = check.what == ScriptCheck::What::heads_equal ||
                       check.what == ScriptCheck::What::heads_differ;
    heads ? judge_heads(world, check, outcome) : judge_numbers(world, check, outcome);
  }
  report_.outcomes.push_back(std::move(outcome));
}

void ScriptNetwork::judge_heads(const World& world, const ScriptCheck& check,
                                ScriptOutcome& outcome) const {
  const bool equal = check.what == ScriptCheck::What::heads_equal;
  const auto head = [&](HostId host) { return node_of(world, host).chain().head(); };
  const HostId first = check.sides.front().front();
  outcome.found = fmt::format("{} has {}", name(first), head_text(head(first)));
  for (std::size_t i = 0; i < check.sides.size(); ++i) {
    for (std::size_t j = equal ? i : i + 1; j < check.sides.size(); ++j) {
      for (const HostId a : check.sides[i]) {
        for (const HostId b : check.sides[j]) {
          if (!outcome.met || (head(a) == head(b)) == equal) continue;
          outcome.met = false;
          outcome.found =
              equal ? fmt::format("{} has {}, {} has {}", name(a), head_text(head(a)), name(b),
                                  head_text(head(b)))
                    : fmt::format("{} and {} have {}", name(a), name(b), head_text(head(a)));
        }
      }
    }
  }
}

void ScriptNetwork::judge_numbers(const World& world, const ScriptCheck& check,
                                  ScriptOutcome& outcome) const {
  std::uint64_t least = UINT64_MAX;
  std::uint64_t most = 0;
  for (const HostId host : check.sides.front()) {
    const std::uint64_t value = number(world, check.what, host);
    least = std::min(least, value);
    most = std::max(most, value);
    if (value >= check.at_least && value <= check.at_most) continue;
    outcome.met = false;
    outcome.found = fmt::format("{}: {}", name(host), value);
  }
  if (!outcome.met) return;
  outcome.found = least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

std::uint64_t ScriptNetwork::number(const World& world, ScriptCheck::What what, HostId host) const {
  const node::Node& node = node_of(world, host);
  switch (what) {
    case ScriptCheck::What::heads_equal:
    case ScriptCheck::What::heads_differ:
      break;
    case ScriptCheck::What::height:
      return node.chain().head().number;
    case ScriptCheck::What::reorgs:
      return told_[host].reorgs;
    case ScriptCheck::What::reorg_depth:
      return told_[host].deepest;
    case ScriptCheck::What::forks:
      return told_[host].fork_points.size();
    case ScriptCheck::What::peers:
      return node.sessions().peer_count();
    case ScriptCheck::What::banned:
      return node.scores().banned().size();
    case ScriptCheck::What::sampled:
      return told_[host].sampled;
    case ScriptCheck::What::missed:
      return told_[host].missed;
  }
  return 0;
}

std::vector<ScriptNodeReport> ScriptNetwork::describe_nodes(const World& world) const {
  std::vector<ScriptNodeReport> out;
  for (HostId host = 0; host < script_.nodes.size(); ++host) {
    ScriptNodeReport one;
    one.name = name(host);
    one.up = world.is_up(host);
    one.honest = host < told_.size();
    if (!one.honest) {
      one.rule = script_.nodes[host].role->name;
      out.push_back(std::move(one));
      continue;
    }
    const chain::RuleChoice& rule = plans_[host].fork_choice;
    one.rule = rule.parameter.empty() ? rule.name : rule.name + ":" + rule.parameter;
    one.reorgs = told_[host].reorgs;
    one.deepest = told_[host].deepest;
    one.forks = told_[host].fork_points.size();
    if (one.up) {
      const node::Node& node = node_of(world, host);
      one.head = node.chain().head();
      one.peers = node.sessions().peer_count();
      one.banned = node.scores().banned().size();
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace ethnet::sim
