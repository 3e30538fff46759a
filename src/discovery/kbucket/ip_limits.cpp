#include "ip_limits.hpp"

#include "scope.hpp"

namespace ethnet::kbucket {

std::optional<IpAddress> limited_subnet(const IpAddress& ip) {
  const Scope scope = scope_of(ip);
  if (scope == Scope::loopback || scope == Scope::lan) return std::nullopt;
  return subnet_of(ip);
}

bool IpLimits::has_room(const IpAddress& ip) const { return count(ip) < max_per_subnet_; }

std::size_t IpLimits::count(const IpAddress& ip) const {
  const auto subnet = limited_subnet(ip);
  if (!subnet) return 0;
  const auto it = counts_.find(*subnet);
  return it == counts_.end() ? 0 : it->second;
}

bool IpLimits::add(const IpAddress& ip) {
  if (!has_room(ip)) return false;
  if (const auto subnet = limited_subnet(ip)) ++counts_[*subnet];
  return true;
}

void IpLimits::remove(const IpAddress& ip) {
  const auto subnet = limited_subnet(ip);
  if (!subnet) return;
  const auto it = counts_.find(*subnet);
  CHECK(it != counts_.end());
  if (--it->second == 0) counts_.erase(it);
}

}  // namespace ethnet::kbucket
