#include "message.hpp"

#include <utility>

#include <codec/rlp_fixed_writer.hpp>
#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>

namespace ethnet::discv5 {
namespace {

// --- decoding ---

Result<MessageType> read_type(ByteView plain) {
  if (plain.empty()) return fail(Discv5Error::empty_message);
  const auto type = static_cast<MessageType>(plain.front());
  if (type < MessageType::ping || type > MessageType::talkresp) {
    return fail(Discv5Error::unknown_message);
  }
  return type;
}

Result<RequestId> read_request_id(rlp::Reader& in) {
  const std::uint64_t at = in.offset();
  const ByteView bytes = TRY(in.read_bytes());
  const auto id = RequestId::from_bytes(bytes);
  if (!id) return fail(Discv5Error::request_id_too_long, at);
  return *id;
}

Result<IpAddress> read_address(rlp::Reader& in) {
  const std::uint64_t at = in.offset();
  const ByteView bytes = TRY(in.read_bytes());
  if (bytes.size() == 4) {
    ByteArray<4> v4{};
    copy_into(v4, bytes);
    return IpAddress::v4(v4);
  }
  if (bytes.size() != 16) return fail(Discv5Error::bad_address, at);
  ByteArray<16> v6{};
  copy_into(v6, bytes);
  return IpAddress::v6(v6);
}

Result<Ping> read_ping(rlp::Reader& in) {
  Ping out;
  out.request_id = TRY(read_request_id(in));
  out.enr_seq = TRY(in.read_uint<std::uint64_t>());
  return out;
}

Result<Pong> read_pong(rlp::Reader& in) {
  Pong out;
  out.request_id = TRY(read_request_id(in));
  out.enr_seq = TRY(in.read_uint<std::uint64_t>());
  out.recipient.ip = TRY(read_address(in));
  out.recipient.port = TRY(in.read_uint<std::uint16_t>());
  return out;
}

Result<FindNode> read_findnode(rlp::Reader& in) {
  FindNode out;
  out.request_id = TRY(read_request_id(in));
  rlp::Reader distances = TRY(in.enter_list());
  while (!distances.at_end()) {
    const std::uint64_t at = distances.offset();
    if (out.distances.full()) return fail(Discv5Error::too_many_distances, at);
    const auto distance = TRY(distances.read_uint<std::uint64_t>());
    if (distance > kMaxLogDistance) return fail(Discv5Error::bad_distance, at);
    out.distances.push_back(static_cast<std::uint16_t>(distance));
  }
  return out;
}

Result<Nodes> read_nodes(rlp::Reader& in) {
  Nodes out;
  out.request_id = TRY(read_request_id(in));
  const std::uint64_t total_at = in.offset();
  out.total = TRY(in.read_uint<std::uint64_t>());
  if (out.total == 0) return fail(Discv5Error::bad_total, total_at);
  rlp::Reader records = TRY(in.enter_list());
  while (!records.at_end()) {
    const std::uint64_t at = records.offset();
    if (out.records.full()) return fail(Discv5Error::too_many_records, at);
    const rlp::Kind kind = TRY(records.peek());
    if (kind != rlp::Kind::list) return fail(rlp::RlpError::expected_list, at);
    const ByteView record = TRY(records.read_raw());
    if (record.size() > kMaxEnrBytes) return fail(Discv5Error::record_too_large, at);
    out.records.push_back(record);
  }
  return out;
}

Result<TalkReq> read_talkreq(rlp::Reader& in) {
  TalkReq out;
  out.request_id = TRY(read_request_id(in));
  out.protocol = TRY(in.read_bytes());
  out.request = TRY(in.read_bytes());
  return out;
}

Result<TalkResp> read_talkresp(rlp::Reader& in) {
  TalkResp out;
  out.request_id = TRY(read_request_id(in));
  out.response = TRY(in.read_bytes());
  return out;
}

// All of a list, as `read` does it.
template <class T>
Result<Message> read_all(rlp::Reader& list, Result<T> (*read)(rlp::Reader&)) {
  const T message = TRY(read(list));
  TRY(list.expect_end());
  return message;
}

// --- encoding ---

std::size_t list_payload(const FindNode& m) {
  std::size_t out = 0;
  for (const std::uint16_t distance : m.distances.view()) out += rlp::size_of_uint(distance);
  return out;
}
std::size_t list_payload(const Nodes& m) {
  std::size_t out = 0;
  for (const ByteView record : m.records.view()) out += record.size();
  return out;
}
std::size_t list_size(std::size_t payload) { return rlp::size_of_header(payload) + payload; }

// Bytes behind the request id.
std::size_t fields_size(const Ping& m) { return rlp::size_of_uint(m.enr_seq); }
std::size_t fields_size(const Pong& m) {
  return rlp::size_of_uint(m.enr_seq) + rlp::size_of_bytes(m.recipient.ip.bytes()) +
         rlp::size_of_uint(m.recipient.port);
}
std::size_t fields_size(const FindNode& m) { return list_size(list_payload(m)); }
std::size_t fields_size(const Nodes& m) {
  return rlp::size_of_uint(m.total) + list_size(list_payload(m));
}
std::size_t fields_size(const TalkReq& m) {
  return rlp::size_of_bytes(m.protocol) + rlp::size_of_bytes(m.request);
}
std::size_t fields_size(const TalkResp& m) { return rlp::size_of_bytes(m.response); }

void write_fields(rlp::FixedWriter& out, const Ping& m) { out.write_uint(m.enr_seq); }
void write_fields(rlp::FixedWriter& out, const Pong& m) {
  out.write_uint(m.enr_seq);
  out.write_bytes(m.recipient.ip.bytes());
  out.write_uint(m.recipient.port);
}
void write_fields(rlp::FixedWriter& out, const FindNode& m) {
  out.write_list_header(list_payload(m));
  for (const std::uint16_t distance : m.distances.view()) out.write_uint(distance);
}
void write_fields(rlp::FixedWriter& out, const Nodes& m) {
  out.write_uint(m.total);
  out.write_list_header(list_payload(m));
  for (const ByteView record : m.records.view()) out.put(record);
}
void write_fields(rlp::FixedWriter& out, const TalkReq& m) {
  out.write_bytes(m.protocol);
  out.write_bytes(m.request);
}
void write_fields(rlp::FixedWriter& out, const TalkResp& m) { out.write_bytes(m.response); }

std::size_t payload_of(const Message& message) {
  return std::visit(
      [](const auto& m) { return rlp::size_of_bytes(m.request_id.view()) + fields_size(m); },
      message);
}

}  // namespace

RequestId RequestId::of(std::uint64_t number) {
  RequestId out;
  store_be<std::uint64_t>(out.bytes_, number);
  out.size_ = kMaxRequestId;
  return out;
}

Result<RequestId> RequestId::from_bytes(ByteView bytes) {
  if (bytes.size() > kMaxRequestId) return fail(Discv5Error::request_id_too_long);
  RequestId out;
  copy_into(out.bytes_, bytes);
  out.size_ = static_cast<std::uint8_t>(bytes.size());
  return out;
}

bool RequestId::answers(const RequestId& asked) const {
  return equal(rlp::trim_zeros(view()), rlp::trim_zeros(asked.view()));
}

Result<Heading> decode_heading(ByteView plain) {
  const MessageType type = TRY(read_type(plain));
  rlp::Reader in{plain.subspan(1), 1};
  rlp::Reader list = TRY(in.enter_list());
  const RequestId request_id = TRY(read_request_id(list));
  return Heading{type, request_id};
}

Result<Message> decode_message(ByteView plain) {
  const MessageType type = TRY(read_type(plain));
  rlp::Reader in{plain.subspan(1), 1};
  rlp::Reader list = TRY(in.enter_list());
  TRY(in.expect_end());
  switch (type) {
    case MessageType::ping:
      return read_all(list, read_ping);
    case MessageType::pong:
      return read_all(list, read_pong);
    case MessageType::findnode:
      return read_all(list, read_findnode);
    case MessageType::nodes:
      return read_all(list, read_nodes);
    case MessageType::talkreq:
      return read_all(list, read_talkreq);
    case MessageType::talkresp:
      return read_all(list, read_talkresp);
  }
  return fail(Discv5Error::unknown_message);
}

std::size_t encoded_size(const Message& message) { return 1 + list_size(payload_of(message)); }

Result<std::size_t> encode_message(const Message& message, MutByteView out) {
  const std::size_t payload = payload_of(message);
  const std::size_t size = 1 + list_size(payload);
  if (size > out.size()) return fail(Discv5Error::message_does_not_fit, out.size());
  rlp::FixedWriter writer{out.first(size)};
  writer.put_byte(message.index() + 1);
  writer.write_list_header(payload);
  std::visit(
      [&](const auto& m) {
        writer.write_bytes(m.request_id.view());
        write_fields(writer, m);
      },
      message);
  CHECK(writer.full());
  return size;
}

}  // namespace ethnet::discv5
