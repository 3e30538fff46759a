#include "filter.hpp"

#include <utility>

#include <base/check.hpp>

namespace ethnet::filter {
namespace {

constexpr std::size_t kSiteBytes = 16 + 2;
// v4 and v6 differ in length, so that no address of one is the other's.
ByteView write_site(const Endpoint& site, MutByteView out) {
  const ByteView ip = site.ip.bytes();
  copy_into(out, ip);
  store_be<std::uint16_t>(out.subspan(ip.size(), 2), site.port);
  return out.first(ip.size() + 2);
}

// Who pays together: an IPv4 address, an IPv6 /64; on a LAN each address and port, since there one
// machine runs many nodes.
Endpoint site_of(const Endpoint& from) {
  if (from.ip.is_lan()) return from;
  return {from.ip.is_v4() ? from.ip : from.ip.masked(64), 0};
}

CostBucket full(const Rate& rate) { return {rate.burst, rate.per_second}; }

// What stands under this key; `fresh` where nothing did. Counts what made way for it.
template <class Map, class Key, class T>
T& entry(Map& map, const Key& key, const T& fresh, std::uint64_t& forgotten) {
  if (T* known = map.use(key)) return *known;
  if (map.insert(key, fresh)) ++forgotten;
  T* const made = map.find(key);
  CHECK(made != nullptr);
  return *made;
}

}  // namespace

std::size_t Filter::Hash::operator()(const Endpoint& site) const noexcept {
  ByteArray<kSiteBytes> bytes{};
  return static_cast<std::size_t>(sip_hash(key, write_site(site, bytes)));
}

std::size_t Filter::Hash::operator()(const NodeAt& node) const noexcept {
  ByteArray<32 + kSiteBytes> bytes{};
  const MutByteView out{bytes};
  copy_into(out, node.id.view());
  const std::size_t site = write_site(node.site, out.subspan(32)).size();
  return static_cast<std::size_t>(sip_hash(key, out.first(32 + site)));
}

Filter::Filter(const SipKey& of_places, const SipKey& of_nodes, const FilterLimits& limits)
    : limits_{limits},
      looks_{full(limits.looks)},
      answers_{full(limits.answers)},
      curve_{full(limits.strangers_curve), full(limits.strangers_curve), full(limits.proven_curve),
             full(limits.answers_curve)},
      addresses_{limits.addresses, Hash{of_places}},
      nets_{limits.nets, Hash{of_places}},
      identities_{limits.identities, Hash{of_nodes}},
      known_{limits.known, Hash{of_places}} {}

Filter::Site& Filter::site(const Endpoint& from) noexcept {
  const Rate& rate = from.ip.is_lan() ? limits_.lan : limits_.address;
  return entry(addresses_, site_of(from), Site{full(rate), full(rate)},
               counters_.forgotten_addresses);
}

CostBucket& Filter::net(const IpAddress& ip) noexcept {
  return entry(nets_, Endpoint{subnet_of(ip), 0}, full(limits_.net), counters_.forgotten_nets);
}

// What is beyond the budget of its address takes nothing of its neighbours'.
Filter::Payment Filter::pay(Now now, const Endpoint& from) noexcept {
  if (!from.ip.is_loopback()) {
    if (!site(from).datagrams.take(now, 1)) return Payment::address_has_nothing;
    const bool has_neighbours = !from.ip.is_v4() && !from.ip.is_lan();
    if (has_neighbours && !net(from.ip).take(now, 1)) return Payment::net_has_nothing;
  }
  ++counters_.allowed;
  return Payment::made;
}

void Filter::count_refused(Payment why) noexcept {
  ++(why == Payment::net_has_nothing ? counters_.refused_nets : counters_.refused_addresses);
}

bool Filter::allow(Now now, const Endpoint& from) noexcept {
  const Payment payment = pay(now, from);
  if (payment == Payment::made) return true;
  count_refused(payment);
  return false;
}

// The address is anybody's to write: who is there is looked for among all that says to come from
// there, as long as looking costs little.
Admission Filter::admit(Now now, const Endpoint& from) noexcept {
  const Payment payment = pay(now, from);
  if (payment == Payment::made) return Admission::paid;
  Known* const known = known_.find(from);
  if (known != nullptr && looks_.take(now, 1)) {
    ++counters_.looked_at;
    return Admission::looked_at;
  }
  count_refused(payment);
  if (known != nullptr) {
    ++counters_.refused_looks;
    known->refused_at = now.mono;
  }
  return Admission::refused;
}

bool Filter::allow_request(Now now, const Endpoint& from) noexcept {
  if (from.ip.is_loopback() || site(from).requests.take(now, 1)) return true;
  ++counters_.refused_requests;
  return false;
}

bool Filter::allow_answer(Now now, std::size_t bytes) noexcept {
  if (answers_.take(now, static_cast<std::int64_t>(bytes))) return true;
  ++counters_.refused_answers;
  return false;
}

void Filter::know(const Endpoint& at) noexcept {
  if (known_.use(at) == nullptr) known_.insert(at, Known{});
}

bool Filter::is_drowned(Now now, const Endpoint& at) noexcept {
  const Known* const known = known_.find(at);
  return known != nullptr && known->refused_at > now.mono - kDrownedFor;
}

bool Filter::allow(Now now, const Endpoint& from, const NodeId& id) noexcept {
  return take_of_node(now, from, id, &Node::proven);
}

bool Filter::allow_claim(Now now, const Endpoint& from, const NodeId& id) noexcept {
  return take_of_node(now, from, id, &Node::claimed);
}

bool Filter::take_of_node(Now now, const Endpoint& from, const NodeId& id,
                          CostBucket Node::* budget) noexcept {
  if (from.ip.is_loopback()) return true;
  const Node fresh{full(limits_.identity), full(limits_.identity)};
  Node& node = entry(identities_, NodeAt{id, site_of(from)}, fresh, counters_.forgotten_identities);
  if ((node.*budget).take(now, 1)) return true;
  ++counters_.refused_identities;
  return false;
}

bool Filter::allow_curve_work(Now now, Trust trust, std::int64_t cost) noexcept {
  CHECK(cost >= 1 && cost <= kMaxCurveCost);
  if (curve_.at(std::to_underlying(trust)).take(now, cost)) return true;
  if (trust == Trust::proven || trust == Trust::answer) {
    ++counters_.refused_proven_work;
    return false;
  }
  ++counters_.refused_strangers_work;
  strangers_refused_at_ = now.mono;
  return false;
}

}  // namespace ethnet::filter
