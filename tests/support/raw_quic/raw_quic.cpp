#include "raw_quic.hpp"

#include <algorithm>

namespace ethnet::testing {
namespace {

constexpr std::size_t kRawCidBytes = 8;
constexpr std::size_t kMinInitial = 1200;

std::optional<ByteView> take(ByteView& rest, std::size_t n) {
  if (n > rest.size()) return std::nullopt;
  const ByteView taken = rest.first(n);
  rest = rest.subspan(n);
  return taken;
}

// RFC 9000, appendix A.3.
std::uint64_t expand(std::uint64_t truncated, std::size_t bytes, std::uint64_t expected) {
  const std::uint64_t window = std::uint64_t{1} << (8 * bytes);
  const std::uint64_t candidate = (expected & ~(window - 1)) | truncated;
  if (candidate + window / 2 <= expected) return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}

}  // namespace

RawQuic::RawQuic(quic::EndpointConfig config)
    : scid_(kRawCidBytes, std::byte{0xaa}), dcid_(kRawCidBytes, std::byte{0xdd}) {
  if (config.local.empty()) config.local = {quic::testing::at(2, 200)};
  auto crypto = quic::make_null_crypto(rng_, config.alpn);
  endpoint_ = *quic::QuicEndpoint::make(now_, std::move(config), rng_, log_, std::move(crypto));
}

bool RawQuic::connect(ByteView transport_parameters) {
  const Bytes hello = quic::encode_null(
      quic::NullMessage::hello,
      quic::encode_null_hello(Bytes(quic::kNullRandomBytes), {"ethnet/1"}, transport_parameters));
  for (std::size_t offset = 0; offset < hello.size(); offset += 1000) {
    const ByteView rest = ByteView{hello}.subspan(offset);
    const ByteView part = rest.first(std::min<std::size_t>(1000, rest.size()));
    send(Space::initial, Frames{}.crypto(offset, part).padding(kMinInitial - part.size()).bytes());
  }
  if (!answered_) wait(milliseconds(100));  // the endpoint paces its packets
  if (!answered_ || hold_finish) return false;
  finish();
  return event<transport::Confirmed>() != nullptr && event<transport::Closed>() == nullptr;
}

void RawQuic::finish() {
  send(Space::handshake,
       Frames{}.crypto(0, quic::encode_null(quic::NullMessage::finish, {})).bytes());
}

Bytes RawQuic::make_packet(Space space, std::uint64_t number, ByteView frames) const {
  Bytes out;
  const std::size_t protected_size = 4 + frames.size() + quic::kNullTagBytes;
  if (space == Space::application) {
    out.push_back(key_phase ? std::byte{0x47} : std::byte{0x43});
    append(out, dcid_);
  } else {
    out.push_back(space == Space::initial ? std::byte{0xc3} : std::byte{0xe3});
    append_be<std::uint32_t>(out, 1);
    out.push_back(static_cast<std::byte>(dcid_.size()));
    append(out, dcid_);
    out.push_back(static_cast<std::byte>(scid_.size()));
    append(out, scid_);
    if (space == Space::initial) out.push_back(std::byte{0});  // no token
    append_varint(out, protected_size);
  }
  append_be<std::uint32_t>(out, static_cast<std::uint32_t>(number));
  append(out, frames);
  append(out, Bytes(quic::kNullTagBytes));
  return out;
}

void RawQuic::send(Space space, ByteView frames) {
  deliver(make_packet(space, at(space).next++, frames));
}

void RawQuic::deliver(ByteView datagram) {
  const Datagram in{quic::testing::at(2, 200), from, 0, datagram};
  endpoint_->handle_datagrams(now_, std::span{&in, 1});
  drain();
}

void RawQuic::wait(Duration duration) {
  const Instant end = now_.mono + duration;
  drain();
  while (endpoint_->next_deadline() <= end) {
    const Instant next = std::max(now_.mono, endpoint_->next_deadline());
    now_.wall = now_.wall + (next - now_.mono);
    now_.mono = next;
    endpoint_->handle_deadline(now_);
    drain();
  }
  now_.wall = now_.wall + (end - now_.mono);
  now_.mono = end;
}

std::size_t RawQuic::count(std::uint64_t type) const {
  return static_cast<std::size_t>(std::ranges::count(frames_, type, &Frame::type));
}

const Frame* RawQuic::last(std::uint64_t type) const {
  for (auto it = frames_.rbegin(); it != frames_.rend(); ++it) {
    if (it->type == type) return &*it;
  }
  return nullptr;
}

std::optional<std::uint64_t> RawQuic::closed_with() const {
  const Frame* close = last(0x1c);
  if (close == nullptr) return std::nullopt;
  return close->numbers.at(0);
}

// Everything that the endpoint has to say, until it is silent and has been acknowledged.
void RawQuic::drain() {
  Bytes buffer(kTransmitBufferBytes);
  constexpr int kRounds = 1000;  // an endpoint that never falls silent is a fault of its own
  for (int round = 0;; ++round) {
    CHECK(round < kRounds);
    bool quiet = true;
    while (const auto burst = endpoint_->poll_transmit(now_, buffer)) {
      quiet = false;
      bytes_out_ += burst->size;
      remotes_.insert(burst->remote);
      ByteView rest = ByteView{buffer}.first(burst->size);
      while (!rest.empty()) {
        ++datagrams_out_;
        read_datagram(*take(rest, std::min(rest.size(), burst->segment_size)));
      }
    }
    while (auto event = endpoint_->poll_event()) {
      if (std::holds_alternative<transport::Opened>(event->kind)) conn_ = event->conn;
      if (on_event) on_event(*event);
      events_.push_back(std::move(*event));
    }
    if (quiet) return;
    if (acknowledge) send_acknowledgements();
  }
}

void RawQuic::read_datagram(ByteView datagram) {
  while (!datagram.empty() && read_packet(datagram)) {
  }
}

bool RawQuic::read_packet(ByteView& rest) {
  const auto first = std::to_integer<unsigned>(rest.front());
  const std::size_t number_bytes = (first & 3) + 1;
  Space space = Space::application;
  ByteView packet = rest;
  if ((first & 0x80) == 0) {
    const auto header = take(packet, 1 + scid_.size());
    if (!header || !equal(header->subspan(1), scid_)) return false;
    endpoint_key_phase_ = (first & 4) != 0;
    rest = {};
  } else {
    const unsigned type = (first >> 4) & 3;
    const auto version = take(packet, 5);
    if (!version || load_be<std::uint32_t>(version->subspan(1)) != 1 || type == 1 || type == 3) {
      return false;
    }
    space = type == 0 ? Space::initial : Space::handshake;
    for (int i = 0; i < 2; ++i) {
      const auto size = take(packet, 1);
      if (!size) return false;
      const auto cid = take(packet, std::to_integer<std::size_t>(size->front()));
      if (!cid) return false;
      const bool to_new_server = server_ && type == 0;                    // it chose our id itself
      if (i == 0 && !to_new_server && !equal(*cid, scid_)) return false;  // of another connection
      if (i == 0 && to_new_server) client_dcid_ = to_bytes(*cid);
      if (i == 1) dcid_ = to_bytes(*cid);
    }
    if (type == 0) {
      const auto size = take_varint(packet);
      if (!size) return false;
      const auto token = take(packet, static_cast<std::size_t>(*size));
      if (!token) return false;
      client_token_ = to_bytes(*token);
    }
    const auto length = take_varint(packet);
    if (!length || *length > packet.size()) return false;
    rest = packet.subspan(static_cast<std::size_t>(*length));
    packet = packet.first(static_cast<std::size_t>(*length));
  }
  if (packet.size() < number_bytes + quic::kNullTagBytes) return false;
  std::uint64_t truncated = 0;
  for (const std::byte b : packet.first(number_bytes)) {
    truncated = truncated << 8 | std::to_integer<unsigned>(b);
  }
  packet = packet.subspan(number_bytes);
  const auto& received = at(space).received;
  const std::uint64_t expected = received.empty() ? 0 : *received.rbegin() + 1;
  read_frames(space, expand(truncated, number_bytes, expected),
              packet.first(packet.size() - quic::kNullTagBytes));
  return true;
}

void RawQuic::read_frames(Space space, std::uint64_t number, ByteView payload) {
  Numbers& numbers = at(space);
  numbers.received.insert(number);
  while (!payload.empty()) {
    auto frame = take_frame(payload);
    CHECK(frame.has_value());  // what an honest endpoint sends can be read
    if (frame->type == 0) continue;
    if (frame->type != 2 && frame->type != 3 && frame->type != 0x1c && frame->type != 0x1d) {
      numbers.owed = true;
    }
    if (space == Space::handshake && frame->type == 6) answered_ = true;
    frames_.push_back(std::move(*frame));
  }
}

void RawQuic::send_acknowledgements() {
  for (const Space space : {Space::initial, Space::handshake, Space::application}) {
    Numbers& numbers = at(space);
    if (!numbers.owed) continue;
    numbers.owed = false;
    // The newest run of numbers; older ones were acknowledged before.
    const std::uint64_t largest = *numbers.received.rbegin();
    std::uint64_t smallest = largest;
    while (smallest > 0 && numbers.received.contains(smallest - 1)) --smallest;
    const Bytes packet =
        make_packet(space, numbers.next++, Frames{}.ack(largest, smallest).bytes());
    const Datagram in{quic::testing::at(2, 200), from, 0, packet};
    endpoint_->handle_datagrams(now_, std::span{&in, 1});
  }
}

}  // namespace ethnet::testing
