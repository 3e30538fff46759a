// The messages of Node Discovery v5.1 (devp2p, discv5-wire.md, "Protocol Messages"): one byte of
// message type, then one canonical RLP list.
//
// A decoded message holds values, and views of the plaintext that was decoded; nothing is
// allocated. Decoders are strict: all limits of ../limits.hpp, no element too many, nothing behind
// the list. Tolerated: a request id with leading zeros (it is bytes), an IPv4 address in 16 bytes,
// a distance named twice, no distances. Signatures of records are not judged here.
// Errors: Discv5Error or rlp::RlpError, with the offset in the plaintext.
// Threading: values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <variant>

#include <base/bytes.hpp>
#include <base/few_of.hpp>
#include <base/result.hpp>
#include <types/endpoint.hpp>

#include "../error.hpp"
#include "../limits.hpp"

namespace ethnet::discv5 {

enum class MessageType : std::uint8_t {
  ping = 1,
  pong = 2,
  findnode = 3,
  nodes = 4,
  talkreq = 5,
  talkresp = 6
};

// Chosen by who asks, mirrored by who answers.
class RequestId {
 public:
  RequestId() = default;                                    // of no bytes
  [[nodiscard]] static RequestId of(std::uint64_t number);  // of 8 bytes
  // Error: request_id_too_long.
  [[nodiscard]] static Result<RequestId> from_bytes(ByteView bytes);
  [[nodiscard]] ByteView view() const { return ByteView{bytes_}.first(size_); }
  // Whether an answer with this id answers `asked`: some peers take the id for a number, and
  // leave out its leading zeros.
  [[nodiscard]] bool answers(const RequestId& asked) const;
  friend bool operator==(const RequestId&, const RequestId&) = default;

 private:
  std::uint8_t size_ = 0;
  ByteArray<kMaxRequestId> bytes_{};
};

struct Ping {
  RequestId request_id;
  std::uint64_t enr_seq = 0;  // of the sender's record
  friend bool operator==(const Ping&, const Ping&) = default;
};

struct Pong {
  RequestId request_id;
  std::uint64_t enr_seq = 0;
  Endpoint recipient;  // where its sender sees the sender of the PING
  friend bool operator==(const Pong&, const Pong&) = default;
};

// Distance 0 is the record of the node that is asked.
struct FindNode {
  RequestId request_id;
  FewOf<std::uint16_t, kMaxFindNodeDistances> distances;
  friend bool operator==(const FindNode& a, const FindNode& b) {
    return a.request_id == b.request_id &&
           std::ranges::equal(a.distances.view(), b.distances.view());
  }
};

struct Nodes {
  RequestId request_id;
  std::uint64_t total = 1;  // NODES messages of this answer, as its sender says; not 0
  FewOf<ByteView, kMaxNodesRecords> records;  // each an RLP list of at most kMaxEnrBytes
  friend bool operator==(const Nodes& a, const Nodes& b) {
    return a.request_id == b.request_id && a.total == b.total &&
           std::ranges::equal(a.records.view(), b.records.view(), equal);
  }
};

struct TalkReq {
  RequestId request_id;
  ByteView protocol;
  ByteView request;
  friend bool operator==(const TalkReq& a, const TalkReq& b) {
    return a.request_id == b.request_id && equal(a.protocol, b.protocol) &&
           equal(a.request, b.request);
  }
};

struct TalkResp {
  RequestId request_id;
  ByteView response;  // empty: the protocol is unknown
  friend bool operator==(const TalkResp& a, const TalkResp& b) {
    return a.request_id == b.request_id && equal(a.response, b.response);
  }
};

using Message = std::variant<Ping, Pong, FindNode, Nodes, TalkReq, TalkResp>;

// Of a whole plaintext. Errors besides: empty_message, unknown_message.
[[nodiscard]] Result<Message> decode_message(ByteView plain);

// What a message begins with: of one that does not decode, to know who waits for it.
struct Heading {
  MessageType type = MessageType::ping;
  RequestId request_id;
};
// Errors: those of decode_message that come before the message's own fields.
[[nodiscard]] Result<Heading> decode_heading(ByteView plain);
// Bytes that encode_message() writes.
[[nodiscard]] std::size_t encoded_size(const Message& message);
// Writes to the start of `out`; how many bytes. Error: message_does_not_fit, with nothing written.
[[nodiscard]] Result<std::size_t> encode_message(const Message& message, MutByteView out);

}  // namespace ethnet::discv5
