// Our addresses as the operating system has them, and back. A link-local address (fe80::/10) means
// something on one link only, which an Endpoint does not say: Scopes remembers beside it which link
// a peer is on. Limits: kMaxScopes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include <sys/socket.h>
#include <types/endpoint.hpp>

namespace ethnet::runtime {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
};

// For a socket of IPv6 or IPv4; on the former an IPv4 address becomes ::ffff:a.b.c.d, on the latter
// an IPv6 address is a CHECK. `scope`: the index of the interface that a link-local address is
// meant on; 0: none.
[[nodiscard]] SocketAddress to_socket_address(const Endpoint& endpoint, bool v6,
                                              std::uint32_t scope = 0);
[[nodiscard]] Endpoint from_socket_address(const SocketAddress& address);
[[nodiscard]] std::uint32_t scope_of(const SocketAddress& address);

[[nodiscard]] bool is_link_local(const IpAddress& ip);  // of IPv6

// Link-local peers whose link is remembered. The oldest goes; who sends again is known again.
inline constexpr std::size_t kMaxScopes = 1024;

// One address on two links: where it was heard last.
class Scopes {
 public:
  void remember(const IpAddress& ip, std::uint32_t scope);
  [[nodiscard]] std::uint32_t find(const IpAddress& ip) const;  // 0: not known, or not link-local
  [[nodiscard]] std::size_t size() const { return scopes_.size(); }

 private:
  std::map<IpAddress, std::uint32_t> scopes_;
  std::deque<IpAddress> order_;  // oldest first
};

}  // namespace ethnet::runtime
