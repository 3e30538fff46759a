// What can be wrong with a packet of Node Discovery v4, and what we cannot send. Errors inside a
// packet's RLP keep their own domain (rlp::RlpError), and so do those of signatures.
#pragma once

#include <cstddef>
#include <utility>

#include <base/result.hpp>

namespace ethnet::discv4 {

enum class Discv4Error : std::uint16_t {
  packet_too_small = 1,
  packet_too_large,
  bad_hash,  // not discv4, or spoilt under way
  unknown_packet_type,
  bad_address,  // not of 0, 4 or 16 bytes
  too_many_nodes,
  record_too_large,
  expired,
  packet_does_not_fit,  // ours, into the caller's buffer or above kMaxDiscv4Packet
};
inline constexpr std::size_t kDiscv4Errors =
    std::to_underlying(Discv4Error::packet_does_not_fit) + 1;

[[nodiscard]] const ErrorDomain& error_domain(Discv4Error);

}  // namespace ethnet::discv4
