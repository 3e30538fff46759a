#include "control.hpp"

#include <algorithm>

#include <base/log.hpp>
#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>

namespace ethnet::session {
namespace {

Bytes frame(FrameType type, ByteView body) {
  CHECK(body.size() <= max_body_bytes(type));
  Bytes out;
  out.reserve(kFrameHeaderBytes + body.size());
  out.push_back(static_cast<std::byte>(type));
  append_be(out, static_cast<std::uint32_t>(body.size()));
  append(out, body);
  return out;
}

// The one list that a body consists of.
Result<rlp::Reader> enter_body(ByteView body) {
  rlp::Reader in{body};
  auto list = TRY(in.enter_list());
  TRY(in.expect_end());
  return list;
}

Result<NodeId> read_id(rlp::Reader& in) {
  NodeId id;
  TRY(in.read_into(id.bytes));
  return id;
}

Result<Hash32> read_hash(rlp::Reader& in) {
  Hash32 hash;
  TRY(in.read_into(hash.bytes));
  return hash;
}

std::string to_text(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const std::byte b : bytes) text.push_back(static_cast<char>(b));
  return text;
}

Result<std::vector<Capability>> read_capabilities(rlp::Reader& in) {
  const std::uint64_t offset = in.offset();
  rlp::Reader list = TRY(in.enter_list());
  std::vector<Capability> out;
  for (std::size_t n = 0; !list.at_end(); ++n) {
    if (n == kMaxCapabilities) return fail(SessionError::too_many_items, offset);
    const ByteView literal = TRY(list.read_bytes(kMaxCapabilityBytes));
    if (auto parsed = Capability::parse(to_text(literal))) out.push_back(*std::move(parsed));
  }
  return out;
}

}  // namespace

std::size_t Hello::memory_bytes() const {
  std::size_t sum =
      client.capacity() + enr.capacity() + capabilities.capacity() * sizeof(Capability);
  for (const Capability& capability : capabilities) sum += capability.name.capacity();
  return sum;
}

std::string_view to_string(FrameType type) {
  switch (type) {
    case FrameType::claim:
      return "claim";
    case FrameType::proof:
      return "proof";
    case FrameType::hello:
      return "hello";
    case FrameType::activate:
      return "activate";
    case FrameType::ping:
      return "ping";
    case FrameType::pong:
      return "pong";
    case FrameType::disconnect:
      return "disconnect";
  }
  return "unknown";
}

std::size_t max_body_bytes(FrameType type) {
  switch (type) {
    case FrameType::claim:
      return 128;
    case FrameType::proof:
      return 80;
    case FrameType::hello:
      return 4096;
    case FrameType::activate:
      return 32;
    case FrameType::disconnect:
      return 16;
    case FrameType::ping:
    case FrameType::pong:
      break;
  }
  return 0;
}

Bytes encode_frame(const Claim& claim) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_uint(claim.version);
  out.write_bytes(claim.id.view());
  out.write_bytes(claim.wanted ? claim.wanted->view() : ByteView{});
  out.end_list(list);
  return frame(FrameType::claim, out.view());
}

Bytes encode_frame(const Proof& proof) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_bytes(proof.signature);
  out.end_list(list);
  return frame(FrameType::proof, out.view());
}

Bytes encode_frame(const Hello& hello) {
  CHECK(hello.client.size() <= kMaxClientBytes);
  CHECK(hello.capabilities.size() <= kMaxCapabilities);
  CHECK(hello.enr.size() <= kMaxEnrBytes);
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_text(hello.client);
  const auto capabilities = out.begin_list();
  for (const Capability& capability : hello.capabilities) out.write_text(capability.to_string());
  out.end_list(capabilities);
  out.write_bytes(hello.genesis.view());
  hello.fork_id.encode(out);
  out.write_bytes(hello.head_hash.view());
  out.write_uint(hello.head_number);
  out.write_bytes(hello.enr);
  out.end_list(list);
  return frame(FrameType::hello, out.view());
}

Bytes encode_frame(const Activate& activate) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_uint(activate.epoch);
  out.write_uint(activate.sequence);
  out.end_list(list);
  return frame(FrameType::activate, out.view());
}

Bytes encode_ping() { return frame(FrameType::ping, {}); }
Bytes encode_pong() { return frame(FrameType::pong, {}); }

Bytes encode_disconnect(DisconnectReason reason) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_uint(static_cast<std::uint64_t>(reason));
  out.end_list(list);
  return frame(FrameType::disconnect, out.view());
}

Result<Claim> decode_claim(ByteView body) {
  rlp::Reader list = TRY(enter_body(body));
  Claim claim;
  claim.version = TRY(list.read_uint<std::uint64_t>());
  if (claim.version != kProtocolVersion) return claim;
  claim.id = TRY(read_id(list));
  const std::uint64_t offset = list.offset();
  const ByteView wanted = TRY(list.read_bytes());
  if (!wanted.empty()) {
    if (wanted.size() != 32) return fail(SessionError::bad_body, offset);
    claim.wanted.emplace();
    copy_into(claim.wanted->bytes, wanted);
  }
  TRY(list.expect_end());
  return claim;
}

Result<Proof> decode_proof(ByteView body) {
  rlp::Reader list = TRY(enter_body(body));
  Proof proof;
  TRY(list.read_into(proof.signature));
  TRY(list.expect_end());
  return proof;
}

Result<Hello> decode_hello(ByteView body) {
  rlp::Reader list = TRY(enter_body(body));
  Hello hello;
  const ByteView client = TRY(list.read_bytes(kMaxClientBytes));
  hello.client = sanitize(to_text(client), kMaxClientBytes);
  hello.capabilities = TRY(read_capabilities(list));
  hello.genesis = TRY(read_hash(list));
  hello.fork_id = TRY(ForkId::decode(list));
  hello.head_hash = TRY(read_hash(list));
  hello.head_number = TRY(list.read_uint<std::uint64_t>());
  const ByteView enr = TRY(list.read_bytes(kMaxEnrBytes));
  hello.enr = to_bytes(enr);
  TRY(list.expect_end());
  return hello;
}

Result<Activate> decode_activate(ByteView body) {
  rlp::Reader list = TRY(enter_body(body));
  Activate activate;
  activate.epoch = TRY(list.read_uint<std::uint64_t>());
  activate.sequence = TRY(list.read_uint<std::uint64_t>());
  TRY(list.expect_end());
  return activate;
}

Result<DisconnectReason> decode_disconnect(ByteView body) {
  rlp::Reader list = TRY(enter_body(body));
  const auto number = TRY(list.read_uint<std::uint64_t>());
  TRY(list.expect_end());
  return reason_from_wire(number);
}

Result<std::size_t> FrameReader::feed(ByteView arrived) {
  CHECK(!complete_);
  std::size_t taken = 0;
  if (header_.size() < kFrameHeaderBytes) {
    taken = std::min(arrived.size(), kFrameHeaderBytes - header_.size());
    append(header_, arrived.first(taken));
    if (header_.size() < kFrameHeaderBytes) return taken;
    TRY(begin_body());
  }
  const ByteView rest = arrived.subspan(taken);
  const std::size_t more = std::min(rest.size(), body_size_ - body_.size());
  append(body_, rest.first(more));
  complete_ = body_.size() == body_size_;
  return taken + more;
}

Result<void> FrameReader::begin_body() {
  const ByteView header{header_};
  const auto number = std::to_integer<std::uint8_t>(header.front());
  body_size_ = load_be<std::uint32_t>(header.subspan(1));
  if (number < static_cast<std::uint8_t>(FrameType::claim) ||
      number > static_cast<std::uint8_t>(FrameType::disconnect)) {
    return fail(SessionError::bad_frame);
  }
  type_ = static_cast<FrameType>(number);
  if (body_size_ > max_body_bytes(type_)) return fail(SessionError::bad_frame, 1);
  return {};
}

std::optional<Frame> FrameReader::take() {
  if (!complete_) return std::nullopt;
  complete_ = false;
  header_.clear();
  Frame frame{type_, std::move(body_)};
  body_ = {};
  return frame;
}

}  // namespace ethnet::session
