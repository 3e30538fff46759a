#include "messages.hpp"

#include <algorithm>
#include <utility>

#include <codec/coded_list.hpp>
#include <codec/rlp_reader.hpp>
#include <discovery/kbucket/distances.hpp>

#include "limits.hpp"

namespace ethnet::discv_lite {
namespace {

std::string_view describe_error(std::uint16_t code) {
  switch (static_cast<DiscvError>(code)) {
    case DiscvError::empty_message:
      return "empty message";
    case DiscvError::unknown_code:
      return "unknown message code";
    case DiscvError::message_too_large:
      return "message too large for its kind";
    case DiscvError::bad_address:
      return "not an address with a port";
    case DiscvError::no_distances:
      return "no distances";
    case DiscvError::too_many_distances:
      return "too many distances";
    case DiscvError::bad_distance:
      return "distance above 256, or twice";
    case DiscvError::too_many_records:
      return "more records than an answer may hold";
    case DiscvError::record_too_large:
      return "record above 300 bytes";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"discv-lite", describe_error};

// The list of a payload whose code is known, and nothing after it.
Result<rlp::Reader> open_list(ByteView payload, std::size_t max_bytes) {
  if (payload.empty()) return fail(DiscvError::empty_message);
  if (payload.size() > max_bytes) return fail(DiscvError::message_too_large, max_bytes);
  return rlp::open_coded_list(payload);
}

Result<Endpoint> read_endpoint(rlp::Reader& in) {
  const std::uint64_t ip_at = in.offset();
  const ByteView ip = TRY(in.read_bytes());
  const std::uint64_t port_at = in.offset();
  const auto port = TRY(in.read_uint<std::uint16_t>());
  if (port == 0) return fail(DiscvError::bad_address, port_at);
  if (ip.size() == 4) {
    ByteArray<4> bytes{};
    copy_into(bytes, ip);
    return Endpoint{IpAddress::v4(bytes), port};
  }
  if (ip.size() != 16) return fail(DiscvError::bad_address, ip_at);
  ByteArray<16> bytes{};
  copy_into(bytes, ip);
  const IpAddress address = IpAddress::v6(bytes);
  if (address.is_v4()) return fail(DiscvError::bad_address, ip_at);
  return Endpoint{address, port};
}

}  // namespace

const ErrorDomain& error_domain(DiscvError) { return kDomain; }

Bytes encode(const Ping& message) {
  rlp::CodedListWriter out{Code::ping};
  out.list().write_uint(message.request_id);
  out.list().write_uint(message.enr_seq);
  return out.take();
}

Bytes encode(const Pong& message) {
  rlp::CodedListWriter out{Code::pong};
  out.list().write_uint(message.request_id);
  out.list().write_uint(message.enr_seq);
  out.list().write_bytes(message.seen_at.ip.bytes());
  out.list().write_uint(message.seen_at.port);
  return out.take();
}

Bytes encode(const FindNodes& message) {
  rlp::CodedListWriter out{Code::find_nodes};
  out.list().write_uint(message.request_id);
  const auto distances = out.list().begin_list();
  for (const std::uint16_t distance : message.distances) out.list().write_uint(distance);
  out.list().end_list(distances);
  return out.take();
}

Bytes encode(const Nodes& message) {
  rlp::CodedListWriter out{Code::nodes};
  out.list().write_uint(message.request_id);
  const auto records = out.list().begin_list();
  for (const Bytes& record : message.records) out.list().write_raw(record);
  out.list().end_list(records);
  return out.take();
}

Result<Code> peek_code(ByteView payload) {
  if (payload.empty()) return fail(DiscvError::empty_message);
  const auto code = std::to_integer<std::uint8_t>(payload.front());
  if (code > static_cast<std::uint8_t>(Code::nodes)) return fail(DiscvError::unknown_code);
  return static_cast<Code>(code);
}

Result<std::uint64_t> peek_request_id(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxNodesBytes));
  return list.read_uint<std::uint64_t>();
}

Result<std::size_t> peek_records_count(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxNodesBytes));
  TRY(list.read_raw());  // the request id
  const rlp::Reader records = TRY(list.enter_list());
  return records.count_items();
}

Result<Ping> decode_ping(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxQuestionBytes));
  Ping message;
  message.request_id = TRY(list.read_uint<std::uint64_t>());
  message.enr_seq = TRY(list.read_uint<std::uint64_t>());
  TRY(list.expect_end());
  return message;
}

Result<Pong> decode_pong(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxQuestionBytes));
  Pong message;
  message.request_id = TRY(list.read_uint<std::uint64_t>());
  message.enr_seq = TRY(list.read_uint<std::uint64_t>());
  message.seen_at = TRY(read_endpoint(list));
  TRY(list.expect_end());
  return message;
}

Result<FindNodes> decode_find_nodes(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxQuestionBytes));
  FindNodes message;
  message.request_id = TRY(list.read_uint<std::uint64_t>());
  rlp::Reader distances = TRY(list.enter_list());
  TRY(list.expect_end());
  if (distances.at_end()) return fail(DiscvError::no_distances, distances.offset());
  while (!distances.at_end()) {
    const std::uint64_t at = distances.offset();
    if (message.distances.size() == kbucket::kMaxDistances) {
      return fail(DiscvError::too_many_distances, at);
    }
    const auto distance = TRY(distances.read_uint<std::uint16_t>());
    const bool repeated = std::ranges::find(message.distances, distance) != message.distances.end();
    if (distance > kbucket::kMaxDistance || repeated) return fail(DiscvError::bad_distance, at);
    message.distances.push_back(distance);
  }
  return message;
}

Result<Nodes> decode_nodes(ByteView payload) {
  rlp::Reader list = TRY(open_list(payload, kMaxNodesBytes));
  Nodes message;
  message.request_id = TRY(list.read_uint<std::uint64_t>());
  rlp::Reader records = TRY(list.enter_list());
  TRY(list.expect_end());
  while (!records.at_end()) {
    const std::uint64_t at = records.offset();
    if (message.records.size() == lite::kMaxNodesPerAnswer) {
      return fail(DiscvError::too_many_records, at);
    }
    const rlp::Kind kind = TRY(records.peek());
    if (kind != rlp::Kind::list) return fail(rlp::RlpError::expected_list, at);
    const ByteView record = TRY(records.read_raw());
    if (record.size() > kMaxEnrBytes) return fail(DiscvError::record_too_large, at);
    message.records.push_back(to_bytes(record));
  }
  return message;
}

}  // namespace ethnet::discv_lite
