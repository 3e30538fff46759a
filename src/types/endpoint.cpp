#include "endpoint.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <base/check.hpp>
#include <fmt/format.h>

namespace ethnet {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<EndpointError>(code)) {
    case EndpointError::bad_address:
      return "not an IP address";
    case EndpointError::bad_port:
      return "not a port (0 to 65535)";
    case EndpointError::missing_port:
      return "missing :port";
    case EndpointError::scoped_address:
      return "an address with a scope (%) is not supported";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"endpoint", describe};

constexpr std::size_t kGroups = 8;
using Groups = std::array<std::uint16_t, kGroups>;

bool is_v4_mapped(ByteView bytes) {
  const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
  return std::ranges::all_of(bytes.first(10), is_zero) && bytes[10] == std::byte{0xff} &&
         bytes[11] == std::byte{0xff};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Decimal without sign, blanks or leading zeros.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t max) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return {};
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value > max) return {};
  return value;
}

std::optional<ByteArray<4>> parse_v4(std::string_view text) {
  ByteArray<4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t end = text.find('.');
    if ((end == std::string_view::npos) != (i == out.size() - 1)) return {};
    const auto part = parse_decimal(text.substr(0, end), 255);
    if (!part) return {};
    out[i] = static_cast<std::byte>(*part);
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return out;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return {};
  int value = 0;
  for (const char c : text) {
    const int digit = hex_value(c);
    if (digit < 0) return {};
    value = value * 16 + digit;
  }
  return static_cast<std::uint16_t>(value);
}

// Groups separated by single colons; the last one of the address may be a dotted quad.
struct GroupList {
  Groups groups{};
  std::size_t count = 0;
};
std::optional<GroupList> parse_groups(std::string_view text, bool ends_address) {
  GroupList out;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const bool last = colon == std::string_view::npos;
    const std::string_view part = text.substr(0, colon);
    if (last && ends_address && part.find('.') != std::string_view::npos) {
      const auto quad = parse_v4(part);
      if (!quad || out.count > kGroups - 2) return {};
      out.groups[out.count++] = load_be<std::uint16_t>(ByteView{*quad}.first(2));
      out.groups[out.count++] = load_be<std::uint16_t>(ByteView{*quad}.last(2));
      return out;
    }
    const auto group = parse_group(part);
    if (!group || out.count == kGroups) return {};
    out.groups[out.count++] = *group;
    if (last) return out;
    text.remove_prefix(colon + 1);
    if (text.empty()) return {};  // ends with a single colon
  }
  return out;
}

// RFC 4291, 2.2: eight groups, or fewer around one "::" that stands for at least one zero group.
std::optional<ByteArray<16>> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto head = parse_groups(text.substr(0, gap), !has_gap);
  const auto tail = parse_groups(has_gap ? text.substr(gap + 2) : std::string_view{}, true);
  if (!head || !tail) return {};
  const std::size_t count = head->count + tail->count;
  if (has_gap ? count >= kGroups : count != kGroups) return {};
  ByteArray<16> out{};
  const MutByteView bytes{out};
  for (std::size_t i = 0; i < head->count; ++i) store_be(bytes.subspan(2 * i, 2), head->groups[i]);
  for (std::size_t i = 0; i < tail->count; ++i) {
    const std::size_t at = kGroups - tail->count + i;
    store_be(bytes.subspan(2 * at, 2), tail->groups[i]);
  }
  return out;
}

// The longest run of at least two zero groups, the first among equals (RFC 5952, 4.2).
struct Run {
  std::size_t start = 0;
  std::size_t length = 0;
};
Run longest_zero_run(const Groups& groups) {
  Run best;
  Run current;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (groups[i] != 0) {
      current = {};
      continue;
    }
    if (current.length == 0) current.start = i;
    ++current.length;
    if (current.length > best.length) best = current;
  }
  return best.length >= 2 ? best : Run{};
}

std::string format_v6(ByteView bytes) {
  Groups groups{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups[i] = load_be<std::uint16_t>(bytes.subspan(2 * i, 2));
  }
  const Run gap = longest_zero_run(groups);
  std::string out;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (gap.length > 0 && i == gap.start) {
      out += "::";
      i += gap.length - 1;
      continue;
    }
    if (!out.empty() && !out.ends_with(':')) out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

}  // namespace

const ErrorDomain& error_domain(EndpointError) { return kDomain; }

IpAddress IpAddress::v4(const ByteArray<4>& bytes) {
  IpAddress out;
  copy_into(out.bytes_, bytes);
  return out;
}

IpAddress IpAddress::v6(const ByteArray<16>& bytes) {
  IpAddress out;
  if (is_v4_mapped(bytes)) {
    copy_into(out.bytes_, ByteView{bytes}.last(4));
    return out;
  }
  out.v6_ = true;
  out.bytes_ = bytes;
  return out;
}

IpAddress IpAddress::loopback_v4() {
  return v4({std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}});
}

IpAddress IpAddress::loopback_v6() {
  ByteArray<16> bytes{};
  bytes.back() = std::byte{1};
  return v6(bytes);
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (const std::size_t scope = text.find('%'); scope != std::string_view::npos) {
    return fail(EndpointError::scoped_address, scope);
  }
  if (text.find(':') == std::string_view::npos) {
    const auto bytes = parse_v4(text);
    if (!bytes) return fail(EndpointError::bad_address);
    return v4(*bytes);
  }
  const auto bytes = parse_v6(text);
  if (!bytes) return fail(EndpointError::bad_address);
  return v6(*bytes);
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](std::byte b) { return b == std::byte{0}; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == std::byte{127};
  return *this == loopback_v6();
}

IpAddress subnet_of(const IpAddress& ip) { return ip.masked(ip.is_v4() ? 24 : 48); }

IpAddress IpAddress::masked(std::size_t bits) const {
  CHECK(bits <= bytes().size() * 8);
  IpAddress out = *this;
  for (std::size_t i = 0; i < out.bytes_.size(); ++i) {
    const std::size_t kept = bits > i * 8 ? std::min<std::size_t>(bits - i * 8, 8) : 0;
    out.bytes_[i] &= static_cast<std::byte>(0xFF00U >> kept);
  }
  return out;
}

bool IpAddress::is_lan() const {
  const auto first = std::to_integer<unsigned>(bytes_[0]);
  const auto second = std::to_integer<unsigned>(bytes_[1]);
  if (is_v4()) {
    return first == 10 || (first == 172 && (second & 0xf0) == 16) ||
           (first == 192 && second == 168) || (first == 169 && second == 254);
  }
  return (first & 0xfe) == 0xfc || (first == 0xfe && (second & 0xc0) == 0x80);
}

std::string IpAddress::to_string() const {
  if (!is_v4()) return format_v6(bytes());
  const auto part = [this](std::size_t i) { return std::to_integer<unsigned>(bytes_[i]); };
  return fmt::format("{}.{}.{}.{}", part(0), part(1), part(2), part(3));
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  // Before the port. The text need not have brackets to show what was meant.
  if (const std::size_t scope = text.find('%'); text.find(':', scope) != std::string_view::npos) {
    return fail(EndpointError::scoped_address, scope);
  }
  const bool bracketed = text.starts_with('[');
  const std::size_t colon = bracketed ? text.find("]:") : text.find(':');
  if (colon == std::string_view::npos) return fail(EndpointError::missing_port, text.size());
  const std::string_view address = bracketed ? text.substr(1, colon - 1) : text.substr(0, colon);
  const std::size_t port_at = colon + (bracketed ? 2 : 1);
  const bool is_v6_text = address.find(':') != std::string_view::npos;
  if (is_v6_text != bracketed) return fail(EndpointError::bad_address);
  Endpoint out;
  out.ip = TRY(IpAddress::parse(address));
  const auto port = parse_decimal(text.substr(port_at), 0xffff);
  if (!port) return fail(EndpointError::bad_port, port_at);
  out.port = static_cast<std::uint16_t>(*port);
  return out;
}

std::string Endpoint::to_string() const {
  return ip.is_v4() ? fmt::format("{}:{}", ip.to_string(), port)
                    : fmt::format("[{}]:{}", ip.to_string(), port);
}

}  // namespace ethnet
