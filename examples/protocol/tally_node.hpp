// TallyNode: QUIC, sessions and tally/0.1 as one machine, which a world of the simulator or a loop
// over real sockets can drive through the same pump.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <session/session.hpp>
#include <sim/host.hpp>
#include <transport/quic/endpoint.hpp>

#include "tally.hpp"

namespace tally {

class TallyNode {
 public:
  struct Setup {
    std::vector<std::string> offers;        // capabilities of our Hello
    std::optional<ethnet::Endpoint> dials;  // whom it connects to, if to anybody
  };
  TallyNode(const ethnet::sim::HostEnv& env, const Setup& setup);

  void handle_datagrams(ethnet::Now now, std::span<const ethnet::Datagram> batch) noexcept;
  void handle_deadline(ethnet::Now now) noexcept;
  void handle_job_done(ethnet::Now now, const ethnet::JobResult& done) noexcept;
  [[nodiscard]] std::optional<ethnet::Transmit> poll_transmit(ethnet::Now now,
                                                              ethnet::MutByteView out) {
    return quic_->poll_transmit(now, out);
  }
  [[nodiscard]] std::optional<ethnet::Job> poll_job() { return sessions_->poll_job(); }
  [[nodiscard]] std::optional<std::string> poll_event();
  [[nodiscard]] ethnet::Instant next_deadline() const;

  // What both sides have counted to.
  [[nodiscard]] std::uint64_t reached() const { return reached_; }

 private:
  void route(ethnet::Now now);
  void on_session_event(const ethnet::session::SessionEvent& event);

  ethnet::session::Capability capability_;
  std::unique_ptr<ethnet::quic::QuicEndpoint> quic_;
  std::unique_ptr<ethnet::session::SessionManager> sessions_;
  Tally tally_;
  std::optional<ethnet::Endpoint> dials_;
  ethnet::Instant dial_at_ = ethnet::Instant::never();
  std::deque<std::string> lines_;
  std::uint64_t reached_ = 0;
};

}  // namespace tally
