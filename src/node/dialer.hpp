// Keeps sessions with the static peers: dials, waits, dials again. Says when and whom; the node
// does it. Backoff doubles from 1 s to 30 s, with a quarter of jitter either way, so that two nodes
// that dial each other fall out of step. It begins anew after a session that lasted; a peer that
// takes us and throws us out at once is dialled ever more rarely; an address at which we met
// ourselves, hardly ever. Peers come and go by the operator's word; each has a number that is not
// given again. One thread. Limits: kMaxStaticPeers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <base/prng.hpp>

#include "config.hpp"

namespace ethnet::node {

struct DialerCounters {
  std::uint64_t dials = 0;
  std::uint64_t failed = 0;
  std::uint64_t not_started = 0;  // the session said no: too many, already dialling, ...
  std::uint64_t look_ups = 0;
  std::uint64_t look_ups_failed = 0;  // no such name, or no answer in time
};

class Dialer {
 public:
  struct Wish {
    std::size_t target = 0;
    bool resolve = false;  // look up this name first
    std::string host;
    std::uint16_t port = 0;
    Endpoint endpoint;
    std::optional<NodeId> expected;
  };

  enum class Added : std::uint8_t { fresh, known, full };
  struct Removed {
    bool found = false;
    std::optional<NodeId> id;  // who was there, as far as it was proven or named
  };

  Dialer(std::vector<StaticPeer> peers, Prng prng, Instant start);

  // A peer is known that has the same identity, or is sought at the same place.
  [[nodiscard]] Added add(Now now, StaticPeer peer);
  // A dial of it that is under way goes on; whose session comes of it is told by take_unwanted().
  [[nodiscard]] Removed remove(const StaticPeer& peer);
  // The dial was for a peer that has been removed since. Told once.
  [[nodiscard]] bool take_unwanted(std::uint64_t dial_id) {
    return unwanted_dials_.erase(dial_id) > 0;
  }

  // The next thing to do now; call until it gives nothing.
  [[nodiscard]] std::optional<Wish> next(Now now, const std::set<NodeId>& connected);
  void handle_resolved(Now now, std::size_t target, std::vector<Endpoint> endpoints);
  // The dial was started and will be answered with this id, or could not be started.
  void on_dialing(std::size_t target, std::uint64_t dial_id);
  void on_dial_failed(Now now, std::uint64_t dial_id, std::optional<NodeId> proven,
                      bool met_ourselves);
  void on_dial_refused(Now now, std::size_t target);
  void on_session_opened(Now now, const NodeId& id, const Endpoint& remote, bool inbound);
  void on_session_closed(Now now, const NodeId& id);
  // One of ours: whom the operator named, or who proved itself where the operator sent us.
  [[nodiscard]] bool names(const NodeId& id) const;
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] const DialerCounters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { waiting, resolving, dialing, connected };
  struct Target {
    StaticPeer peer;
    std::vector<Endpoint> endpoints;  // what the name resolved to; tried in turn
    std::size_t next_endpoint = 0;
    std::optional<NodeId> id;  // who is there, as far as it was proven
    State state = State::waiting;
    std::uint64_t dial_id = 0;
    std::uint32_t failures = 0;  // since a session lasted
    Instant at;                  // when to try again
    Instant since;               // when the session began
  };

  void insert(Instant at, StaticPeer peer);
  void back_off(Now now, Target& target);

  void on_connected(Now now, Target& target);

  [[nodiscard]] static bool is_same(const Target& target, const StaticPeer& peer);

  std::map<std::size_t, Target> targets_;  // by number
  std::size_t next_target_ = 0;
  std::set<std::uint64_t> unwanted_dials_;  // each ends by its deadline
  Prng prng_;
  DialerCounters counters_;
  mutable std::optional<Instant> due_;  // next_deadline(), until something changes
};

}  // namespace ethnet::node
