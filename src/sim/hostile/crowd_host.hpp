// CrowdHost: one host of an attacker that is a crowd (roster.hpp). It takes inbound places of its
// victims under ever new names and keeps them, takes whoever dials one of its names, and answers
// look-ups with names of its crowd alone; in all else it is an honest peer with nothing to give.
// Sessions over transport/memory, one for each name that is in use; the world leads every port of
// its address to it. Machine of the contract; one thread, the world's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <base/log.hpp>
#include <machine/concepts.hpp>
#include <session/session.hpp>
#include <transport/memory/memory_transport.hpp>
#include <types/genesis.hpp>

#include "roster.hpp"

namespace ethnet::sim {

struct CrowdConfig {
  std::size_t host = 0;  // of the roster's
  Roster* roster = nullptr;
  const Genesis* genesis = nullptr;
  Duration beat = seconds(1);
  struct Aim {
    Endpoint at;
    NodeId id;
    std::size_t places = 0;  // that this host wants there
  };
  std::function<std::vector<Aim>()> aims;
};

class CrowdHost {
 public:
  CrowdHost(Now now, CrowdConfig config, SecureRng& rng);

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] std::size_t faces() const { return faces_.size(); }

 private:
  // One name in use.
  struct Face {
    Face(std::size_t number, const Endpoint& where, session::Config config,
         std::shared_ptr<const crypto::SecretKey> key, SecureRng& rng, Log& log)
        : name{number},
          local{where},
          transport{transport::MemoryConfig{.local = where}, rng},
          sessions{config, std::move(key), transport, rng, log} {}
    std::size_t name;
    Endpoint local;
    transport::MemoryTransport transport;
    session::SessionManager sessions;
    std::optional<Endpoint> aim;  // whose place it has, or wants
    bool dials = false;           // for it, just now
    Instant idle_since;
  };

  [[nodiscard]] Face* face_at(Now now, std::uint16_t port);
  Face& show(Now now, std::size_t name);
  void route(Now now, Face& face);
  void on_event(Now now, Face& face, const session::SessionEvent& event);
  void on_message(Now now, Face& face, const session::MessageReceived& message);
  void on_question(Now now, Face& face, const session::MessageReceived& message);
  void say(Now now, Face& face, const session::MessageReceived& to, Bytes payload);
  void dial(Now now, Face& face);
  void beat(Now now);
  void put_away_idle(Now now);

  CrowdConfig config_;
  SecureRng& rng_;
  NullLog log_;
  std::map<std::uint16_t, std::unique_ptr<Face>> faces_;  // by port
  std::deque<std::uint16_t> ready_;                       // may have something to send
  std::map<std::uint64_t, std::pair<std::uint16_t, std::uint64_t>> jobs_;  // whose, and its id
  std::uint64_t next_job_ = 1;
  Instant next_beat_;
};

}  // namespace ethnet::sim
