#include "sockaddr.hpp"

#include <cstring>

#include <base/check.hpp>
#include <netinet/in.h>

namespace ethnet::runtime {

SocketAddress to_socket_address(const Endpoint& endpoint, bool v6, std::uint32_t scope) {
  SocketAddress out;
  const ByteView ip = endpoint.ip.bytes();
  if (!v6) {
    CHECK(endpoint.ip.is_v4());
    auto& in = reinterpret_cast<sockaddr_in&>(out.storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, ip.data(), 4);
    out.size = sizeof in;
    return out;
  }
  auto& in = reinterpret_cast<sockaddr_in6&>(out.storage);
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(endpoint.port);
  if (endpoint.ip.is_v4()) {  // v4-mapped, on a dual-stack socket
    if (!endpoint.ip.is_unspecified()) {
      in.sin6_addr.s6_addr[10] = in.sin6_addr.s6_addr[11] = 0xff;
      std::memcpy(&in.sin6_addr.s6_addr[12], ip.data(), 4);
    }
  } else {
    std::memcpy(&in.sin6_addr, ip.data(), 16);
    in.sin6_scope_id = scope;
  }
  out.size = sizeof in;
  return out;
}

Endpoint from_socket_address(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address.storage);
    ByteArray<4> bytes{};
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return {IpAddress::v4(bytes), ntohs(in.sin_port)};
  }
  const auto& in = reinterpret_cast<const sockaddr_in6&>(address.storage);
  ByteArray<16> bytes{};
  std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
  return {IpAddress::v6(bytes), ntohs(in.sin6_port)};
}

std::uint32_t scope_of(const SocketAddress& address) {
  if (address.storage.ss_family != AF_INET6) return 0;
  return reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_scope_id;
}

bool is_link_local(const IpAddress& ip) {
  return !ip.is_v4() && ip.bytes()[0] == std::byte{0xfe} &&
         (ip.bytes()[1] & std::byte{0xc0}) == std::byte{0x80};
}

void Scopes::remember(const IpAddress& ip, std::uint32_t scope) {
  if (scope == 0 || !is_link_local(ip)) return;
  if (!scopes_.insert_or_assign(ip, scope).second) return;
  order_.push_back(ip);
  if (order_.size() <= kMaxScopes) return;
  scopes_.erase(order_.front());
  order_.pop_front();
}

std::uint32_t Scopes::find(const IpAddress& ip) const {
  const auto it = scopes_.find(ip);
  return it == scopes_.end() ? 0 : it->second;
}

}  // namespace ethnet::runtime
