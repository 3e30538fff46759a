// A hostile QUIC client or server in virtual time: it speaks to an endpoint that encrypts nothing
// (transport/quic/null_crypto.hpp) and says exactly the packets and frames that a test wants,
// beyond every limit and out of every order. raw_server.cpp has what only a server says.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>

#include <base/instant.hpp>
#include <transport/quic/endpoint.hpp>
#include <transport/quic/null_crypto.hpp>
#include <transport/quic/test_pair.hpp>

#include "frames.hpp"

namespace ethnet::testing {

// Packet number spaces, and so the packets that carry them.
enum class Space : std::uint8_t { initial, handshake, application };

class RawQuic {
 public:
  explicit RawQuic(quic::EndpointConfig config = {});

  // The handshake. False when the endpoint does not confirm it.
  [[nodiscard]] bool connect() { return connect(Parameters::honest(scid()).encode()); }
  [[nodiscard]] bool connect(ByteView transport_parameters);

  // The last message of the handshake.
  void finish();

  // As a server: the endpoint dials us, and its first packets are read.
  void be_dialled();
  // The server's flight; false when the endpoint does not confirm the handshake. honest_server()
  // is what a server ought to say.
  [[nodiscard]] bool answer(ByteView transport_parameters);
  [[nodiscard]] Parameters honest_server() const;
  // Its tag is right for the client's last destination id, unless it is spoilt.
  void send_retry(ByteView token, ByteView source_cid, bool spoilt = false);
  void send_version_negotiation(std::initializer_list<std::uint32_t> versions);
  // Where the client sent its last Initial, and with which token.
  [[nodiscard]] ByteView client_dcid() const { return client_dcid_; }
  [[nodiscard]] ByteView client_token() const { return client_token_; }
  // Every address that the endpoint sent to.
  [[nodiscard]] const std::set<Endpoint>& remotes() const { return remotes_; }

  // One packet with the next number of its space, in a datagram of its own; then everything that
  // the endpoint has to say is taken, and acknowledged when `acknowledge` is set.
  void send(const Frames& frames) { send(Space::application, frames.bytes()); }
  void send(Space space, ByteView frames);
  [[nodiscard]] Bytes make_packet(Space space, std::uint64_t number, ByteView frames) const;
  void deliver(ByteView datagram);
  // Time passes; the endpoint's timers run.
  void wait(Duration duration);

  [[nodiscard]] ByteView scid() const { return scid_; }
  [[nodiscard]] ByteView dcid() const { return dcid_; }
  [[nodiscard]] std::uint64_t next_number(Space space) const { return at(space).next; }
  void skip_numbers(Space space, std::uint64_t n) { at(space).next += n; }

  // What the endpoint said to us.
  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  [[nodiscard]] std::size_t count(std::uint64_t type) const;
  [[nodiscard]] const Frame* last(std::uint64_t type) const;
  // The code of the CONNECTION_CLOSE that came.
  [[nodiscard]] std::optional<std::uint64_t> closed_with() const;
  void forget_frames() { frames_.clear(); }
  [[nodiscard]] bool endpoint_key_phase() const { return endpoint_key_phase_; }  // of its last
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }           // of the endpoint
  [[nodiscard]] std::uint64_t datagrams_out() const { return datagrams_out_; }

  // What the endpoint told its own side.
  template <class E>
  [[nodiscard]] const E* event() const {
    for (auto it = events_.rbegin(); it != events_.rend(); ++it) {
      if (const auto* found = std::get_if<E>(&it->kind)) return found;
    }
    return nullptr;
  }
  [[nodiscard]] quic::QuicEndpoint& endpoint() { return *endpoint_; }
  [[nodiscard]] transport::ConnHandle conn() const { return conn_; }
  [[nodiscard]] std::size_t memory() const { return endpoint_->memory_bytes(conn_); }
  [[nodiscard]] Now now() const { return now_; }

  bool acknowledge = true;
  bool key_phase = false;    // of our packets (RFC 9001, section 6)
  bool hold_finish = false;  // connect() leaves finish() out
  // Called for every event before it is kept: an application that reads, for example.
  std::function<void(const transport::ConnEvent&)> on_event;
  Endpoint from = quic::testing::at(1, 100);

 private:
  struct Numbers {
    std::uint64_t next = 0;
    std::set<std::uint64_t> received;
    bool owed = false;  // an acknowledgement
  };
  [[nodiscard]] Numbers& at(Space space) { return spaces_.at(static_cast<std::size_t>(space)); }
  [[nodiscard]] const Numbers& at(Space space) const {
    return spaces_.at(static_cast<std::size_t>(space));
  }

  void drain();
  void read_datagram(ByteView datagram);
  [[nodiscard]] bool read_packet(ByteView& rest);
  void read_frames(Space space, std::uint64_t number, ByteView payload);
  void send_acknowledgements();

  Now now_{{1'000'000'000'000}, UnixTime::from_seconds(1'800'000'000)};
  quic::testing::TestRng rng_{7};
  NullLog log_;
  std::unique_ptr<quic::QuicEndpoint> endpoint_;
  Bytes scid_;
  Bytes dcid_;
  std::array<Numbers, 3> spaces_;
  std::vector<Frame> frames_;
  std::deque<transport::ConnEvent> events_;
  transport::ConnHandle conn_;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t datagrams_out_ = 0;
  bool endpoint_key_phase_ = false;
  bool answered_ = false;  // a message came in a Handshake packet
  bool server_ = false;
  Bytes client_dcid_;
  Bytes original_dcid_;  // before any Retry of ours
  Bytes client_token_;
  std::set<Endpoint> remotes_;
};

}  // namespace ethnet::testing
