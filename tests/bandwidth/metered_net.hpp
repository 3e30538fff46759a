// A world of whole nodes (TLS, QUIC, mini-sync) in which one has limits and others want much of it.
// Every byte of UDP payload at its socket is counted where the world hands it over, not by the
// node.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <chain/header_input.hpp>
#include <das/dataset.hpp>
#include <sim/sim_node.hpp>
#include <sim/world.hpp>

namespace ethnet::testing {

struct Moved {
  Instant at;  // by the node's clock
  std::size_t bytes = 0;
};

// What a node's socket has moved, and what it told.
struct Meter {
  std::vector<Moved> in;
  std::vector<Moved> out;
  std::vector<std::pair<Instant, std::uint64_t>> heads;  // when it had which height
  std::size_t sessions_up = 0;
  std::size_t sessions_down = 0;
  std::vector<std::string> reasons;  // of those that ended
  std::optional<das::DataId> published;
};
// In [from, from + time).
[[nodiscard]] std::size_t moved(const std::vector<Moved>& moved, Instant from, Duration time);

class MeteredNode : public sim::SimNode {
 public:
  MeteredNode(std::unique_ptr<node::Node> node, Meter& meter)
      : SimNode{std::move(node)}, meter_{meter} {}

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
    for (const Datagram& datagram : batch) meter_.in.push_back({now.mono, datagram.bytes.size()});
    SimNode::handle_datagrams(now, batch);
  }
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out) {
    auto burst = SimNode::poll_transmit(now, out);
    if (burst) meter_.out.push_back({now.mono, burst->size});
    return burst;
  }

 private:
  Meter& meter_;
};

class MeteredNet {
 public:
  explicit MeteredNet(std::uint64_t seed);

  // A node that has the first `headers` of the chain and dials `dials`.
  using Configure = std::function<void(node::NodeConfig&)>;
  using Key = std::shared_ptr<const crypto::SecretKey>;
  sim::HostId add(std::size_t headers, std::vector<sim::HostId> dials,
                  const Configure& configure = {}, Key key = {});
  [[nodiscard]] Key make_key(std::string_view name) const;
  // One more block on what `host` has.
  void seal(sim::HostId host);
  // The same data at each host.
  das::DataId publish(sim::HostId host, std::size_t bytes, std::uint32_t chunk_size);
  void fetch(sim::HostId host, const das::DataId& id);
  void run(Duration time) { world.run_until(world.now() + time); }
  [[nodiscard]] const node::Node& node(sim::HostId host) const;
  [[nodiscard]] Meter& meter(sim::HostId host) { return *meters_.at(host); }
  [[nodiscard]] Instant clock(sim::HostId host) const { return world.now_at(host).mono; }
  [[nodiscard]] std::uint64_t counter(sim::HostId host, std::string_view name) const;
  // From the time at which `at` had each of its heads since `from`, until all of `others` had it;
  // never, where one has none so far.
  [[nodiscard]] std::vector<Duration> head_delays(sim::HostId at, Instant from,
                                                  const std::vector<sim::HostId>& others) const;

  sim::World world;

 private:
  [[nodiscard]] const std::vector<chain::HeaderInput>& chain(std::size_t headers);

  Genesis genesis_;
  std::vector<chain::HeaderInput> chain_;
  std::vector<std::unique_ptr<Meter>> meters_;
};

// `body` on a fresh thread with the world's clocks and entropy.
void in_metered_net(std::uint64_t seed, const std::function<void(MeteredNet&)>& body);

}  // namespace ethnet::testing
