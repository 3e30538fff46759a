#include "enode_url.hpp"

#include <base/hex.hpp>
#include <fmt/format.h>

namespace ethnet {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<EnodeError>(code)) {
    case EnodeError::missing_prefix:
      return "does not begin with enode://";
    case EnodeError::too_long:
      return "URL too long";
    case EnodeError::public_key_length:
      return "public key is not 128 hex digits";
    case EnodeError::public_key:
      return "not a public key";
    case EnodeError::host:
      return "neither an IP address nor a host name";
    case EnodeError::port:
      return "not a port (0 to 65535)";
    case EnodeError::discport:
      return "discport is not a port (0 to 65535)";
    case EnodeError::unknown_query:
      return "unknown parameter after ?";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"enode", describe};

constexpr std::string_view kPrefix = "enode://";
constexpr std::string_view kDiscport = "discport=";
constexpr std::size_t kKeyDigits = 128;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return {};
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value > 0xffff) return {};
  return static_cast<std::uint16_t>(value);
}

// Labels of letters, digits, '-' and '_', none empty; one final dot is allowed. A name of digits
// and dots alone is a mistyped address.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxHostName) return false;
  std::size_t label = 0;
  bool has_letter = false;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
    has_letter = has_letter || letter;
    if (++label > 63) return false;
  }
  return has_letter;
}

Result<crypto::PublicKey> parse_key(std::string_view digits, std::uint64_t at) {
  if (digits.size() != kKeyDigits) return fail(EnodeError::public_key_length, at);
  ByteArray<kKeyDigits / 2> xy{};
  // from_hex_into would take "0x" for a prefix; then the digits do not fill the array.
  if (!from_hex_into(digits, xy)) return fail(EnodeError::public_key, at);
  const auto key = crypto::PublicKey::parse(xy);
  if (!key) return fail(EnodeError::public_key, at);
  return *key;
}

Result<void> parse_host(std::string_view text, std::uint64_t at, EnodeUrl& out) {
  if (text.starts_with('[') && text.ends_with(']')) {
    const auto ip = IpAddress::parse(text.substr(1, text.size() - 2));
    if (!ip || text.find(':') == std::string_view::npos) return fail(EnodeError::host, at);
    out.ip = *ip;
    return {};
  }
  if (const auto ip = IpAddress::parse(text);
      ip && ip->is_v4() && text.find(':') == std::string_view::npos) {
    out.ip = *ip;
    return {};
  }
  if (!is_host_name(text)) return fail(EnodeError::host, at);
  out.host_name = text;
  return {};
}

// "host:port[?discport=N]", which begins at character `at` of the URL.
Result<void> parse_location(std::string_view text, std::uint64_t at, EnodeUrl& out) {
  const std::size_t question = text.find('?');
  const std::string_view authority = text.substr(0, question);
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && !authority.ends_with(']');
  TRY(parse_host(has_port ? authority.substr(0, colon) : authority, at, out));
  if (!has_port) return fail(EnodeError::port, at + authority.size());
  const auto tcp = parse_port(authority.substr(colon + 1));
  if (!tcp) return fail(EnodeError::port, at + colon + 1);
  out.tcp = *tcp;
  out.udp = *tcp;
  if (question == std::string_view::npos) return {};
  const std::string_view query = text.substr(question + 1);
  if (!query.starts_with(kDiscport)) return fail(EnodeError::unknown_query, at + question + 1);
  const auto udp = parse_port(query.substr(kDiscport.size()));
  if (!udp) return fail(EnodeError::discport, at + question + 1 + kDiscport.size());
  out.udp = *udp;
  return {};
}

}  // namespace

const ErrorDomain& error_domain(EnodeError) { return kDomain; }

Result<EnodeUrl> EnodeUrl::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return fail(EnodeError::missing_prefix);
  if (text.size() > kMaxEnodeText) return fail(EnodeError::too_long, kMaxEnodeText);
  const std::string_view rest = text.substr(kPrefix.size());
  const std::size_t sign = rest.find('@');
  const crypto::PublicKey key = TRY(parse_key(rest.substr(0, sign), kPrefix.size()));
  EnodeUrl out{.key = key, .ip = {}, .host_name = {}, .tcp = 0, .udp = 0};
  if (sign == std::string_view::npos) return out;
  TRY(parse_location(rest.substr(sign + 1), kPrefix.size() + sign + 1, out));
  return out;
}

std::string EnodeUrl::to_string() const {
  std::string text = fmt::format("{}{}", kPrefix, to_hex(key.xy()));
  if (!ip && host_name.empty()) return text;
  text += '@';
  text += ip ? Endpoint{*ip, tcp}.to_string() : fmt::format("{}:{}", host_name, tcp);
  if (udp != tcp) text += fmt::format("?{}{}", kDiscport, udp);
  return text;
}

}  // namespace ethnet
