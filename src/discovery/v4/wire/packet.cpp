#include "packet.hpp"

#include <algorithm>
#include <utility>

#include <codec/rlp_fixed_writer.hpp>
#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>
#include <types/hash_of.hpp>

namespace ethnet::discv4 {
namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kTypeAt = kHeaderBytes - 1;

// --- decoding ---

Result<IpAddress> read_address(rlp::Reader& in) {
  const std::uint64_t at = in.offset();
  const ByteView bytes = TRY(in.read_bytes());
  if (bytes.empty()) return IpAddress{};
  if (bytes.size() == 4) {
    ByteArray<4> v4{};
    copy_into(v4, bytes);
    return IpAddress::v4(v4);
  }
  if (bytes.size() != 16) return fail(Discv4Error::bad_address, at);
  ByteArray<16> v6{};
  copy_into(v6, bytes);
  return IpAddress::v6(v6);
}

// The first elements of a list; more may follow in a place of its own, of a neighbor the key does.
Result<Place> read_place(rlp::Reader& in) {
  Place out;
  out.ip = TRY(read_address(in));
  out.udp = TRY(in.read_uint<std::uint16_t>());
  out.tcp = TRY(in.read_uint<std::uint16_t>());
  return out;
}
Result<Place> read_place_list(rlp::Reader& in) {
  rlp::Reader list = TRY(in.enter_list());
  const Place out = TRY(read_place(list));
  return out;
}

std::optional<std::uint64_t> read_enr_seq(rlp::Reader& in) {
  if (in.at_end()) return std::nullopt;
  const auto seq = in.read_uint<std::uint64_t>();
  return seq ? std::optional{*seq} : std::nullopt;
}

Result<Message> read_ping(rlp::Reader& in) {
  Ping out;
  out.version = TRY(in.read_uint<std::uint64_t>());
  out.from = TRY(read_place_list(in));
  out.to = TRY(read_place_list(in));
  out.expiration = TRY(in.read_uint<std::uint64_t>());
  out.enr_seq = read_enr_seq(in);
  return out;
}

Result<Message> read_pong(rlp::Reader& in) {
  Pong out;
  out.to = TRY(read_place_list(in));
  out.ping_hash.bytes = TRY(in.read_fixed<32>());
  out.expiration = TRY(in.read_uint<std::uint64_t>());
  out.enr_seq = read_enr_seq(in);
  return out;
}

Result<Message> read_findnode(rlp::Reader& in) {
  FindNode out;
  out.target = TRY(in.read_fixed<crypto::kKeyXySize>());
  out.expiration = TRY(in.read_uint<std::uint64_t>());
  return out;
}

Result<Message> read_neighbors(rlp::Reader& in) {
  Neighbors out;
  rlp::Reader nodes = TRY(in.enter_list());
  while (!nodes.at_end()) {
    if (out.nodes.full()) return fail(Discv4Error::too_many_nodes, nodes.offset());
    rlp::Reader node = TRY(nodes.enter_list());
    Neighbor neighbor;
    neighbor.at = TRY(read_place(node));
    neighbor.key = TRY(node.read_fixed<crypto::kKeyXySize>());
    out.nodes.push_back(neighbor);
  }
  out.expiration = TRY(in.read_uint<std::uint64_t>());
  return out;
}

Result<Message> read_enr_request(rlp::Reader& in) {
  EnrRequest out;
  out.expiration = TRY(in.read_uint<std::uint64_t>());
  return out;
}

Result<Message> read_enr_response(rlp::Reader& in) {
  EnrResponse out;
  out.request_hash.bytes = TRY(in.read_fixed<32>());
  const std::uint64_t at = in.offset();
  const rlp::Kind kind = TRY(in.peek());
  if (kind != rlp::Kind::list) return fail(rlp::RlpError::expected_list, at);
  out.record = TRY(in.read_raw());
  if (out.record.size() > kMaxEnrBytes) return fail(Discv4Error::record_too_large, at);
  return out;
}

// --- encoding ---

std::size_t list_size(std::size_t payload) { return rlp::size_of_header(payload) + payload; }
std::size_t place_payload(const Place& at) {
  return rlp::size_of_bytes(at.ip.bytes()) + rlp::size_of_uint(at.udp) + rlp::size_of_uint(at.tcp);
}
std::size_t seq_size(const std::optional<std::uint64_t>& seq) {
  return seq ? rlp::size_of_uint(*seq) : 0;
}
std::size_t neighbor_payload(const Neighbor& node) {
  return place_payload(node.at) + rlp::size_of_bytes(node.key);
}
std::size_t nodes_payload(const Neighbors& m) {
  std::size_t out = 0;
  for (const Neighbor& node : m.nodes.view()) out += list_size(neighbor_payload(node));
  return out;
}

// Zeros.
constexpr PacketBuffer kZeros{};
ByteView padding_of(const Ping& m) {
  return m.enr_seq ? ByteView{kZeros}.first(std::min(m.padding, kZeros.size())) : ByteView{};
}

std::size_t payload_of(const Ping& m) {
  const ByteView padding = padding_of(m);
  return rlp::size_of_uint(m.version) + list_size(place_payload(m.from)) +
         list_size(place_payload(m.to)) + rlp::size_of_uint(m.expiration) + seq_size(m.enr_seq) +
         (padding.empty() ? 0 : rlp::size_of_bytes(padding));
}
std::size_t payload_of(const Pong& m) {
  return list_size(place_payload(m.to)) + rlp::size_of_bytes(m.ping_hash.view()) +
         rlp::size_of_uint(m.expiration) + seq_size(m.enr_seq);
}
std::size_t payload_of(const FindNode& m) {
  return rlp::size_of_bytes(m.target) + rlp::size_of_uint(m.expiration);
}
std::size_t payload_of(const Neighbors& m) {
  return list_size(nodes_payload(m)) + rlp::size_of_uint(m.expiration);
}
std::size_t payload_of(const EnrRequest& m) { return rlp::size_of_uint(m.expiration); }
std::size_t payload_of(const EnrResponse& m) {
  return rlp::size_of_bytes(m.request_hash.view()) + m.record.size();
}
std::size_t payload_of(const Message& message) {
  return std::visit([](const auto& m) { return payload_of(m); }, message);
}

void write_place(rlp::FixedWriter& out, const Place& at) {
  out.write_bytes(at.ip.bytes());
  out.write_uint(at.udp);
  out.write_uint(at.tcp);
}
void write_place_list(rlp::FixedWriter& out, const Place& at) {
  out.write_list_header(place_payload(at));
  write_place(out, at);
}
void write_seq(rlp::FixedWriter& out, const std::optional<std::uint64_t>& seq) {
  if (seq) out.write_uint(*seq);
}
void write_fields(rlp::FixedWriter& out, const Ping& m) {
  out.write_uint(m.version);
  write_place_list(out, m.from);
  write_place_list(out, m.to);
  out.write_uint(m.expiration);
  write_seq(out, m.enr_seq);
  if (const ByteView padding = padding_of(m); !padding.empty()) out.write_bytes(padding);
}
void write_fields(rlp::FixedWriter& out, const Pong& m) {
  write_place_list(out, m.to);
  out.write_bytes(m.ping_hash.view());
  out.write_uint(m.expiration);
  write_seq(out, m.enr_seq);
}
void write_fields(rlp::FixedWriter& out, const FindNode& m) {
  out.write_bytes(m.target);
  out.write_uint(m.expiration);
}
void write_fields(rlp::FixedWriter& out, const Neighbors& m) {
  out.write_list_header(nodes_payload(m));
  for (const Neighbor& node : m.nodes.view()) {
    out.write_list_header(neighbor_payload(node));
    write_place(out, node.at);
    out.write_bytes(node.key);
  }
  out.write_uint(m.expiration);
}
void write_fields(rlp::FixedWriter& out, const EnrRequest& m) { out.write_uint(m.expiration); }
void write_fields(rlp::FixedWriter& out, const EnrResponse& m) {
  out.write_bytes(m.request_hash.view());
  out.put(m.record);
}

}  // namespace

Result<Envelope> open(ByteView datagram) {
  if (datagram.size() < kMinDiscv4Packet) return fail(Discv4Error::packet_too_small);
  if (datagram.size() > kMaxDiscv4Packet) return fail(Discv4Error::packet_too_large);
  Envelope out;
  copy_into(out.hash.bytes, datagram.first(kHashBytes));
  if (hash_of(datagram.subspan(kHashBytes)) != out.hash) return fail(Discv4Error::bad_hash);
  out.signature = datagram.subspan(kHashBytes, kTypeAt - kHashBytes);
  out.signed_part = datagram.subspan(kTypeAt);
  const auto type = std::to_integer<std::uint8_t>(out.signed_part.front());
  if (type == 0 || type >= kPacketTypes) return fail(Discv4Error::unknown_packet_type, kTypeAt);
  out.type = static_cast<PacketType>(type);
  return out;
}

Result<Message> decode_message(const Envelope& envelope) {
  rlp::Reader in{envelope.signed_part.subspan(1), kHeaderBytes};
  rlp::Reader list = TRY(in.enter_list());
  switch (envelope.type) {
    case PacketType::ping:
      return read_ping(list);
    case PacketType::pong:
      return read_pong(list);
    case PacketType::findnode:
      return read_findnode(list);
    case PacketType::neighbors:
      return read_neighbors(list);
    case PacketType::enr_request:
      return read_enr_request(list);
    case PacketType::enr_response:
      return read_enr_response(list);
  }
  return fail(Discv4Error::unknown_packet_type, kTypeAt);
}

Result<crypto::PublicKey> recover_sender(const Envelope& envelope) {
  return crypto::recover(envelope.signature, crypto::keccak256(envelope.signed_part),
                         crypto::HighS::accept);
}

std::optional<std::uint64_t> expiration_of(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::optional<std::uint64_t> {
        if constexpr (requires { m.expiration; }) return m.expiration;
        return std::nullopt;
      },
      message);
}

bool is_expired(std::uint64_t expiration, UnixTime now) {
  if (expiration > static_cast<std::uint64_t>(INT64_MAX)) return true;
  return UnixTime::from_seconds(expiration) < now + kClockTolerance * -1;
}

std::uint64_t expiration_at(UnixTime now) { return (now + kPacketLifetime).whole_seconds(); }

std::size_t encoded_size(const Message& message) {
  return kHeaderBytes + list_size(payload_of(message));
}

std::size_t encoded_size(const Neighbor& node) { return list_size(neighbor_payload(node)); }

Result<Encoded> encode(const Message& message, const crypto::SecretKey& key, MutByteView out) {
  const std::size_t payload = payload_of(message);
  const std::size_t size = kHeaderBytes + list_size(payload);
  if (size > std::min(out.size(), kMaxDiscv4Packet)) return fail(Discv4Error::packet_does_not_fit);
  const MutByteView packet = out.first(size);
  rlp::FixedWriter writer{packet.subspan(kTypeAt)};
  writer.put_byte(std::to_underlying(type_of(message)));
  writer.write_list_header(payload);
  std::visit([&](const auto& m) { write_fields(writer, m); }, message);
  CHECK(writer.full());
  const auto signature = crypto::sign(key, crypto::keccak256(packet.subspan(kTypeAt)));
  copy_into(packet.subspan(kHashBytes), signature);
  const Encoded encoded{size, hash_of(packet.subspan(kHashBytes))};
  copy_into(packet, encoded.hash.view());
  return encoded;
}

}  // namespace ethnet::discv4
