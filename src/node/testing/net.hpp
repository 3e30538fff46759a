// Nodes wired in memory: every datagram takes a millisecond, jobs and stores answer at once or when
// the test lets them. What the network does to nodes is the simulator's business (src/sim). For
// tests.
#pragma once

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <chain/producer.hpp>
#include <gtest/gtest.h>
#include <machine/pump.hpp>
#include <sim/seeded_secure_rng.hpp>

#include "../node.hpp"

namespace ethnet::node {

class LineLog final : public Log {
 public:
  [[nodiscard]] bool enabled(LogLevel level) const noexcept override {
    return level <= LogLevel::info;
  }
  void handle(const LogRecord& record) noexcept override {
    std::string line{record.message};
    for (const LogField& field : record.fields) {
      line += " " + std::string{field.key};
      if (const auto* n = std::get_if<std::uint64_t>(&field.value))
        line += "=" + std::to_string(*n);
    }
    lines.push_back(std::move(line));
  }
  [[nodiscard]] std::size_t count(std::string_view part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }
  std::vector<std::string> lines;
};

struct Packet {
  Endpoint from;
  Endpoint to;
  Bytes bytes;
};

// A node as a process has it, and its pump's sink.
struct Box {
  Endpoint at;
  std::vector<Endpoint> sockets;  // `at`, and those of discv5 and discv4
  sim::SeededSecureRng rng;
  LineLog log;
  std::unique_ptr<Node> node;
  Duration wall_offset;    // its clock is wrong by this
  bool suspended = false;  // the machine sleeps: nothing runs, nothing is received
  bool hold_jobs = false;  // their results do not come yet
  bool hold_store = false;
  std::vector<NodeEvent> events;
  std::vector<JobResult> jobs;
  std::set<std::uint64_t> job_ids;
  std::vector<StoreResult> stored;
  std::vector<Packet> out;
  Bytes scratch = Bytes(kTransmitBufferBytes);
  std::optional<Pump<Node, Box>> pump;

  explicit Box(std::uint64_t seed) : rng{Prng{seed}} {}

  bool transmit(const Transmit& transmit, ByteView bytes) {
    while (!bytes.empty()) {
      const ByteView one = bytes.first(std::min(bytes.size(), transmit.segment_size));
      // A second socket of it is told by its port.
      const std::uint16_t port = transmit.local.port == 0 ? at.port : transmit.local.port;
      out.push_back({{at.ip, port}, transmit.remote, to_bytes(one)});
      bytes = bytes.subspan(one.size());
    }
    return true;
  }
  void event(NodeEvent event) { events.push_back(std::move(event)); }
  void job(Job job) {
    // Parts count their jobs for themselves; what comes out of a node is unique.
    EXPECT_TRUE(job_ids.insert(job.id).second) << job.name;
    jobs.push_back({job.id, job.work()});
  }
  void store(StoreOp op) { stored.push_back({op.id, true, 0}); }

  template <class E>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events, [](const NodeEvent& e) { return std::holds_alternative<E>(e); }));
  }
  [[nodiscard]] chain::BlockRef head() const { return node->chain().head(); }
  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    for (const Counter& c : node->counters()) {
      if (c.name == name) return c.value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
};

class Net {
 public:
  bool listens_everywhere = false;  // of the nodes that are added from now on
  // What comes back of a datagram to where no node is; none: nothing does.
  std::function<std::optional<Bytes>(const Packet&, Now)> elsewhere;
  Box& add(NodeConfig config, unsigned host, const Genesis& genesis = chain::dev_genesis()) {
    Box& box = boxes_.emplace_back(host);
    box.at = address(host);
    config.listen = {listens_everywhere ? Endpoint{{}, box.at.port} : box.at};
    config.genesis = genesis;
    box.sockets = {box.at};
    if (config.udp_discovery)
      std::ranges::copy(config.udp_discovery->listen, std::back_inserter(box.sockets));
    auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(box.rng));
    auto made = Node::make(now_of(box), config, key, box.rng, Prng{host}, box.log);
    CHECK(made.has_value());
    box.node = std::move(*made);
    box.pump.emplace(*box.node, box, box.scratch);
    box.pump->input(now_of(box), [&](Node& n) { n.start(now_of(box)); });
    return box;
  }
  // What NodeConfig::udp_discovery is where this host speaks these protocols and knows nobody.
  static UdpDiscoveryConfig discovery_of(unsigned host, bool v4, bool v5) {
    return {.listen = {{address(host).ip, 32'303}},
            .external = {},
            .v4 = v4,
            .v5 = v5,
            .boot_records = {},
            .boot_nodes = {},
            .saved = {},
            .nets = {}};
  }
  static Endpoint address(unsigned host) {
    const auto low = static_cast<std::byte>(host);
    return {IpAddress::v4({std::byte{10}, std::byte{0}, std::byte{0}, low}), 9001};
  }
  [[nodiscard]] Now now_of(const Box& box) const {
    return {now_.mono, now_.wall + box.wall_offset};
  }

  void run(Duration time) {
    const Instant end = now_.mono + time;
    while (now_.mono < end) {
      const Instant next = std::min(end, std::max(next_deadline(), now_.mono + milliseconds(1)));
      const bool busy = answer_all();
      const Duration step = busy ? milliseconds(1) : next - now_.mono;
      now_ = {now_.mono + step, now_.wall + step};
      for (Box& box : boxes_) {
        if (box.suspended || box.pump->next_deadline() > now_.mono) continue;
        box.pump->handle_deadline(now_of(box));
      }
    }
  }

 private:
  [[nodiscard]] Instant next_deadline() const {
    Instant next = Instant::never();
    for (const Box& box : boxes_) {
      if (!box.suspended) next = std::min(next, box.pump->next_deadline());
    }
    return next;
  }
  template <class T>
  [[nodiscard]] static std::vector<T> take(std::vector<T>& results, bool hold) {
    return hold ? std::vector<T>{} : std::exchange(results, {});
  }
  // Gives every machine what the others and its own workers have for it.
  bool answer_all() {
    bool moved = false;
    std::vector<Packet> packets;
    for (Box& box : boxes_) {
      std::ranges::move(std::exchange(box.out, {}), std::back_inserter(packets));
      for (const JobResult& done : take(box.jobs, box.hold_jobs)) {
        moved = true;
        box.pump->handle_job_done(now_of(box), done);
      }
      for (const StoreResult& done : take(box.stored, box.hold_store)) {
        moved = true;
        box.pump->handle_store_done(now_of(box), done);
      }
    }
    for (const Packet& packet : packets) {
      const auto to = std::ranges::find_if(boxes_, [&](const Box& box) {
        return std::ranges::find(box.sockets, packet.to) != box.sockets.end();
      });
      if (to == boxes_.end() && elsewhere) answer_from_elsewhere(packet);
      if (to == boxes_.end() || to->suspended) continue;
      moved = true;
      const Datagram datagram{packet.to, packet.from, 0, packet.bytes};
      to->pump->handle_datagrams(now_of(*to), std::span{&datagram, 1});
    }
    return moved;
  }

  void answer_from_elsewhere(const Packet& packet) {
    const auto answer = elsewhere(packet, now_);
    const auto asker =
        std::ranges::find_if(boxes_, [&](const Box& box) { return box.at.ip == packet.from.ip; });
    if (!answer || asker == boxes_.end()) return;
    const Datagram datagram{packet.from, packet.to, 0, *answer};
    asker->pump->handle_datagrams(now_of(*asker), std::span{&datagram, 1});
  }

  Now now_{Instant{} + seconds(100), UnixTime::from_seconds(1'800'000'000)};
  std::list<Box> boxes_;
};

inline NodeConfig producing(bool forks = false) {
  NodeConfig config;
  config.producer = {.enabled = true, .forks = forks, .period = seconds(2)};
  return config;
}
inline NodeConfig dialling(std::initializer_list<unsigned> hosts) {
  NodeConfig config;
  for (const unsigned host : hosts) {
    StaticPeer peer;
    peer.endpoint = Net::address(host);
    config.peers.push_back(peer);
  }
  return config;
}

}  // namespace ethnet::node
