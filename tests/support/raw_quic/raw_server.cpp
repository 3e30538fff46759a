// What only a server says.
#include <array>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <transport/quic/c_bytes.hpp>

#include "raw_quic.hpp"

namespace ethnet::testing {
namespace {

constexpr std::uint64_t kHandshakeDone = 0x1e;
constexpr std::size_t kMinInitial = 1200;

ngtcp2_cid to_library(ByteView cid) {
  ngtcp2_cid out;
  ngtcp2_cid_init(&out, quic::in_ptr(cid), cid.size());
  return out;
}

}  // namespace

void RawQuic::be_dialled() {
  server_ = true;
  const auto conn = endpoint_->dial(now_, from);
  CHECK(conn.has_value());
  conn_ = *conn;
  const bool honest = std::exchange(acknowledge, false);  // the client waits for our choice of id
  drain();
  acknowledge = honest;
  original_dcid_ = client_dcid_;
}

Parameters RawQuic::honest_server() const {
  Parameters parameters = Parameters::honest(scid_);
  return parameters.bytes(0x00, original_dcid_);
}

bool RawQuic::answer(ByteView transport_parameters) {
  const Bytes accept = quic::encode_null(quic::NullMessage::accept, Bytes(quic::kNullRandomBytes));
  send(Space::initial, Frames{}.crypto(0, accept).padding(kMinInitial - accept.size()).bytes());
  const std::string_view protocol = "ethnet/1";
  Bytes payload{static_cast<std::byte>(protocol.size())};
  append(payload, text_bytes(protocol));
  append(payload, transport_parameters);
  const Bytes message = quic::encode_null(quic::NullMessage::answer, payload);
  for (std::size_t offset = 0; offset < message.size(); offset += 1000) {
    const ByteView rest = ByteView{message}.subspan(offset);
    send(Space::handshake,
         Frames{}.crypto(offset, rest.first(std::min<std::size_t>(1000, rest.size()))).bytes());
  }
  if (!answered_) wait(milliseconds(100));  // the endpoint paces its packets
  if (!answered_ || event<transport::Closed>() != nullptr) return false;
  send(Frames{}.numbers(kHandshakeDone, {}));
  return event<transport::Confirmed>() != nullptr && event<transport::Closed>() == nullptr;
}

void RawQuic::send_retry(ByteView token, ByteView source_cid, bool spoilt) {
  const ngtcp2_cid client = to_library(dcid_);
  const ngtcp2_cid ours = to_library(source_cid);
  const ngtcp2_cid original = to_library(client_dcid_);
  Bytes packet(2048);
  const auto n = ngtcp2_crypto_write_retry(quic::out_ptr(packet), packet.size(), 1, &client, &ours,
                                           &original, quic::in_ptr(token), token.size());
  CHECK(n > 0);
  packet.resize(static_cast<std::size_t>(n));
  if (spoilt) packet.back() ^= std::byte{1};
  scid_ = to_bytes(source_cid);
  deliver(packet);
}

void RawQuic::send_version_negotiation(std::initializer_list<std::uint32_t> versions) {
  Bytes packet{std::byte{0xc0}};
  append_be<std::uint32_t>(packet, 0);
  for (const Bytes* cid : {&dcid_, &client_dcid_}) {
    packet.push_back(static_cast<std::byte>(cid->size()));
    append(packet, *cid);
  }
  for (const std::uint32_t version : versions) append_be<std::uint32_t>(packet, version);
  deliver(packet);
}

}  // namespace ethnet::testing
