#include "disconnect.hpp"

namespace ethnet::session {

std::string_view to_string(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::requested:
      return "requested";
    case DisconnectReason::transport_error:
      return "transport error";
    case DisconnectReason::protocol_breach:
      return "protocol breach";
    case DisconnectReason::useless_peer:
      return "useless peer";
    case DisconnectReason::too_many_peers:
      return "too many peers";
    case DisconnectReason::already_connected:
      return "already connected";
    case DisconnectReason::incompatible_version:
      return "incompatible version";
    case DisconnectReason::quitting:
      return "quitting";
    case DisconnectReason::unexpected_identity:
      return "unexpected identity";
    case DisconnectReason::self_connection:
      return "self connection";
    case DisconnectReason::ping_timeout:
      return "ping timeout";
    case DisconnectReason::subprotocol_error:
      return "subprotocol error";
    case DisconnectReason::handshake_timeout:
      return "handshake timeout";
    case DisconnectReason::replaced:
      return "replaced";
    case DisconnectReason::no_shared_capability:
      return "no shared capability";
    case DisconnectReason::capability_not_shared:
      return "capability not shared";
    case DisconnectReason::wrong_genesis:
      return "wrong genesis";
    case DisconnectReason::incompatible_fork:
      return "incompatible fork";
    case DisconnectReason::bad_proof:
      return "bad proof";
    case DisconnectReason::pending_limit:
      return "too many pending connections";
    case DisconnectReason::ping_flood:
      return "ping flood";
    case DisconnectReason::memory_limit:
      return "memory limit";
    case DisconnectReason::write_timeout:
      return "write timeout";
    case DisconnectReason::unknown:
      return "unknown reason";
  }
  return "unknown reason";
}

DisconnectReason reason_from_wire(std::uint64_t number) {
  for (const DisconnectReason reason : kAllDisconnectReasons) {
    if (static_cast<std::uint64_t>(reason) == number) return reason;
  }
  return DisconnectReason::unknown;
}

}  // namespace ethnet::session
