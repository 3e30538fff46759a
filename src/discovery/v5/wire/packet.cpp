#include "packet.hpp"

#include <string_view>
#include <utility>

namespace ethnet::discv5 {
namespace {

constexpr std::string_view kProtocolId = "discv5";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeadBytes = kMaskingIvBytes + kStaticHeaderBytes;
constexpr std::size_t kOrdinaryBytes = 32;
constexpr std::size_t kWhoareyouAuthdataBytes = 24;
constexpr std::size_t kHandshakeHeadBytes = 34;
constexpr std::byte kSignatureSize{64};
constexpr std::byte kKeySize{33};
constexpr std::size_t kHandshakeBytes = kHandshakeHeadBytes + 64 + 33;  // without a record
static_assert(kHeadBytes + kWhoareyouAuthdataBytes == kWhoareyouBytes);
static_assert(kMinDiscv5Packet == kWhoareyouBytes);
static_assert(kHeadBytes + kHandshakeBytes + kMaxEnrBytes + crypto::kGcmTagSize < kMaxDiscv5Packet);

constexpr std::size_t kAuthdataAt = kHeadBytes;

// The parts of a static header, and whether sizes fit what came.
struct StaticHeader {
  Flag flag;
  Nonce nonce;
  std::size_t authdata_size;
};

// `at`: where the static header begins, for errors.
Result<StaticHeader> read_static(ByteView bytes) {
  constexpr std::size_t at = kMaskingIvBytes;
  if (!equal(bytes.first(6), text_bytes(kProtocolId))) {
    return fail(Discv5Error::wrong_protocol_id, at);
  }
  if (load_be<std::uint16_t>(bytes.subspan(6, 2)) != kVersion) {
    return fail(Discv5Error::wrong_version, at + 6);
  }
  const auto flag = std::to_integer<std::uint8_t>(bytes[8]);
  if (flag > std::to_underlying(Flag::handshake)) return fail(Discv5Error::unknown_flag, at + 8);
  StaticHeader out{static_cast<Flag>(flag), {}, load_be<std::uint16_t>(bytes.subspan(21, 2))};
  copy_into(out.nonce, bytes.subspan(9, 12));
  return out;
}

// `rest`: bytes after the static header.
Result<void> check_sizes(Flag flag, std::size_t authdata_size, std::size_t rest) {
  constexpr std::size_t at = kHeadBytes - 2;
  if (authdata_size > rest) return fail(Discv5Error::bad_authdata_size, at);
  const std::size_t message = rest - authdata_size;
  if (flag == Flag::whoareyou) {
    if (authdata_size != kWhoareyouAuthdataBytes) return fail(Discv5Error::bad_authdata_size, at);
    if (message != 0) return fail(Discv5Error::message_in_whoareyou, kWhoareyouBytes);
    return {};
  }
  const bool right = flag == Flag::ordinary ? authdata_size == kOrdinaryBytes
                                            : authdata_size >= kHandshakeHeadBytes;
  if (!right) return fail(Discv5Error::bad_authdata_size, at);
  if (message < crypto::kGcmTagSize) {
    return fail(Discv5Error::message_too_short, kHeadBytes + authdata_size);
  }
  return {};
}

NodeId read_id(ByteView bytes) {
  NodeId out;
  copy_into(out.bytes, bytes.first(32));
  return out;
}

Result<Handshake> read_handshake(ByteView bytes) {
  if (bytes[32] != kSignatureSize || bytes[33] != kKeySize) {
    return fail(Discv5Error::unsupported_scheme, kAuthdataAt + 32);
  }
  if (bytes.size() < kHandshakeBytes) return fail(Discv5Error::bad_authdata_size, kHeadBytes - 2);
  Handshake out{.source = read_id(bytes), .record = bytes.subspan(kHandshakeBytes)};
  if (out.record.size() > kMaxEnrBytes) {
    return fail(Discv5Error::record_too_large, kAuthdataAt + kHandshakeBytes + kMaxEnrBytes);
  }
  copy_into(out.id_signature, bytes.subspan(kHandshakeHeadBytes, 64));
  copy_into(out.ephemeral_key, bytes.subspan(kHandshakeHeadBytes + 64, 33));
  return out;
}

Result<Authdata> read_authdata(Flag flag, ByteView bytes) {
  if (flag == Flag::ordinary) return Ordinary{read_id(bytes)};
  if (flag == Flag::whoareyou) {
    Whoareyou out{.enr_seq = load_be<std::uint64_t>(bytes.subspan(16, 8))};
    copy_into(out.id_nonce, bytes.first(16));
    return out;
  }
  const Handshake out = TRY(read_handshake(bytes));
  return out;
}

// Appends to what is written of a header.
class HeaderWriter {
 public:
  explicit HeaderWriter(MutByteView out) : rest_{out} {}
  void put(ByteView bytes) {
    copy_into(rest_, bytes);
    rest_ = rest_.subspan(bytes.size());
  }
  template <class T>
  void put_be(T value) {
    ByteArray<sizeof(T)> raw{};
    store_be<T>(raw, value);
    put(raw);
  }

 private:
  MutByteView rest_;
};

}  // namespace

std::size_t header_size(const Authdata& authdata) {
  if (std::holds_alternative<Ordinary>(authdata)) return kHeadBytes + kOrdinaryBytes;
  if (const auto* handshake = std::get_if<Handshake>(&authdata)) {
    return kHeadBytes + kHandshakeBytes + handshake->record.size();
  }
  return kWhoareyouBytes;
}

ByteView write_header(const Header& header, MutByteView out) {
  const std::size_t size = header_size(header.authdata);
  CHECK(out.size() >= size);
  HeaderWriter writer{out};
  writer.put(header.masking_iv);
  writer.put(text_bytes(kProtocolId));
  writer.put_be(kVersion);
  writer.put_be(std::to_underlying(flag_of(header.authdata)));
  writer.put(header.nonce);
  writer.put_be(static_cast<std::uint16_t>(size - kHeadBytes));
  if (const auto* ordinary = std::get_if<Ordinary>(&header.authdata)) {
    writer.put(ordinary->source.view());
  } else if (const auto* whoareyou = std::get_if<Whoareyou>(&header.authdata)) {
    writer.put(whoareyou->id_nonce);
    writer.put_be(whoareyou->enr_seq);
  } else if (const auto* handshake = std::get_if<Handshake>(&header.authdata)) {
    CHECK(handshake->record.size() <= kMaxEnrBytes);
    writer.put(handshake->source.view());
    writer.put(ByteArray<2>{kSignatureSize, kKeySize});
    writer.put(handshake->id_signature);
    writer.put(handshake->ephemeral_key);
    writer.put(handshake->record);
  }
  return out.first(size);
}

PacketCodec::Mask::Mask()
    : stream_{crypto::AesCtr::make(ByteArray<16>{}, ByteArray<16>{}).value()} {}

void PacketCodec::Mask::start(const NodeId& dest, ByteView masking_iv) {
  const ByteView key = dest.view().first(key_.size());
  if (equal(key, key_)) {
    CHECK(stream_.restart(masking_iv).has_value());
    return;
  }
  CHECK(stream_.restart(key, masking_iv).has_value());
  copy_into(key_, key);
}

void PacketCodec::Mask::apply(ByteView in, MutByteView out) {
  CHECK(stream_.apply(in, out).has_value());
}

void PacketCodec::mask_header(const NodeId& dest, MutByteView header_bytes) {
  outgoing_.start(dest, header_bytes.first(kMaskingIvBytes));
  const MutByteView header = header_bytes.subspan(kMaskingIvBytes);
  outgoing_.apply(header, header);
}

Result<Packet> PacketCodec::decode(const NodeId& self, ByteView datagram, PacketBuffer& buffer) {
  if (datagram.size() < kMinDiscv5Packet) {
    return fail(Discv5Error::packet_too_small, datagram.size());
  }
  if (datagram.size() > kMaxDiscv5Packet) {
    return fail(Discv5Error::packet_too_large, kMaxDiscv5Packet);
  }
  const MutByteView out{buffer};
  const ByteView masking_iv = datagram.first(kMaskingIvBytes);
  copy_into(out, masking_iv);
  incoming_.start(self, masking_iv);
  const MutByteView head = out.subspan(kMaskingIvBytes, kStaticHeaderBytes);
  incoming_.apply(datagram.subspan(kMaskingIvBytes, kStaticHeaderBytes), head);
  const StaticHeader fixed = TRY(read_static(head));
  TRY(check_sizes(fixed.flag, fixed.authdata_size, datagram.size() - kHeadBytes));

  const MutByteView authdata = out.subspan(kHeadBytes, fixed.authdata_size);
  incoming_.apply(datagram.subspan(kHeadBytes, fixed.authdata_size), authdata);
  const std::size_t header_end = kHeadBytes + fixed.authdata_size;
  Packet packet{.header = {.nonce = fixed.nonce, .authdata = {}},
                .header_bytes = out.first(header_end),
                .message = datagram.subspan(header_end),
                .plain = {}};
  copy_into(packet.header.masking_iv, masking_iv);
  packet.header.authdata = TRY(read_authdata(fixed.flag, authdata));
  if (fixed.flag != Flag::whoareyou) {
    packet.plain = out.subspan(header_end, packet.message.size() - crypto::kGcmTagSize);
  }
  return packet;
}

Result<ByteView> PacketCodec::open(const Packet& packet, ByteView key) {
  if (packet.message.empty()) return fail(Discv5Error::unreadable);
  const auto opened =
      gcm_.open_into(key, packet.header.nonce, packet.header_bytes, packet.message, packet.plain);
  if (!opened) return fail(Discv5Error::unreadable, packet.header_bytes.size());
  return ByteView{packet.plain};
}

Result<std::size_t> PacketCodec::encode_sealed(const NodeId& dest, const Header& header,
                                               ByteView key, ByteView plain, PacketBuffer& out) {
  const std::size_t header_end = header_size(header.authdata);
  const std::size_t message_size = plain.size() + crypto::kGcmTagSize;
  if (message_size > out.size() - header_end) {
    return fail(Discv5Error::message_does_not_fit, out.size() - header_end);
  }
  const MutByteView whole{out};
  write_header(header, whole);
  const MutByteView header_bytes = whole.first(header_end);
  CHECK(gcm_.seal_into(key, header.nonce, header_bytes, plain,
                       whole.subspan(header_end, message_size))
            .has_value());
  mask_header(dest, header_bytes);
  return header_end + message_size;
}

Result<std::size_t> PacketCodec::encode_raw(const NodeId& dest, const Header& header,
                                            ByteView message, PacketBuffer& out) {
  const std::size_t header_end = header_size(header.authdata);
  if (message.size() > out.size() - header_end) {
    return fail(Discv5Error::message_does_not_fit, out.size() - header_end);
  }
  const MutByteView whole{out};
  write_header(header, whole);
  copy_into(whole.subspan(header_end), message);
  mask_header(dest, whole.first(header_end));
  return header_end + message.size();
}

std::size_t PacketCodec::encode_whoareyou(const NodeId& dest, const ChallengeData& data,
                                          PacketBuffer& out) {
  copy_into(out, data);
  mask_header(dest, MutByteView{out}.first(data.size()));
  return data.size();
}

}  // namespace ethnet::discv5
