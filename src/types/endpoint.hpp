// IP address and UDP or TCP port, v4 and v6, as a value that orders and prints.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet {

enum class EndpointError : std::uint16_t {
  bad_address = 1,
  bad_port,
  missing_port,
  scoped_address  // fe80::1%eth0: which link is meant is lost in an IpAddress, so it is refused
};
[[nodiscard]] const ErrorDomain& error_domain(EndpointError);

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  [[nodiscard]] static IpAddress v4(const ByteArray<4>& bytes);
  // A v4-mapped address (::ffff:a.b.c.d) becomes v4.
  [[nodiscard]] static IpAddress v6(const ByteArray<16>& bytes);
  [[nodiscard]] static IpAddress loopback_v4();
  [[nodiscard]] static IpAddress loopback_v6();
  // Dotted quad or RFC 4291 text without brackets. Errors: bad_address, scoped_address.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return !v6_; }
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  // 10/8, 172.16/12, 192.168/16, 169.254/16, fc00::/7, fe80::/10.
  [[nodiscard]] bool is_lan() const;
  // The first address of its block: all but the first `bits` are 0. CHECK: bits is at most the
  // address's size.
  [[nodiscard]] IpAddress masked(std::size_t bits) const;
  // 4 or 16 bytes, network order.
  [[nodiscard]] ByteView bytes() const { return ByteView{bytes_}.first(v6_ ? 16 : 4); }
  [[nodiscard]] std::string to_string() const;  // RFC 5952

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v6_ = false;
  ByteArray<16> bytes_{};
};

// What costs its owner nothing: an IPv4 /24 or an IPv6 /48, named by its first address.
[[nodiscard]] IpAddress subnet_of(const IpAddress& ip);

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;

  // "1.2.3.4:30303" or "[::1]:30303". Errors: EndpointError.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace ethnet
