#include "nat.hpp"

#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace ethnet::app {

std::optional<IpAddress> external_ip(const std::string& nat) {
  constexpr std::string_view kExternalIp = "extip:";
  if (nat == "any") return std::nullopt;
  if (!nat.starts_with(kExternalIp)) {
    throw std::runtime_error(fmt::format("'{}': expected any or extip:IP", nat));
  }
  const auto ip = IpAddress::parse(nat.substr(kExternalIp.size()));
  if (!ip) throw std::runtime_error(fmt::format("'{}': {}", nat, ip.error().what()));
  if (ip->is_unspecified()) throw std::runtime_error(fmt::format("'{}' is no address", nat));
  return *ip;
}

}  // namespace ethnet::app
