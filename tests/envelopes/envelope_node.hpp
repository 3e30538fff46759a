// Two nodes' worth of session: a QUIC endpoint and a SessionManager as one machine, that sends
// numbered envelopes on every agreed capability as fast as it may, reads its own at times and at
// times not, and judges what comes: on a session nothing is lost, nothing altered, and within a
// capability and priority nothing overtaken. For the test beside it; one thread, the world's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <session/session.hpp>
#include <sim/host.hpp>
#include <transport/quic/endpoint.hpp>

namespace ethnet::testing {

inline constexpr std::size_t kLanes = 3;  // capabilities
using LaneCounts = std::array<std::array<std::uint64_t, session::kPriorities>, kLanes>;

// What was said on one session by one side, and what of it the other was given.
struct Traffic {
  LaneCounts sent{};
  LaneCounts received{};

  [[nodiscard]] static std::uint64_t sum(const LaneCounts& counts);
  [[nodiscard]] std::uint64_t in_flight() const { return sum(sent) - sum(received); }
};

// Of a whole run; knows both sides.
struct Ledger {
  std::uint64_t goal = 0;  // envelopes that each side is to receive
  bool quiet = false;      // nothing more is sent
  std::array<std::uint64_t, 2> received{};
  // By sender and its session, counted over all its lives.
  std::map<std::pair<sim::HostId, std::uint64_t>, Traffic> traffic;
  std::array<std::uint64_t, 2> newest{};  // session of each sender
  std::uint64_t sessions = 0;
  std::uint64_t held_back = 0;  // spells in which a side did not read
  std::uint64_t would_block = 0;
  std::optional<std::string> wrong;  // the first thing
};

class EnvelopeNode {
 public:
  struct Setup {
    bool tls = false;
    std::function<Endpoint()> dials;  // where the other one is now; of one of the two
    std::shared_ptr<const crypto::SecretKey> key;
  };
  EnvelopeNode(const sim::HostEnv& env, const Setup& setup, Ledger& ledger);

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out) {
    return quic_->poll_transmit(now, out);
  }
  [[nodiscard]] std::optional<Job> poll_job() { return sessions_->poll_job(); }
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] const session::SessionManager& sessions() const { return *sessions_; }

 private:
  void route(Now now);
  void on_event(const session::SessionEvent& event);
  void on_message(const session::MessageReceived& message);
  void produce(Now now);
  [[nodiscard]] bool send_one(Now now, std::size_t lane);
  void say_wrong(std::string what);
  [[nodiscard]] std::size_t other() const { return 1 - host_; }

  Ledger& ledger_;
  std::size_t host_;
  Setup setup_;
  Prng prng_;
  std::unique_ptr<quic::QuicEndpoint> quic_;
  std::unique_ptr<session::SessionManager> sessions_;
  std::optional<session::SessionHandle> session_;
  std::uint64_t our_session_ = 0;  // the number that our envelopes bear
  std::uint64_t lives_;
  std::optional<std::uint64_t> their_session_;
  std::array<bool, kLanes> blocked_{};
  bool dialing_ = false;
  Instant dial_at_;
  bool reading_ = true;
  Instant turn_at_;  // when it begins or ceases to read
};

}  // namespace ethnet::testing
