#include "filter.hpp"

#include <base/check.hpp>
#include <base/sip_key.hpp>

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

// The bucket under this key, a full one where there was none. Whether one made way for it.
template <class Map, class Key>
CostBucket& bucket(Map& map, const Key& key, const Rate& rate, std::uint64_t& forgotten) {
  if (CostBucket* known = map.use(key)) return *known;
  if (map.insert(key, full(rate))) ++forgotten;
  CostBucket* const made = map.find(key);
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

Filter::Filter(SecureRng& rng, const FilterLimits& limits)
    : limits_{limits},
      strangers_curve_{full(limits.strangers_curve)},
      proven_curve_{full(limits.proven_curve)},
      addresses_{limits.addresses, Hash{draw_sip_key(rng)}},
      nets_{limits.nets, Hash{draw_sip_key(rng)}},
      identities_{limits.identities, Hash{draw_sip_key(rng)}} {}

bool Filter::allow(Now now, const Endpoint& from) noexcept {
  if (!from.ip.is_loopback()) {
    // What is beyond the budget of its address takes nothing of its neighbours'.
    if (!take_of_address(now, from) || !take_of_net(now, from.ip)) return false;
  }
  ++counters_.allowed;
  return true;
}

bool Filter::take_of_address(Now now, const Endpoint& from) noexcept {
  const Rate& rate = from.ip.is_lan() ? limits_.lan : limits_.address;
  CostBucket& budget = bucket(addresses_, site_of(from), rate, counters_.forgotten_addresses);
  if (budget.take(now, 1)) return true;
  ++counters_.refused_addresses;
  return false;
}

bool Filter::take_of_net(Now now, const IpAddress& ip) noexcept {
  if (ip.is_v4() || ip.is_lan()) return true;
  const Endpoint net{subnet_of(ip), 0};
  CostBucket& budget = bucket(nets_, net, limits_.net, counters_.forgotten_nets);
  if (budget.take(now, 1)) return true;
  ++counters_.refused_nets;
  return false;
}

bool Filter::allow(Now now, const Endpoint& from, const NodeId& id) noexcept {
  if (from.ip.is_loopback()) return true;
  const NodeAt node{id, site_of(from)};
  CostBucket& budget = bucket(identities_, node, limits_.identity, counters_.forgotten_identities);
  if (budget.take(now, 1)) return true;
  ++counters_.refused_identities;
  return false;
}

bool Filter::allow_curve_work(Now now, Trust trust, std::int64_t cost) noexcept {
  CHECK(cost >= 1 && cost <= kMaxCurveCost);
  const bool proven = trust == Trust::proven;
  if ((proven ? proven_curve_ : strangers_curve_).take(now, cost)) return true;
  ++(proven ? counters_.refused_proven_work : counters_.refused_strangers_work);
  return false;
}

}  // namespace ethnet::filter
