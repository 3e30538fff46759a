// Capabilities: what a session can carry, named by a literal string such as "mini-sync/0.1". Also
// the small vocabulary that protocols share with the session: its handle, priorities, errors.
// Spec: docs/spec/session.md, "Capabilities".
//
// Limits: kMaxCapabilities entries in a list, kMaxCapabilityBytes each.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <base/slab.hpp>

#include "disconnect.hpp"

namespace ethnet::session {

struct SessionTag;
using SessionHandle = Handle<SessionTag>;

inline constexpr std::size_t kMaxCapabilities = 64;     // in one Hello; more is a protocol breach
inline constexpr std::size_t kMaxCapabilityBytes = 32;  // of the literal string
// One payload: the largest message that any protocol may send or receive.
inline constexpr std::size_t kMaxPayloadBytes = 2 * 1024 * 1024 + 64 * 1024;

// head: block announcements and the like, before everything else; bulk: after everything else.
enum class Priority : std::uint8_t { head, normal, bulk };
inline constexpr std::size_t kPriorities = 3;

enum class SessionError : std::uint16_t {
  unknown_session = 1,  // void handle, or not active
  not_agreed,           // the session does not carry this capability
  would_block,          // budget of this capability is used up; SessionWritable follows
  too_large,            // payload above kMaxPayloadBytes
  bad_capability,       // not "name/version" within the limits
  too_many_items,
  // dial()
  self_connection,
  already_connected,
  already_dialing,
  too_many_peers,
  too_many_visits,
  pending_limit,
  memory_limit,
  transport,  // the transport refused to dial
  shut_down,  // shut_down() was called
  // control stream
  truncated,
  bad_frame,  // unknown type, or a length above the limit of the type
  bad_body,
  bad_proof,
};
[[nodiscard]] const ErrorDomain& error_domain(SessionError);

// "name/major.minor" (ours) or "name/number" (devp2p's). Orders by name, then version.
struct Capability {
  std::string name;
  std::uint32_t version = 0;  // major << 16 | minor; devp2p's "eth/69" is 69 << 16

  // Name: 1 or more of a-z 0-9 - _ and a letter first; version: decimal numbers without leading
  // zeros, each at most 65535; "x/1.0" is not canonical ("x/1" is). Error: bad_capability.
  [[nodiscard]] static Result<Capability> parse(std::string_view literal);
  [[nodiscard]] static constexpr std::uint32_t version_of(std::uint16_t major,
                                                          std::uint16_t minor) {
    return (std::uint32_t{major} << 16) | minor;
  }
  [[nodiscard]] std::string to_string() const;  // the literal string, as on the wire

  friend auto operator<=>(const Capability&, const Capability&) = default;
};

// The highest common version of each name, ordered by name; the order of the inputs and which of
// them is ours do not matter.
[[nodiscard]] std::vector<Capability> intersect(std::span<const Capability> ours,
                                                std::span<const Capability> theirs);

}  // namespace ethnet::session
