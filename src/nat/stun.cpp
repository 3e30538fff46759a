#include "stun.hpp"

#include <algorithm>
#include <utility>

namespace ethnet::nat {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<StunError>(code)) {
    case StunError::too_large:
      return "an answer too large";
    case StunError::not_stun:
      return "no STUN message";
    case StunError::not_ours:
      return "no answer to what was asked";
    case StunError::truncated:
      return "an attribute beyond the end";
    case StunError::unknown_attribute:
      return "an attribute that has to be understood and is not";
    case StunError::bad_address:
      return "an address of no form";
    case StunError::no_address:
      return "no XOR-MAPPED-ADDRESS";
    case StunError::refused:
      return "the server refuses";
    case StunError::no_answer:
      return "no answer";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"stun", describe};

constexpr std::uint16_t kBindingRequest = 0x0001;
constexpr std::uint16_t kBindingSuccess = 0x0101;
constexpr std::uint16_t kBindingError = 0x0111;
constexpr std::uint32_t kMagicCookie = 0x2112'A442;
constexpr std::size_t kAttributeHeader = 4;

constexpr std::uint16_t kXorMappedAddress = 0x0020;
// Below this an attribute has to be understood (15).
constexpr std::uint16_t kOptionalFrom = 0x8000;
// Those of RFC 5389, and of RFC 3489 that servers still send beside them; they change nothing here.
constexpr std::uint16_t kKnown[] = {0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0007,
                                    0x0008, 0x0009, 0x000A, 0x000B, 0x0014, 0x0015, 0x0020};

constexpr std::byte kFamilyV4{1};
constexpr std::byte kFamilyV6{2};

// XOR-MAPPED-ADDRESS (15.2): the port and the address, masked by what both sides know.
Result<Endpoint> decode_address(ByteView value, const StunTransaction& id) {
  const bool is_v4 = value.size() == 8 && value[1] == kFamilyV4;
  const bool is_v6 = value.size() == 20 && value[1] == kFamilyV6;
  if (!is_v4 && !is_v6) return fail(StunError::bad_address);
  ByteArray<16> mask{};
  store_be<std::uint32_t>(MutByteView{mask}.first(4), kMagicCookie);
  copy_into(MutByteView{mask}.subspan(4), ByteView{id});
  Endpoint out;
  const auto port = load_be<std::uint16_t>(value.subspan(2, 2));
  out.port = static_cast<std::uint16_t>(port ^ (kMagicCookie >> 16));
  ByteArray<16> plain{};
  const ByteView masked = value.subspan(4);
  for (std::size_t i = 0; i < masked.size(); ++i) plain[i] = masked[i] ^ mask[i];
  if (is_v4) {
    ByteArray<4> four{};
    copy_into(MutByteView{four}, ByteView{plain}.first(4));
    out.ip = IpAddress::v4(four);
  } else {
    out.ip = IpAddress::v6(plain);
  }
  if (out.ip.is_unspecified() || out.port == 0) return fail(StunError::bad_address);
  return out;
}

}  // namespace

const ErrorDomain& error_domain(StunError) { return kDomain; }

ByteArray<kStunHeaderBytes> encode_binding_request(const StunTransaction& id) {
  ByteArray<kStunHeaderBytes> out{};
  const MutByteView bytes{out};
  store_be<std::uint16_t>(bytes.first(2), kBindingRequest);
  store_be<std::uint32_t>(bytes.subspan(4, 4), kMagicCookie);
  copy_into(bytes.subspan(8), ByteView{id});
  return out;
}

Result<Endpoint> decode_binding_response(ByteView packet, const StunTransaction& id) {
  if (packet.size() > kMaxStunMessage) return fail(StunError::too_large);
  if (packet.size() < kStunHeaderBytes) return fail(StunError::not_stun);
  const auto type = load_be<std::uint16_t>(packet.first(2));
  const auto length = load_be<std::uint16_t>(packet.subspan(2, 2));
  const bool is_stun = load_be<std::uint32_t>(packet.subspan(4, 4)) == kMagicCookie &&
                       length == packet.size() - kStunHeaderBytes && length % 4 == 0;
  if (!is_stun) return fail(StunError::not_stun);
  const bool is_answer = type == kBindingSuccess || type == kBindingError;
  const bool is_ours = std::ranges::equal(packet.subspan(8, id.size()), ByteView{id});
  if (!is_answer || !is_ours) return fail(StunError::not_ours);
  if (type == kBindingError) return fail(StunError::refused);
  std::optional<Endpoint> mapped;
  for (std::size_t at = kStunHeaderBytes; at < packet.size();) {
    // `at` and the end are multiples of four: there is room for its header.
    const auto kind = load_be<std::uint16_t>(packet.subspan(at, 2));
    const std::size_t size = load_be<std::uint16_t>(packet.subspan(at + 2, 2));
    const std::size_t padded = (size + 3) / 4 * 4;
    if (padded > packet.size() - at - kAttributeHeader) return fail(StunError::truncated, at);
    const bool is_known = std::ranges::find(kKnown, kind) != std::end(kKnown);
    if (kind < kOptionalFrom && !is_known) return fail(StunError::unknown_attribute, at);
    // The first one counts (15).
    if (kind == kXorMappedAddress && !mapped) {
      const auto address = decode_address(packet.subspan(at + kAttributeHeader, size), id);
      if (!address) return std::unexpected{address.error().shifted(at)};
      mapped = *address;
    }
    at += kAttributeHeader + padded;
  }
  if (!mapped) return fail(StunError::no_address);
  return *mapped;
}

Duration stun_retry_after(std::uint64_t failures) {
  Duration out = kStunFirstRetry;
  for (std::uint64_t i = 1; i < failures && out < kStunLastRetry; ++i) out = out * 2;
  return std::min(out, kStunLastRetry);
}

void StunClient::start(Now now) noexcept {
  rng_.fill(asked_.emplace());
  tries_ = 1;
  sends_ = true;
  deadline_ = now.mono + kStunFirstWait;
}

void StunClient::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  for (const Datagram& datagram : datagrams) handle_datagram(now, datagram);
}

void StunClient::handle_datagram(Now now, const Datagram& datagram) {
  if (!asked_ || datagram.remote != server_) {
    ++counters_.ignored;
    return;
  }
  const auto mapped = decode_binding_response(datagram.bytes, *asked_);
  if (mapped) {
    ++counters_.answers;
    return end(StunMapped{*mapped}, now.mono + kStunRefresh);
  }
  // Whoever does not know the transaction id says nothing of it.
  const Error& why = mapped.error();
  const bool may_be_anybodys =
      why.is(StunError::too_large) || why.is(StunError::not_stun) || why.is(StunError::not_ours);
  if (may_be_anybodys) {
    ++counters_.ignored;
    return;
  }
  ++counters_.failures;
  end(StunFailed{why}, Instant::never());
}

void StunClient::end(StunEvent event, Instant next) {
  asked_.reset();
  sends_ = false;
  event_ = event;
  deadline_ = next;
}

void StunClient::handle_deadline(Now now) noexcept {
  if (deadline_ > now.mono) return;
  if (!asked_) return start(now);
  if (tries_ == kStunTries) {
    ++counters_.failures;
    return end(StunFailed{Error{StunError::no_answer}}, Instant::never());
  }
  const Duration wait = kStunFirstWait * (std::int64_t{1} << tries_);
  ++tries_;
  sends_ = true;
  deadline_ = now.mono + (tries_ == kStunTries ? kStunLastWait : wait);
}

std::optional<Transmit> StunClient::poll_transmit(Now, MutByteView out) {
  if (!sends_ || !asked_) return std::nullopt;
  sends_ = false;
  ++counters_.requests;
  const auto request = encode_binding_request(*asked_);
  copy_into(out.first(request.size()), ByteView{request});
  return Transmit{.local = {},
                  .remote = server_,
                  .ecn = 0,
                  .size = request.size(),
                  .segment_size = request.size()};
}

std::optional<StunEvent> StunClient::poll_event() { return std::exchange(event_, std::nullopt); }

}  // namespace ethnet::nat
