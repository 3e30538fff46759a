#include "metered_net.hpp"

#include <algorithm>
#include <thread>

#include <chain/producer.hpp>
#include <fmt/format.h>

namespace ethnet::testing {

using sim::HostId;

std::size_t moved(const std::vector<Moved>& moved, Instant from, Duration time) {
  std::size_t sum = 0;
  for (const Moved& one : moved) {
    if (one.at >= from && one.at < from + time) sum += one.bytes;
  }
  return sum;
}

namespace {

std::string note(Meter& meter, Instant now, const node::NodeEvent& event) {
  if (std::holds_alternative<node::SessionUp>(event)) ++meter.sessions_up;
  if (const auto* down = std::get_if<node::SessionDown>(&event)) {
    ++meter.sessions_down;
    meter.reasons.push_back(down->reason);
  }
  if (const auto* data = std::get_if<node::DataPublished>(&event)) {
    meter.published = das::DataId{data->data_id.bytes};
  }
  if (const auto* head = std::get_if<node::HeadMoved>(&event)) {
    meter.heads.emplace_back(now, head->number);
  }
  return {};
}

}  // namespace

MeteredNet::MeteredNet(std::uint64_t seed) : world{seed}, genesis_{chain::dev_genesis()} {
  sim::LinkOptions link;
  link.latency = milliseconds(20);
  link.jitter = milliseconds(2);
  world.set_default_link(link);
}

const std::vector<chain::HeaderInput>& MeteredNet::chain(std::size_t headers) {
  Header parent = genesis_.header;
  if (!chain_.empty()) {
    auto last = Header::decode(chain_.back().header);
    CHECK(last.has_value());
    parent = *std::move(last);
  }
  while (chain_.size() < headers) {
    parent = chain::seal_header(genesis_.config, parent, 0, Address{}, "metered");
    chain_.push_back({parent.encode(), {}});
  }
  return chain_;
}

MeteredNet::Key MeteredNet::make_key(std::string_view name) const {
  sim::SeededSecureRng rng{world.split(name)};
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(rng));
}

HostId MeteredNet::add(std::size_t headers, std::vector<HostId> dials, const Configure& configure,
                       Key key) {
  if (!key) key = make_key(fmt::format("key {}", world.host_count()));
  meters_.push_back(std::make_unique<Meter>());
  Meter& meter = *meters_.back();
  sim::HostSpec spec;
  spec.factory = [this, key, dials, configure, &meter](const sim::HostEnv& env) {
    node::NodeConfig config;
    config.listen = {env.local};
    config.genesis = genesis_;
    for (const HostId to : dials) {
      node::StaticPeer peer;
      peer.endpoint = world.endpoint(to);
      config.peers.push_back(std::move(peer));
    }
    if (configure) configure(config);
    auto made = node::Node::make(env.now, std::move(config), key, env.rng, env.prng, env.log);
    CHECK(made.has_value());
    (*made)->start(env.now);
    const auto observe = [&meter](Now now, const node::NodeEvent& event) {
      return note(meter, now.mono, event);
    };
    return sim::make_machine_host<MeteredNode>(env, observe, *std::move(made), meter);
  };
  const HostId host = world.add_host(std::move(spec));
  world.start(host);
  const std::vector<chain::HeaderInput>& all = chain(headers);
  for (std::size_t begin = 0; begin < headers; begin += 500) {
    const std::span part =
        std::span{all}.subspan(begin, std::min<std::size_t>(500, headers - begin));
    const Now now = world.now_at(host);
    world.input<MeteredNode>(
        host, [&](MeteredNode& m) { (void)m.node().import_headers(now, part, {"test", "chain"}); });
    run(milliseconds(20));
  }
  return host;
}

void MeteredNet::seal(HostId host) {
  const chain::ChainManager& chain = node(host).chain();
  const auto parent = chain.pending_header(chain.pending_head().hash);
  CHECK(parent.has_value());
  const Header block = chain::seal_header(genesis_.config, *parent, 0, Address{}, "head");
  const chain::HeaderInput input{block.encode(), {}};
  const Now now = world.now_at(host);
  world.input<MeteredNode>(host, [&](MeteredNode& m) {
    (void)m.node().import_headers(now, std::span{&input, 1}, {"test", "head"});
  });
}

das::DataId MeteredNet::publish(HostId host, std::size_t bytes, std::uint32_t chunk_size) {
  Bytes data(bytes);
  Prng prng = world.split("data");
  for (std::byte& b : data) b = static_cast<std::byte>(prng.below(256));
  const Now now = world.now_at(host);
  world.input<MeteredNode>(host, [&](MeteredNode& m) {
    const auto run = m.node().publish(now, std::move(data), chunk_size);
    CHECK(run.has_value());
  });
  run(seconds(1));
  CHECK(meter(host).published.has_value());
  return *meter(host).published;
}

void MeteredNet::fetch(HostId host, const das::DataId& id) {
  const Now now = world.now_at(host);
  world.input<MeteredNode>(host, [&](MeteredNode& m) {
    const auto run = m.node().fetch(now, id);
    CHECK(run.has_value());
  });
}

const node::Node& MeteredNet::node(HostId host) const {
  const auto* machine = world.machine<MeteredNode>(host);
  CHECK(machine != nullptr);
  return machine->node();
}

std::uint64_t MeteredNet::counter(HostId host, std::string_view name) const {
  const std::vector<node::Counter> counters = node(host).counters();
  const auto it = std::ranges::find(counters, name, &node::Counter::name);
  CHECK(it != counters.end());
  return it->value;
}

std::vector<Duration> MeteredNet::head_delays(HostId at, Instant from,
                                              const std::vector<HostId>& others) const {
  std::vector<Duration> out;
  for (const auto& [when, height] : meters_.at(at)->heads) {
    if (when < from) continue;
    Duration longest;
    for (const HostId other : others) {
      const auto& heads = meters_.at(other)->heads;
      const auto it = std::ranges::find_if(
          heads, [&](const auto& head) { return head.second >= height && head.first >= from; });
      longest = std::max(longest, it == heads.end() ? Duration{INT64_MAX} : it->first - when);
    }
    out.push_back(longest);
  }
  return out;
}

void in_metered_net(std::uint64_t seed, const std::function<void(MeteredNet&)>& body) {
  std::thread thread{[&] {
    MeteredNet net{seed};
    const sim::VirtualOsScope scope{net.world};
    body(net);
  }};
  thread.join();
}

}  // namespace ethnet::testing
