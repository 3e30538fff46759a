#include "capability.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

namespace ethnet::session {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<SessionError>(code)) {
    case SessionError::unknown_session:
      return "no such session";
    case SessionError::not_agreed:
      return "capability not agreed";
    case SessionError::would_block:
      return "send budget used up";
    case SessionError::too_large:
      return "payload too large";
    case SessionError::bad_capability:
      return "malformed capability";
    case SessionError::too_many_items:
      return "list too long";
    case SessionError::self_connection:
      return "that is our own identity";
    case SessionError::already_connected:
      return "already connected";
    case SessionError::already_dialing:
      return "already dialing";
    case SessionError::too_many_peers:
      return "too many peers";
    case SessionError::too_many_visits:
      return "too many visits";
    case SessionError::pending_limit:
      return "too many pending connections";
    case SessionError::memory_limit:
      return "sessions hold too much memory";
    case SessionError::transport:
      return "the transport refused";
    case SessionError::shut_down:
      return "shut down";
    case SessionError::truncated:
      return "truncated";
    case SessionError::bad_frame:
      return "unknown or oversized control frame";
    case SessionError::bad_body:
      return "malformed control frame";
    case SessionError::bad_proof:
      return "identity proof does not verify";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"session", describe};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view name) {
  if (name.empty() || !is_lower(name.front())) return false;
  return std::ranges::all_of(
      name, [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; });
}

// Decimal, canonical, at most 65535.
std::optional<std::uint16_t> parse_part(std::string_view digits) {
  if (digits.empty() || digits.size() > 5) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (value > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

}  // namespace

const ErrorDomain& error_domain(SessionError) { return kDomain; }

Result<Capability> Capability::parse(std::string_view literal) {
  if (literal.size() > kMaxCapabilityBytes) {
    return fail(SessionError::bad_capability, kMaxCapabilityBytes);
  }
  const std::size_t slash = literal.find('/');
  if (slash == std::string_view::npos || !is_name(literal.substr(0, slash))) {
    return fail(SessionError::bad_capability);
  }
  const std::string_view version = literal.substr(slash + 1);
  const std::size_t dot = version.find('.');
  const auto major = parse_part(version.substr(0, dot));
  if (!major) return fail(SessionError::bad_capability, slash + 1);
  std::uint16_t minor = 0;
  if (dot != std::string_view::npos) {
    const auto part = parse_part(version.substr(dot + 1));
    // "x/1.0" would be a second spelling of "x/1".
    if (!part || *part == 0) return fail(SessionError::bad_capability, slash + 1 + dot);
    minor = *part;
  }
  return Capability{std::string{literal.substr(0, slash)}, version_of(*major, minor)};
}

std::string Capability::to_string() const {
  std::string out = name;
  out += '/';
  out += std::to_string(version >> 16);
  if ((version & 0xffff) != 0) {
    out += '.';
    out += std::to_string(version & 0xffff);
  }
  return out;
}

std::vector<Capability> intersect(std::span<const Capability> ours,
                                  std::span<const Capability> theirs) {
  std::vector<Capability> a{ours.begin(), ours.end()};
  std::vector<Capability> b{theirs.begin(), theirs.end()};
  std::ranges::sort(a);
  std::ranges::sort(b);
  std::vector<Capability> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  // Of each name the last one is the highest.
  std::vector<Capability> agreed;
  for (Capability& capability : common) {
    if (!agreed.empty() && agreed.back().name == capability.name) {
      agreed.back() = std::move(capability);
    } else {
      agreed.push_back(std::move(capability));
    }
  }
  return agreed;
}

}  // namespace ethnet::session
