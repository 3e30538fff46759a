// How many nodes may come from one network. Addresses of one /24 (IPv4) or one /48 (IPv6) cost
// their owner nothing, so all of them together get a few places (attack 33). Loopback and LAN are
// exempt: there one machine runs many nodes, and no stranger's address is there (attack 36).
// One thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include <types/endpoint.hpp>

namespace ethnet::kbucket {

// The subnet of an address, or nothing where no limit holds.
[[nodiscard]] std::optional<IpAddress> limited_subnet(const IpAddress& ip);

// Counts addresses by subnet and refuses those above the limit.
class IpLimits {
 public:
  explicit IpLimits(std::size_t max_per_subnet) : max_per_subnet_{max_per_subnet} {}

  [[nodiscard]] bool has_room(const IpAddress& ip) const;
  [[nodiscard]] std::size_t count(const IpAddress& ip) const;
  // False, and nothing counted, when there is no room.
  bool add(const IpAddress& ip);
  // CHECK: it was added.
  void remove(const IpAddress& ip);
  // Subnets that are counted now: 0 when everything was removed.
  [[nodiscard]] std::size_t subnets() const { return counts_.size(); }

 private:
  std::size_t max_per_subnet_;
  std::map<IpAddress, std::size_t> counts_;
};

}  // namespace ethnet::kbucket
