// Discv5Crowd: one host of an attacker who is a crowd (roster.hpp), on discv5, over true sessions.
// Every beat a name that nobody has heard of comes to each victim and asks whether it is there, so
// that the victim meets it. Each answers whoever asks it: that it is there, and to FINDNODE names
// of the crowd alone, at the distances that were asked for. Machine of the contract; one thread,
// the world's. Limits: kMaxDiscv5Faces names in use.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <discovery/v5/session/sessions.hpp>
#include <discovery/v5/wire/message.hpp>
#include <machine/concepts.hpp>

#include "roster.hpp"

namespace ethnet::sim {

// Of one host at a time; who was not used for longest makes way. A few KiB each.
inline constexpr std::size_t kMaxDiscv5Faces = 512;

struct Discv5CrowdConfig {
  std::size_t host = 0;  // of the roster's
  Roster* roster = nullptr;
  Duration beat = seconds(1);
  Duration phase{};                                   // later by this than its start
  std::function<std::vector<discv5::EnrPtr>()> aims;  // their records
};

class Discv5Crowd {
 public:
  Discv5Crowd(Now now, Discv5CrowdConfig config, SecureRng& rng);

  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  void handle_deadline(Now now) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] Instant next_deadline() const { return next_beat_; }

 private:
  // What waits for the challenge of the one whom it is for.
  struct Waiting {
    discv5::Peer to;
    crypto::PublicKey key;
    Bytes plain;
  };
  // One name in use.
  struct Face {
    Endpoint local;
    std::unique_ptr<discv5::Sessions> sessions;
    std::optional<Waiting> waiting;
  };

  [[nodiscard]] Face* face_at(std::uint16_t port);
  Face& show(std::size_t name);
  void handle(Now now, const Datagram& datagram);
  void on_message(Face& face, const discv5::MessageReceived& received);
  void answer(Face& face, const discv5::Peer& to, const discv5::FindNode& find);
  void say(Face& face, const discv5::Peer& to, const discv5::Message& message);
  void come(Face& face, const discv5::EnrPtr& victim);
  void send(const Face& face, const Endpoint& to, std::size_t size);

  struct Outgoing {
    Endpoint local;
    Endpoint remote;
    Bytes bytes;
  };

  Discv5CrowdConfig config_;
  SecureRng& rng_;
  std::map<std::uint16_t, Face> faces_;  // by port
  std::deque<std::uint16_t> shown_;      // the oldest first
  std::deque<Outgoing> outgoing_;
  discv5::PacketBuffer in_{};
  discv5::PacketBuffer out_{};
  Instant next_beat_;
};

}  // namespace ethnet::sim
