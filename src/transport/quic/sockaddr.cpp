#include "sockaddr.hpp"

#include "c_bytes.hpp"

namespace ethnet::quic {

SockAddr::SockAddr(const Endpoint& endpoint) : v6{} {
  const ByteView ip = endpoint.ip.bytes();
  ByteArray<2> port{};
  store_be<std::uint16_t>(port, endpoint.port);
  if (endpoint.ip.is_v4()) {
    v4.sin_family = AF_INET;
    copy_into(std::as_writable_bytes(std::span<in_port_t, 1>{&v4.sin_port, 1}), port);
    copy_into(std::as_writable_bytes(std::span<in_addr, 1>{&v4.sin_addr, 1}), ip);
    size = sizeof v4;
  } else {
    v6.sin6_family = AF_INET6;
    copy_into(std::as_writable_bytes(std::span<in_port_t, 1>{&v6.sin6_port, 1}), port);
    copy_into(std::as_writable_bytes(std::span<in6_addr, 1>{&v6.sin6_addr, 1}), ip);
    size = sizeof v6;
  }
}

Endpoint endpoint_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto& in = *reinterpret_cast<const sockaddr_in*>(address);
    ByteArray<4> ip{};
    copy_into(ip, std::as_bytes(std::span<const in_addr, 1>{&in.sin_addr, 1}));
    return {IpAddress::v4(ip),
            load_be<std::uint16_t>(std::as_bytes(std::span<const in_port_t, 1>{&in.sin_port, 1}))};
  }
  if (address->sa_family == AF_INET6) {
    const auto& in = *reinterpret_cast<const sockaddr_in6*>(address);
    ByteArray<16> ip{};
    copy_into(ip, std::as_bytes(std::span<const in6_addr, 1>{&in.sin6_addr, 1}));
    return {IpAddress::v6(ip),
            load_be<std::uint16_t>(std::as_bytes(std::span<const in_port_t, 1>{&in.sin6_port, 1}))};
  }
  return {};
}

}  // namespace ethnet::quic
