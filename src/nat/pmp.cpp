#include "pmp.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>

namespace ethnet::nat {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<PmpError>(code)) {
    case PmpError::bad_size:
      return "an answer of no size that there is";
    case PmpError::bad_version:
      return "an answer of another version";
    case PmpError::not_ours:
      return "no answer to what was asked";
    case PmpError::unsupported_version:
      return "the gateway does not speak NAT-PMP";
    case PmpError::not_authorised:
      return "the gateway does not allow it";
    case PmpError::network_failure:
      return "the gateway has no network";
    case PmpError::out_of_resources:
      return "the gateway has no mappings left";
    case PmpError::unsupported_opcode:
      return "the gateway has no such mappings";
    case PmpError::unknown_result:
      return "a refusal that is not known";
    case PmpError::no_external_address:
      return "the gateway has no address that others could reach";
    case PmpError::no_port:
      return "a mapping of no port or for no time";
    case PmpError::no_answer:
      return "no answer";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"nat-pmp", describe};

constexpr std::byte kVersion{0};
constexpr std::byte kAskAddress{0};
constexpr std::byte kMapUdp{1};
constexpr std::byte kAnswer{128};  // added to what was asked
constexpr std::size_t kAddressAnswerBytes = 12;
constexpr std::size_t kMapAnswerBytes = 16;
constexpr std::size_t kLeastAnswerBytes = 8;  // a refusal may be no longer

// Result codes (3.5).
Result<void> judge_result(std::uint16_t code) {
  switch (code) {
    case 0:
      return {};
    case 1:
      return fail(PmpError::unsupported_version);
    case 2:
      return fail(PmpError::not_authorised);
    case 3:
      return fail(PmpError::network_failure);
    case 4:
      return fail(PmpError::out_of_resources);
    case 5:
      return fail(PmpError::unsupported_opcode);
    default:
      return fail(PmpError::unknown_result);
  }
}

Result<void> judge_header(ByteView packet, std::byte asked, std::size_t size) {
  if (packet.size() < kLeastAnswerBytes || packet.size() > kMapAnswerBytes) {
    return fail(PmpError::bad_size);
  }
  if (packet[0] != kVersion) return fail(PmpError::bad_version);
  if (packet[1] != (asked | kAnswer)) return fail(PmpError::not_ours, 1);
  TRY(judge_result(load_be<std::uint16_t>(packet.subspan(2, 2))));
  if (packet.size() != size) return fail(PmpError::bad_size);
  return {};
}

bool is_of_another_question(const Error& why) {
  return why.is(PmpError::bad_size) || why.is(PmpError::bad_version) || why.is(PmpError::not_ours);
}

}  // namespace

const ErrorDomain& error_domain(PmpError) { return kDomain; }

ByteArray<2> encode_pmp_address_request() { return {kVersion, kAskAddress}; }

ByteArray<kPmpMapRequestBytes> encode_pmp_map_request(std::uint16_t internal_port,
                                                      std::uint16_t external_port,
                                                      std::uint32_t lifetime) {
  ByteArray<kPmpMapRequestBytes> out{kVersion, kMapUdp};
  const MutByteView bytes{out};
  store_be<std::uint16_t>(bytes.subspan(4, 2), internal_port);
  store_be<std::uint16_t>(bytes.subspan(6, 2), external_port);
  store_be<std::uint32_t>(bytes.subspan(8, 4), lifetime);
  return out;
}

Result<PmpAddressAnswer> decode_pmp_address(ByteView packet) {
  TRY(judge_header(packet, kAskAddress, kAddressAnswerBytes));
  PmpAddressAnswer out;
  out.epoch = load_be<std::uint32_t>(packet.subspan(4, 4));
  ByteArray<4> ip{};
  copy_into(MutByteView{ip}, packet.subspan(8, 4));
  out.external = IpAddress::v4(ip);
  if (out.external.is_unspecified() || out.external.is_loopback()) {
    return fail(PmpError::no_external_address, 8);
  }
  return out;
}

Result<PmpMapAnswer> decode_pmp_mapping(ByteView packet) {
  TRY(judge_header(packet, kMapUdp, kMapAnswerBytes));
  PmpMapAnswer out;
  out.epoch = load_be<std::uint32_t>(packet.subspan(4, 4));
  out.internal_port = load_be<std::uint16_t>(packet.subspan(8, 2));
  out.external_port = load_be<std::uint16_t>(packet.subspan(10, 2));
  out.lifetime = load_be<std::uint32_t>(packet.subspan(12, 4));
  if (out.external_port == 0 || out.lifetime == 0) return fail(PmpError::no_port, 10);
  return out;
}

PmpClient::PmpClient(const Endpoint& gateway, std::vector<std::uint16_t> ports)
    : gateway_{gateway} {
  CHECK(!ports.empty() && ports.size() <= kMaxMappedPorts);
  for (const std::uint16_t port : ports) ports_.push_back({.internal = port, .external = 0});
}

void PmpClient::start(Now now) noexcept {
  phase_ = Phase::asking;
  step_ = 0;
  again_ = false;
  lifetime_ = kPmpLifetime;
  ask(now);
}

void PmpClient::ask(Now now) {
  tries_ = 1;
  sends_ = true;
  deadline_ = now.mono + kPmpFirstWait;
}

void PmpClient::stop(Now) noexcept {
  deadline_ = Instant::never();
  phase_ = Phase::stopping;
  sends_ = true;
  step_ = 0;
}

void PmpClient::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  for (const Datagram& datagram : datagrams) handle_datagram(now, datagram);
}

void PmpClient::handle_datagram(Now now, const Datagram& datagram) {
  if (phase_ != Phase::asking || datagram.remote != gateway_) {
    ++counters_.ignored;
    return;
  }
  const auto taken = take(now, datagram.bytes);
  if (taken) return;
  if (is_of_another_question(taken.error())) {
    ++counters_.ignored;
    return;
  }
  fail_round(now, taken.error());
}

Result<void> PmpClient::take(Now now, ByteView packet) {
  if (step_ == 0) {
    const PmpAddressAnswer answer = TRY(decode_pmp_address(packet));
    external_ = answer.external;
    note_epoch(now, answer.epoch);
  } else {
    const PmpMapAnswer answer = TRY(decode_pmp_mapping(packet));
    MappedPort& port = ports_[step_ - 1];
    if (answer.internal_port != port.internal) return fail(PmpError::not_ours, 8);
    port.external = answer.external_port;
    lifetime_ = std::min(lifetime_, answer.lifetime);
    note_epoch(now, answer.epoch);
  }
  ++counters_.answers;
  ++step_;
  if (step_ > ports_.size()) {
    end_round(now);
  } else {
    ask(now);
  }
  return {};
}

// The gateway's clock may be slower than ours by an eighth, and off by two seconds (3.6).
void PmpClient::note_epoch(Now now, std::uint32_t epoch) {
  if (epoch_) {
    const std::int64_t passed = (now.mono - epoch_->at).ns / seconds(1).ns;
    const std::int64_t least = std::int64_t{epoch_->seconds} + passed * 7 / 8 - 2;
    if (std::int64_t{epoch} < least) {
      ++counters_.gateway_restarts;
      again_ = again_ || step_ > 1;  // mappings that this round has already
    }
  }
  epoch_ = Epoch{.seconds = epoch, .at = now.mono};
}

void PmpClient::end_round(Now now) {
  const Duration lifetime = std::max(seconds(lifetime_), kPmpLeastRenewal);
  if (again_ && anew_from_ <= now.mono) {
    anew_from_ = now.mono + lifetime;
    return start(now);
  }
  phase_ = Phase::idle;
  sends_ = false;
  event_ = PmpMapped{.external = external_, .ports = ports_, .lifetime = lifetime_};
  deadline_ = now.mono + std::clamp(seconds(lifetime_) / 2, kPmpLeastRenewal, kPmpMostRenewal);
}

void PmpClient::fail_round(Now now, const Error& why) {
  ++counters_.failures;
  phase_ = Phase::idle;
  sends_ = false;
  event_ = PmpFailed{why};
  deadline_ = now.mono + kPmpRetry;
}

void PmpClient::handle_deadline(Now now) noexcept {
  if (deadline_ > now.mono) return;
  if (phase_ == Phase::idle) return start(now);
  if (tries_ == kPmpTries) return fail_round(now, Error{PmpError::no_answer});
  const Duration wait = kPmpFirstWait * (std::int64_t{1} << tries_);
  ++tries_;
  sends_ = true;
  deadline_ = now.mono + wait;
}

std::optional<Transmit> PmpClient::poll_transmit(Now, MutByteView out) {
  if (!sends_) return std::nullopt;
  const auto write = [&](ByteView bytes) {
    copy_into(out.first(bytes.size()), bytes);
    ++counters_.requests;
    return Transmit{.local = {},
                    .remote = gateway_,
                    .ecn = 0,
                    .size = bytes.size(),
                    .segment_size = bytes.size()};
  };
  if (phase_ == Phase::stopping) {
    while (step_ < ports_.size() && ports_[step_].external == 0) ++step_;  // never mapped
    sends_ = step_ < ports_.size();
    if (!sends_) return std::nullopt;
    MappedPort& port = ports_[step_++];
    port.external = 0;
    return write(encode_pmp_map_request(port.internal, 0, 0));
  }
  sends_ = false;
  if (step_ == 0) return write(encode_pmp_address_request());
  const MappedPort& port = ports_[step_ - 1];
  // Others should see us at the port that we have, or had.
  const std::uint16_t wanted = port.external == 0 ? port.internal : port.external;
  return write(encode_pmp_map_request(port.internal, wanted, kPmpLifetime));
}

std::optional<PmpEvent> PmpClient::poll_event() { return std::exchange(event_, std::nullopt); }

}  // namespace ethnet::nat
