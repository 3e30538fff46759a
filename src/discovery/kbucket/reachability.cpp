#include "reachability.hpp"

#include <algorithm>

namespace ethnet::kbucket {

void Reachability::on_address(Now now, const Endpoint& endpoint) {
  one(!endpoint.ip.is_v4()) = {
      .endpoint = endpoint, .lost = false, .doubted_at = now.mono + kArrivalWithin, .put_off = 0};
}

std::optional<AddressVerdict> Reachability::overdue(Now now, bool unheard) {
  for (Address& address : addresses_) {
    if (address.doubted_at > now.mono) continue;
    if (unheard && !address.lost && address.put_off < kMaxVerdictsPutOff) {
      ++address.put_off;
      address.doubted_at = now.mono + kArrivalWithin;
      continue;
    }
    address.put_off = 0;
    address.lost = !address.lost;
    address.doubted_at = now.mono + (address.lost ? kTryAgainAfter : kArrivalWithin);
    return AddressVerdict{address.endpoint, address.lost};
  }
  return std::nullopt;
}

Instant Reachability::next_deadline() const {
  return std::min(addresses_[0].doubted_at, addresses_[1].doubted_at);
}

}  // namespace ethnet::kbucket
