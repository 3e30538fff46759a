// enode:// URLs: how people write down a node's key and where it listens.
//   enode://<128 hex digits>[@host:port[?discport=N]]
// https://ethereum.org/en/developers/docs/networking-layer/network-addresses (enode)
//
// The host is an IPv4 address, an IPv6 address in brackets, or a name, which is kept as text: to
// resolve it is the runtime's business. A URL without a host names a node without saying where.
// Threading: values. Limits: kMaxHostName, kMaxEnodeText.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/result.hpp>
#include <crypto/secp256k1.hpp>

#include "endpoint.hpp"

namespace ethnet {

enum class EnodeError : std::uint16_t {
  missing_prefix = 1,  // does not begin with "enode://"
  too_long,            // above kMaxEnodeText
  public_key_length,   // not 128 characters before "@" or the end
  public_key,          // not hex, or not a point of the curve
  host,                // neither an address nor a name
  port,
  discport,
  unknown_query  // something other than discport after "?"
};
[[nodiscard]] const ErrorDomain& error_domain(EnodeError);

inline constexpr std::size_t kMaxHostName = 253;   // RFC 1035
inline constexpr std::size_t kMaxEnodeText = 512;  // characters of a URL

struct EnodeUrl {
  crypto::PublicKey key;
  std::optional<IpAddress> ip;
  std::string host_name;  // empty unless the host is a name
  std::uint16_t tcp = 0;
  std::uint16_t udp = 0;  // equal to tcp where the URL has no discport

  // Errors carry the index of the character where the part at fault begins.
  [[nodiscard]] static Result<EnodeUrl> parse(std::string_view text);
  // Canonical: lower-case digits, RFC 5952 address, discport only where it differs.
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const EnodeUrl&, const EnodeUrl&) = default;
};

}  // namespace ethnet
