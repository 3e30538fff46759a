// One iterative Kademlia look-up, as a pure iterator: it says whom to ask next, is told what came
// of it, and ends with the k nearest nodes that answered. It knows ids and of what subnet each is:
// no messages, no time. Who drives it must answer for each node that it was given, by on_answer or
// on_failure; then it ends after at most kMaxLookupQueries questions, whatever is answered: a liar
// can name nearer nodes without end.
//
// Of one subnet (ip_limits.hpp) the nearest kMaxLookupPerSubnet that have not failed count; those
// beyond are neither asked nor found, and wait in case one of these fails. So two hosts with as
// many identities as they like cannot be all of the k nearest, and somebody else is asked too
// (attack 32).
// One thread; deterministic.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <types/endpoint.hpp>
#include <types/node_id.hpp>

namespace ethnet::kbucket {

inline constexpr std::size_t kLookupParallel = 3;  // Kademlia's alpha
inline constexpr std::size_t kLookupResults = 16;  // Kademlia's k
// Questions of one look-up. One among 100,000 nodes needs about 30; the rest is for those that
// fail.
inline constexpr std::size_t kMaxLookupQueries = 64;
// Nodes that it remembers beside those that it asked: the nearest ones, and of crowds the fewest.
inline constexpr std::size_t kMaxLookupWaiting = 64;
// More of one subnet that wait are a crowd, whose farthest are forgotten before anybody else. Not
// as few as count: anybody can name made-up neighbours of a node that nobody has asked yet.
inline constexpr std::size_t kMaxLookupCrowd = 8;
// The k nearest share a bucket or two, which have as many places for one subnet.
inline constexpr std::size_t kMaxLookupPerSubnet = 2;

struct LookupNode {
  NodeId id;
  std::optional<IpAddress> subnet;  // nothing: no limit holds
};

class Lookup {
 public:
  Lookup(const NodeId& self, const NodeId& target) : self_{self}, target_{target} {}

  // Nodes to begin with; at any time.
  void add(std::span<const LookupNode> nodes);
  // Whom to ask now; nothing while enough are asked, or nobody is left who could help.
  [[nodiscard]] std::optional<NodeId> next();
  // What a node that was asked named. Ignored when it was not asked, or is answered for already.
  void on_answer(const NodeId& from, std::span<const LookupNode> nodes);
  void on_failure(const NodeId& from);
  // One that is asked is in that subnet. False when it is not asked.
  bool place(const NodeId& id, const std::optional<IpAddress>& subnet);
  // One that failed may be in that subnet instead, and waits again. False when it has not failed.
  bool retry(const NodeId& id, const std::optional<IpAddress>& subnet);

  // Nobody is asked and nobody is left to ask: closest() is final.
  [[nodiscard]] bool finished() const;
  // Whether it still counts on this node: waiting, asked or answered.
  [[nodiscard]] bool knows(const NodeId& id) const;
  // Whether it is among the k nearest that count and have not failed: one of the results, so far.
  [[nodiscard]] bool is_near(const NodeId& id) const;
  // Those that answered and count, nearest first, at most kLookupResults.
  [[nodiscard]] std::vector<NodeId> closest() const;
  [[nodiscard]] const NodeId& target() const { return target_; }
  [[nodiscard]] std::size_t queries() const { return queries_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  enum class State : std::uint8_t { waiting, asked, answered, failed };
  struct Node {
    NodeId id;
    std::optional<IpAddress> subnet;
    State state = State::waiting;
  };
  using Nodes = std::map<ByteArray<32>, Node>;  // by distance from the target

  // The first of the k nearest that count for which `stops` says so; only those in a state that
  // `counts` names are looked at.
  template <class Counts, class Stops>
  [[nodiscard]] Nodes::const_iterator find_near(Counts counts, Stops stops) const;
  // The nearest that may be asked now: among the first k that have not failed.
  [[nodiscard]] Nodes::const_iterator best_waiting() const;
  // Back to kMaxLookupWaiting: first the farthest of crowds.
  void forget_waiting();
  [[nodiscard]] Node* asked(const NodeId& id);

  NodeId self_;
  NodeId target_;
  Nodes nodes_;
  std::size_t waiting_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t queries_ = 0;
};

}  // namespace ethnet::kbucket
