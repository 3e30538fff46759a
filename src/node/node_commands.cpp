// What an operator tells a running node.
#include <utility>

#include "node.hpp"

namespace ethnet::node {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<NodeError>(code)) {
    case NodeError::no_das:
      return "das-lite is switched off";
    case NodeError::too_many_static_peers:
      return "there are as many peers to dial as there may be";
    case NodeError::outside_netrestrict:
      return "its address is in none of the networks that are allowed";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"node", describe};

}  // namespace

const ErrorDomain& error_domain(NodeError) { return kDomain; }

Result<bool> Node::add_peer(Now now, StaticPeer peer) {
  const std::optional<NodeId> id = peer.expected;
  const Dialer::Added added = dialer_.add(now, std::move(peer));
  if (added == Dialer::Added::full) return fail(NodeError::too_many_static_peers);
  if (id) rotation_.set_named(*id, true);
  route(now);
  return added == Dialer::Added::fresh;
}

bool Node::remove_peer(Now now, const StaticPeer& peer) {
  const Dialer::Removed removed = dialer_.remove(peer);
  const auto session = removed.id ? sessions_->find(*removed.id) : std::nullopt;
  if (removed.id) rotation_.set_named(*removed.id, is_named(*removed.id));
  if (session) sessions_->disconnect(now, *session, session::DisconnectReason::requested);
  route(now);
  return removed.found || session.has_value();
}

Result<std::uint64_t> Node::publish(Now now, Bytes data, std::uint32_t chunk_size) {
  if (!das_) return fail(NodeError::no_das);
  auto run = das_->publish(now, std::move(data), chunk_size);
  route(now);
  return run;
}

Result<std::uint64_t> Node::sample(Now now, const das::DataId& id, std::uint32_t k) {
  if (!das_) return fail(NodeError::no_das);
  auto run = das_->sample(now, id, k);
  route(now);
  return run;
}

std::uint64_t Node::look_up(Now now, const NodeId& target) {
  if (!discovery_) return 0;
  const std::uint64_t lookup = discovery_->start_lookup(now, target);
  route(now);
  return lookup;
}

Result<std::uint64_t> Node::fetch(Now now, const das::DataId& id) {
  if (!das_) return fail(NodeError::no_das);
  auto run = das_->get(now, id);
  route(now);
  return run;
}

}  // namespace ethnet::node
