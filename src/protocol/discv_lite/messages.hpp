// The four messages of discv-lite/0.1 and their encoding: one code byte, then one RLP list.
// Specification: docs/spec/discv-lite.md. Decoders are strict and bounded; nothing is allocated
// before the limit that covers it was checked. Errors: DiscvError or RlpError with the offset in
// the payload. Signatures of records are not judged here.
#pragma once

#include <cstdint>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <types/endpoint.hpp>

namespace ethnet::discv_lite {

enum class DiscvError : std::uint16_t {
  empty_message = 1,
  unknown_code,
  message_too_large,
  bad_address,  // not 4 or 16 bytes, IPv4 written as IPv6, or port 0
  no_distances,
  too_many_distances,
  bad_distance,  // above 256, or named twice
  too_many_records,
  record_too_large,
};
[[nodiscard]] const ErrorDomain& error_domain(DiscvError);

enum class Code : std::uint8_t { ping = 0, pong = 1, find_nodes = 2, nodes = 3 };

struct Ping {
  std::uint64_t request_id = 0;
  std::uint64_t enr_seq = 0;  // of the sender's own record; 0: it has none
  friend bool operator==(const Ping&, const Ping&) = default;
};

struct Pong {
  std::uint64_t request_id = 0;
  std::uint64_t enr_seq = 0;
  Endpoint seen_at;  // where the sender of the Pong sees the sender of the Ping
  friend bool operator==(const Pong&, const Pong&) = default;
};

// Distance 0 is the asked node's own record.
struct FindNodes {
  std::uint64_t request_id = 0;
  std::vector<std::uint16_t> distances;
  friend bool operator==(const FindNodes&, const FindNodes&) = default;
};

struct Nodes {
  std::uint64_t request_id = 0;
  std::vector<Bytes> records;  // each an RLP list of at most kMaxEnrBytes
  friend bool operator==(const Nodes&, const Nodes&) = default;
};

[[nodiscard]] Bytes encode(const Ping& message);
[[nodiscard]] Bytes encode(const Pong& message);
[[nodiscard]] Bytes encode(const FindNodes& message);
[[nodiscard]] Bytes encode(const Nodes& message);

// The code of a payload. Errors: empty_message, unknown_code.
[[nodiscard]] Result<Code> peek_code(ByteView payload);
// The request id, read without decoding the rest, so that an answer to nothing costs nothing.
[[nodiscard]] Result<std::uint64_t> peek_request_id(ByteView payload);
// How many records a Nodes payload holds, by their prefixes: nothing is copied.
[[nodiscard]] Result<std::size_t> peek_records_count(ByteView payload);

// Each takes the whole payload, code byte included.
[[nodiscard]] Result<Ping> decode_ping(ByteView payload);
[[nodiscard]] Result<Pong> decode_pong(ByteView payload);
[[nodiscard]] Result<FindNodes> decode_find_nodes(ByteView payload);
[[nodiscard]] Result<Nodes> decode_nodes(ByteView payload);

}  // namespace ethnet::discv_lite
