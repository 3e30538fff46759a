#include "probe_budget.hpp"

#include "ip_limits.hpp"

namespace ethnet::kbucket {
namespace {

// One host has a /64 to itself.
IpAddress site_of(const IpAddress& ip) {
  if (ip.is_v4()) return ip;
  ByteArray<16> prefix{};
  copy_into(prefix, ip.bytes().first(8));
  return IpAddress::v6(prefix);
}

}  // namespace

bool ProbeBudget::take(Now now, const IpAddress& ip) {
  if (!limited_subnet(ip)) return true;
  while (!knocks_.empty() && knocks_.front().at + kProbeWindow <= now.mono) {
    const auto it = counts_.find(knocks_.front().where);
    CHECK(it != counts_.end());
    if (--it->second == 0) counts_.erase(it);
    knocks_.pop_front();
  }
  const IpAddress site = site_of(ip);
  const auto known = counts_.find(site);
  const bool has_room = known == counts_.end() ? counts_.size() < max_addresses_
                                               : known->second < kMaxProbesPerAddress;
  if (!has_room) {
    ++refused_;
    return false;
  }
  ++counts_[site];
  knocks_.push_back({now.mono, site});
  return true;
}

void ProbeBudget::prove(const Endpoint& endpoint) {
  if (!proven_.insert(endpoint).second) return;
  proven_order_.push_back(endpoint);
  if (proven_order_.size() <= kMaxProvenAddresses) return;
  proven_.erase(proven_order_.front());
  proven_order_.pop_front();
}

}  // namespace ethnet::kbucket
