// Why a session ends. Numbers below 0x11 are devp2p's where devp2p has the reason; ours start at
// 0x20. The number travels in the Disconnect frame and as the transport's close code.
// Spec: docs/spec/session.md, "Disconnect".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ethnet::session {

enum class DisconnectReason : std::uint8_t {
  requested = 0x00,
  transport_error = 0x01,  // devp2p: TCP subsystem error
  protocol_breach = 0x02,
  useless_peer = 0x03,
  too_many_peers = 0x04,
  already_connected = 0x05,
  incompatible_version = 0x06,  // devp2p: p2p protocol version
  quitting = 0x08,
  unexpected_identity = 0x09,
  self_connection = 0x0a,
  ping_timeout = 0x0b,  // devp2p: read timeout
  subprotocol_error = 0x10,

  handshake_timeout = 0x20,
  replaced = 0x21,               // a newer session of the same identity took over
  no_shared_capability = 0x22,   // nothing in common in the two Hellos
  capability_not_shared = 0x23,  // a stream named a capability that was not agreed
  wrong_genesis = 0x24,
  incompatible_fork = 0x25,  // EIP-2124 says that the chains part
  bad_proof = 0x26,
  pending_limit = 0x27,  // too many handshakes at once, in total or from one address
  ping_flood = 0x28,
  memory_limit = 0x29,   // shed under memory pressure
  write_timeout = 0x2a,  // bytes for the peer waited for too long: it does not read
  unknown = 0xff,        // a number that this version does not know
};

inline constexpr std::array kAllDisconnectReasons{
    DisconnectReason::requested,
    DisconnectReason::transport_error,
    DisconnectReason::protocol_breach,
    DisconnectReason::useless_peer,
    DisconnectReason::too_many_peers,
    DisconnectReason::already_connected,
    DisconnectReason::incompatible_version,
    DisconnectReason::quitting,
    DisconnectReason::unexpected_identity,
    DisconnectReason::self_connection,
    DisconnectReason::ping_timeout,
    DisconnectReason::subprotocol_error,
    DisconnectReason::handshake_timeout,
    DisconnectReason::replaced,
    DisconnectReason::no_shared_capability,
    DisconnectReason::capability_not_shared,
    DisconnectReason::wrong_genesis,
    DisconnectReason::incompatible_fork,
    DisconnectReason::bad_proof,
    DisconnectReason::pending_limit,
    DisconnectReason::ping_flood,
    DisconnectReason::memory_limit,
    DisconnectReason::write_timeout,
    DisconnectReason::unknown,
};

// "already connected", "capability not shared", ... : static text for logs and metrics.
[[nodiscard]] std::string_view to_string(DisconnectReason reason);
// What a peer's number means here; `unknown` for one that is not in the list.
[[nodiscard]] DisconnectReason reason_from_wire(std::uint64_t number);

}  // namespace ethnet::session
