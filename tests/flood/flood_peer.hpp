// FloodPeer: a node reduced to what a flood concerns: an endpoint with TLS, sessions, and an echo
// whose round trips are measured in virtual time. Machines that attack stand in attackers.hpp.
//
// Capability "echo/1": a byte that says what it is, and the asker's clock. An ask is answered by
// the same; every Options::echo_period each session that we started is asked. "bulk/1": bytes that
// nobody looks at.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <base/log.hpp>
#include <crypto/secp256k1.hpp>
#include <session/session.hpp>
#include <sim/cost.hpp>
#include <sim/host.hpp>
#include <transport/quic/endpoint.hpp>

namespace ethnet::testing {

using Key = std::shared_ptr<const crypto::SecretKey>;

// One question and its answer, by the asker's clock.
struct RoundTrip {
  Instant asked;
  std::optional<Duration> took;  // nothing: never answered
};

struct FloodPeerOptions {
  quic::EndpointConfig quic;  // the address is filled in
  session::Config session;
  Duration echo_period{};             // none: asks nobody
  std::size_t bulk_message = 16'384;  // bytes
  // Takes no bytes from streams of capabilities, and answers pings all the same.
  bool deaf = false;
  // Reads nothing at all once it has a session, also not what control streams bring.
  bool deaf_once_open = false;
};

class FloodPeer {
 public:
  struct Ended {
    session::DisconnectReason reason{};
    Instant at;
    bool by_peer = false;
  };

  FloodPeer(const sim::HostEnv& env, FloodPeerOptions options, Key key);

  // Commands.
  void dial(Now now, const Endpoint& remote);
  // Queues bulk for every session, or for that with `only`, for ever and as fast as it is taken.
  void begin_bulk(Now now, std::optional<Endpoint> only = {});
  void end_bulk() { bulk_ = false; }
  // Writes these bytes behind the session manager's back on the control stream of each session;
  // what the transport does not take is lost. Gives how much it took.
  std::size_t write_on_control(Now now, ByteView bytes);

  // The machine.
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<Job> poll_job() { return sessions_.poll_job(); }
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const {
    return sessions_.exceeded_limit();
  }
  [[nodiscard]] sim::Work work() const;

  // What was seen.
  [[nodiscard]] const quic::QuicEndpoint& endpoint() const { return *quic_; }
  [[nodiscard]] const session::SessionManager& sessions() const { return sessions_; }
  [[nodiscard]] const std::vector<RoundTrip>& round_trips() const { return round_trips_; }
  [[nodiscard]] const std::vector<Ended>& ended() const { return ended_; }
  [[nodiscard]] const std::vector<session::DialFailed>& failed_dials() const { return failed_; }
  [[nodiscard]] const std::vector<Instant>& opened() const { return opened_; }
  [[nodiscard]] std::uint64_t bulk_bytes_in() const { return bulk_bytes_in_; }
  [[nodiscard]] std::size_t largest_batch() const { return largest_batch_; }
  // Of and to addresses in 203.0.0.0/8, which no honest host of these tests has.
  [[nodiscard]] std::uint64_t stranger_bytes_in() const { return stranger_bytes_in_; }
  [[nodiscard]] std::uint64_t stranger_bytes_out() const { return stranger_bytes_out_; }

 private:
  void route(Now now);
  void on_event(Now now, session::SessionEvent event);
  void on_message(Now now, const session::MessageReceived& message);
  void ask_all(Now now);
  void fill(Now now, session::SessionHandle session);

  FloodPeerOptions options_;
  NullLog log_;
  std::unique_ptr<quic::QuicEndpoint> quic_;
  session::SessionManager sessions_;
  std::set<session::SessionHandle> asked_;  // sessions that we started
  Instant next_ask_ = Instant::never();
  bool reads_ = true;
  bool bulk_ = false;
  std::optional<Endpoint> bulk_only_;
  std::vector<transport::ConnHandle> conns_;
  std::vector<RoundTrip> round_trips_;
  std::vector<Ended> ended_;
  std::vector<session::DialFailed> failed_;
  std::vector<Instant> opened_;
  std::uint64_t bulk_bytes_in_ = 0;
  std::size_t largest_batch_ = 0;
  std::uint64_t stranger_bytes_in_ = 0;
  std::uint64_t stranger_bytes_out_ = 0;
};

[[nodiscard]] bool is_stranger(const Endpoint& endpoint);
[[nodiscard]] Endpoint stranger(std::uint32_t number, std::uint16_t port);

}  // namespace ethnet::testing
