// The QUIC endpoint without encryption, so that what is inside of packets is reached.
#include <tests/support/raw_quic/raw_quic.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using testing::RawQuic;
using testing::Space;

// Behind two bytes of length; what is left when it is less.
ByteView block(Operations& input) {
  const std::size_t high = input.byte();
  const std::size_t low = input.byte();
  return input.bytes(high * 256 + low);
}

// A session that reads everything, as ours do, and answers a little on a stream of its own.
void behave(RawQuic& peer) {
  peer.on_event = [&peer](const transport::ConnEvent& event) {
    auto& endpoint = peer.endpoint();
    if (const auto* readable = std::get_if<transport::Readable>(&event.kind)) {
      const std::size_t n = endpoint.read(event.conn, readable->stream).size();
      endpoint.consume(event.conn, readable->stream, n);
      (void)endpoint.write(event.conn, readable->stream, text_bytes("answer"));
    } else if (std::holds_alternative<transport::Confirmed>(event.kind)) {
      const auto stream = endpoint.open_stream(event.conn, transport::StreamKind::unidirectional);
      if (stream) (void)endpoint.write(event.conn, *stream, Bytes(3'000));
    }
  };
}

// What must hold whatever was said.
void check_end(RawQuic& peer) {
  const quic::EndpointConfig config;
  CHECK(peer.memory() <= config.memory_limit);
  CHECK(peer.endpoint().connection_count() <= 64);
  const bool closed = peer.event<transport::Closed>() != nullptr;
  peer.acknowledge = false;
  peer.wait(seconds(120));
  // Closed, or idle for longer than any connection lives.
  CHECK(closed || peer.event<transport::Closed>() != nullptr);
  CHECK(peer.endpoint().connection_count() == 0);
  CHECK(peer.endpoint().cid_count() == 0);
  CHECK(peer.endpoint().half_open_count() == 0);
  CHECK(peer.endpoint().remote_count() == 0);
}

constexpr int kMaxOperations = 64;

}  // namespace

// Each operation: a byte of flags and a block, which becomes a datagram.
void run_quic_datagrams(ByteView bytes) {
  Operations input{bytes};
  RawQuic peer{{}};
  behave(peer);
  CHECK(peer.connect());
  for (int i = 0; i < kMaxOperations && !input.at_end(); ++i) {
    const std::uint8_t flags = input.byte();
    Bytes datagram = to_bytes(block(input));
    // The connection's id where it belongs, so that more than chance leads to the connection.
    const std::size_t at = (flags & 2) != 0 ? 6 : 1;
    if ((flags & 1) != 0 && datagram.size() >= at + peer.dcid().size()) {
      copy_into(MutByteView{datagram}.subspan(at), peer.dcid());
      if (at == 6) datagram[5] = static_cast<std::byte>(peer.dcid().size());
    }
    if ((flags & 4) != 0) datagram.resize(std::max<std::size_t>(datagram.size(), 1200));
    const Endpoint before = peer.from;
    if ((flags & 8) != 0) peer.from = quic::testing::at(9, 9);
    peer.deliver(datagram);
    peer.from = before;
    if ((flags & 16) != 0) peer.wait(milliseconds(flags));
  }
  check_end(peer);
}

// Each operation: a byte and a block, which becomes the payload of a packet in one of the spaces.
void run_quic_frames(ByteView bytes) {
  Operations input{bytes};
  RawQuic peer{{}};
  behave(peer);
  const std::uint8_t options = input.byte();
  if ((options & 1) != 0) {
    // Transport parameters of the fuzzer's choice, behind the one that must be there.
    Bytes parameters = testing::Parameters{}.bytes(0x0f, peer.scid()).encode();
    append(parameters, block(input));
    if (!peer.connect(parameters) && (options & 2) == 0) return;
  } else {
    peer.hold_finish = (options & 2) != 0;
    CHECK(peer.connect() != peer.hold_finish);
  }
  for (int i = 0; i < kMaxOperations && !input.at_end(); ++i) {
    const std::uint8_t operation = input.byte();
    if ((operation & 0x40) != 0) peer.wait(milliseconds(operation & 0x3f));
    if ((operation & 0x20) != 0) peer.acknowledge = !peer.acknowledge;
    if ((operation & 0x10) != 0) peer.skip_numbers(Space::application, operation & 0x0f);
    const Space space = (operation & 3) == 0   ? Space::handshake
                        : (operation & 3) == 1 ? Space::initial
                                               : Space::application;
    peer.send(space, block(input));
  }
  if (peer.event<transport::Opened>() == nullptr) {
    peer.wait(seconds(120));
    CHECK(peer.endpoint().connection_count() == 0);
    return;
  }
  check_end(peer);
}

}  // namespace ethnet::fuzz
