#include "error.hpp"

namespace ethnet::discv5 {
namespace {

std::string_view describe_packet(Discv5Error code) {
  switch (code) {
    case Discv5Error::packet_too_small:
      return "packet below 63 bytes";
    case Discv5Error::packet_too_large:
      return "packet above 1280 bytes";
    case Discv5Error::wrong_protocol_id:
      return "not a packet of discv5 for this node";
    case Discv5Error::wrong_version:
      return "another version of the protocol";
    case Discv5Error::unknown_flag:
      return "unknown kind of packet";
    case Discv5Error::bad_authdata_size:
      return "wrong size of authdata";
    case Discv5Error::message_in_whoareyou:
      return "WHOAREYOU with a message";
    case Discv5Error::message_too_short:
      return "encrypted message shorter than its tag";
    case Discv5Error::unsupported_scheme:
      return "signature or key of another identity scheme";
    case Discv5Error::record_too_large:
      return "record above 300 bytes";
    default:
      return {};
  }
}

std::string_view describe_message(Discv5Error code) {
  switch (code) {
    case Discv5Error::empty_message:
      return "empty message";
    case Discv5Error::unknown_message:
      return "unknown message type";
    case Discv5Error::request_id_too_long:
      return "request id above 8 bytes";
    case Discv5Error::bad_address:
      return "address not of 4 or 16 bytes";
    case Discv5Error::bad_distance:
      return "distance above 256";
    case Discv5Error::too_many_distances:
      return "too many distances";
    case Discv5Error::bad_total:
      return "total of NODES is 0";
    case Discv5Error::too_many_records:
      return "too many records in one message";
    case Discv5Error::message_does_not_fit:
      return "message does not fit into a packet";
    default:
      return {};
  }
}

std::string_view describe_session(Discv5Error code) {
  switch (code) {
    case Discv5Error::own_identity:
      return "packet in our own name";
    case Discv5Error::unreadable:
      return "message under no key of this peer";
    case Discv5Error::no_session:
      return "no session with this peer";
    case Discv5Error::no_challenge:
      return "handshake without a challenge of ours";
    case Discv5Error::challenge_expired:
      return "handshake too late";
    case Discv5Error::record_missing:
      return "handshake without a record, and we have none";
    case Discv5Error::bad_record:
      return "handshake with a bad record";
    case Discv5Error::wrong_record_identity:
      return "record of another identity";
    case Discv5Error::bad_id_signature:
      return "bad id signature";
    case Discv5Error::bad_ephemeral_key:
      return "bad ephemeral key";
    case Discv5Error::handshake_unreadable:
      return "message of a handshake under another key";
    case Discv5Error::key_used_up:
      return "key has encrypted as many messages as it may";
    default:
      return {};
  }
}

std::string_view describe(std::uint16_t number) {
  const auto code = static_cast<Discv5Error>(number);
  for (const auto part : {describe_packet, describe_message, describe_session}) {
    if (const std::string_view text = part(code); !text.empty()) return text;
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"discv5", describe};

}  // namespace

const ErrorDomain& error_domain(Discv5Error) { return kDomain; }

}  // namespace ethnet::discv5
