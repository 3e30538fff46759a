// What can be wrong with what a peer sends by Node Discovery v5.1, and what we cannot send. Errors
// inside a message's or a record's RLP keep their own domain (rlp::RlpError).
#pragma once

#include <cstddef>
#include <utility>

#include <base/result.hpp>

namespace ethnet::discv5 {

enum class Discv5Error : std::uint16_t {
  // Packets: judged before any key is used.
  packet_too_small = 1,
  packet_too_large,
  wrong_protocol_id,  // not discv5, or not masked for us
  wrong_version,
  unknown_flag,
  bad_authdata_size,     // not that of the flag, or more than the packet has
  message_in_whoareyou,  // a WHOAREYOU has none
  message_too_short,     // to hold the tag of AES-GCM
  unsupported_scheme,    // signature or ephemeral key not of the sizes of "v4"
  record_too_large,
  // Messages.
  empty_message,
  unknown_message,  // a message type that we do not speak
  request_id_too_long,
  bad_address,   // not of 4 or 16 bytes
  bad_distance,  // above 256
  too_many_distances,
  bad_total,  // of NODES: 0
  too_many_records,
  message_does_not_fit,  // ours, into one packet
  // Sessions and handshakes.
  own_identity,  // a packet that says it is from us
  unreadable,    // not under a key that a session has
  no_session,
  no_challenge,       // a handshake that answers nothing of ours, or something that was answered
  challenge_expired,  // one that answers too late
  record_missing,     // though we have none of this identity
  bad_record,         // its form or its signature
  wrong_record_identity,
  bad_id_signature,
  bad_ephemeral_key,
  handshake_unreadable,  // all else was right, the message is not of these keys
  key_used_up,           // as many messages as one key may encrypt
};
inline constexpr std::size_t kDiscv5Errors = std::to_underlying(Discv5Error::key_used_up) + 1;

[[nodiscard]] const ErrorDomain& error_domain(Discv5Error);

}  // namespace ethnet::discv5
