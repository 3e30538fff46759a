// Endpoint <-> the socket address structures that ngtcp2 compares paths with.
#pragma once

#include <netinet/in.h>
#include <types/endpoint.hpp>

namespace ethnet::quic {

struct SockAddr {
  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size = 0;

  explicit SockAddr(const Endpoint& endpoint);
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&v4); }
};

// Of an address that ngtcp2 holds; anything but IPv4 and IPv6 gives the unspecified endpoint.
[[nodiscard]] Endpoint endpoint_of(const sockaddr* address);

}  // namespace ethnet::quic
