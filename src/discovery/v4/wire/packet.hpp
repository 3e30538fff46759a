// Packets of Node Discovery v4 (devp2p, discv4.md, "Wire Protocol"; EIP-8; EIP-868).
//
//   packet = hash || signature || type || RLP list          hash = keccak256(what follows)
//
// Decoding goes in steps, the cheap ones first, so that a flood costs as little as may be:
//   open()            sizes, type, hash: 2 µs; also tells discv4 from discv5 on a shared port
//   decode_message()  the list; strict in what it reads. Tolerated by EIP-8: elements too many,
//                     whatever they are, bytes behind the list, any version
//   is_expired()      by the clock that the caller gives
//   recover_sender()  the curve: 50 µs
// A message holds values, and views of the datagram; nothing is allocated. Public keys of targets
// and neighbors are unchecked bytes. Records are unchecked too.
//
// Unlike discv5 the sequence number of a record is optional here, and an element in its place that
// is no number counts as none: EIP-8 packets that are older than EIP-868 have lists there.
// An address of no bytes (a peer that does not know its own) reads as 0.0.0.0.
// Errors: Discv4Error, rlp::RlpError, with the offset in the datagram; crypto's for signatures.
// Threading: values and free functions. Limits: ../limits.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>

#include <base/bytes.hpp>
#include <base/few_of.hpp>
#include <base/instant.hpp>
#include <base/result.hpp>
#include <crypto/secp256k1.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

#include "../error.hpp"
#include "../limits.hpp"

namespace ethnet::discv4 {

inline constexpr std::size_t kHeaderBytes = 32 + 65 + 1;  // hash signature type
inline constexpr std::uint64_t kProtocolVersion = 4;

enum class PacketType : std::uint8_t {
  ping = 1,
  pong = 2,
  findnode = 3,
  neighbors = 4,
  enr_request = 5,
  enr_response = 6
};
inline constexpr std::size_t kPacketTypes = 7;  // with none

using PacketBuffer = ByteArray<kMaxDiscv4Packet>;
using KeyBytes = ByteArray<crypto::kKeyXySize>;  // x || y, unchecked

// Where a node is: an address, the port of discovery and that of RLPx.
struct Place {
  IpAddress ip;
  std::uint16_t udp = 0;
  std::uint16_t tcp = 0;

  [[nodiscard]] Endpoint endpoint() const { return {ip, udp}; }
  friend bool operator==(const Place&, const Place&) = default;
};

struct Ping {
  std::uint64_t version = kProtocolVersion;
  Place from;
  Place to;
  std::uint64_t expiration = 0;  // Unix seconds
  std::optional<std::uint64_t> enr_seq{};
  // Bytes of a string behind all that, which whoever reads it ignores (EIP-8): written, where there
  // is an enr_seq before it, and not read.
  std::size_t padding = 0;
  friend bool operator==(const Ping&, const Ping&) = default;
};

struct Pong {
  Place to;  // where its sender sees the sender of the PING
  Hash32 ping_hash;
  std::uint64_t expiration = 0;
  std::optional<std::uint64_t> enr_seq{};
  friend bool operator==(const Pong&, const Pong&) = default;
};

struct FindNode {
  KeyBytes target{};
  std::uint64_t expiration = 0;
  friend bool operator==(const FindNode&, const FindNode&) = default;
};

struct Neighbor {
  Place at;
  KeyBytes key{};
  friend bool operator==(const Neighbor&, const Neighbor&) = default;
};
struct Neighbors {
  FewOf<Neighbor, kMaxPacketNeighbors> nodes;
  std::uint64_t expiration = 0;
  friend bool operator==(const Neighbors& a, const Neighbors& b) {
    return a.expiration == b.expiration && std::ranges::equal(a.nodes.view(), b.nodes.view());
  }
};

struct EnrRequest {
  std::uint64_t expiration = 0;
  friend bool operator==(const EnrRequest&, const EnrRequest&) = default;
};

// The one packet without an expiration (EIP-868): it is bound to its request by the hash.
struct EnrResponse {
  Hash32 request_hash;
  ByteView record{};  // an RLP list of at most kMaxEnrBytes, unchecked
  friend bool operator==(const EnrResponse& a, const EnrResponse& b) {
    return a.request_hash == b.request_hash && equal(a.record, b.record);
  }
};

using Message = std::variant<Ping, Pong, FindNode, Neighbors, EnrRequest, EnrResponse>;
[[nodiscard]] inline PacketType type_of(const Message& message) {
  return static_cast<PacketType>(message.index() + 1);
}

// A packet whose hash is right; lives as long as the datagram.
struct Envelope {
  Hash32 hash;
  PacketType type = PacketType::ping;
  ByteView signature{};
  ByteView signed_part{};  // type and RLP
};

// Errors: packet_too_small, packet_too_large, bad_hash, unknown_packet_type.
[[nodiscard]] Result<Envelope> open(ByteView datagram);
[[nodiscard]] Result<Message> decode_message(const Envelope& envelope);
// Whose packet it is. Errors: crypto's. A signature with high s is accepted: peers make them.
[[nodiscard]] Result<crypto::PublicKey> recover_sender(const Envelope& envelope);

// Nothing for ENRResponse.
[[nodiscard]] std::optional<std::uint64_t> expiration_of(const Message& message);
// More than kClockTolerance ago. A time that no signed 64 bits hold is one: a negative number.
[[nodiscard]] bool is_expired(std::uint64_t expiration, UnixTime now);
// That of a packet which is sent now.
[[nodiscard]] std::uint64_t expiration_at(UnixTime now);

// Bytes of the whole packet.
[[nodiscard]] std::size_t encoded_size(const Message& message);
// Of one element of NEIGHBORS, for who splits an answer; and of a NEIGHBORS packet without any, at
// the most.
[[nodiscard]] std::size_t encoded_size(const Neighbor& node);
inline constexpr std::size_t kEmptyNeighborsBytes = kHeaderBytes + 3 + 3 + 9;
// Of the longest PONG: to an address of v6, with numbers of eight bytes.
inline constexpr std::size_t kLongestPong = kHeaderBytes + 2 + 24 + 33 + 9 + 9;

// A packet in the caller's buffer: its first `size` bytes.
struct Encoded {
  std::size_t size = 0;
  Hash32 hash;
};
// Error: packet_does_not_fit, with nothing written.
[[nodiscard]] Result<Encoded> encode(const Message& message, const crypto::SecretKey& key,
                                     MutByteView out);

}  // namespace ethnet::discv4
