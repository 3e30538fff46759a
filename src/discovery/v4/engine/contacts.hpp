// Nodes that we are asking something: who, what, how far it has come, and until when we wait.
// One thread. Limits: kMaxDiscv4Contacts, kMaxUnaskedContacts, kMaxAsksPerNode, kMaxPlacesPerNode.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <types/node_id.hpp>

#include "../limits.hpp"
#include "../wire/packet.hpp"

namespace ethnet::discv4 {

// A node as discv4 knows it: its key, and where it is.
struct V4Node {
  crypto::PublicKey key;
  NodeId id;
  Place at;

  [[nodiscard]] static V4Node of(const crypto::PublicKey& key, const Place& at) {
    return {key, make_node_id(key), at};
  }
  friend bool operator==(const V4Node&, const V4Node&) = default;
};
[[nodiscard]] inline const IpAddress& ip_of(const V4Node& node) { return node.at.ip; }

// `command`: the number that its answer bears; 0 where nobody waits for it.
struct AskPing {
  std::uint64_t command = 0;
  bool of_this_place = false;  // also without a command: an answer from elsewhere is none
};
struct AskNodes {
  std::uint64_t command = 0;
  std::uint64_t lookup = 0;  // 0: of none
  KeyBytes target{};
};
struct AskRecord {
  std::uint64_t command = 0;
};
using Ask = std::variant<AskPing, AskNodes, AskRecord>;

// Who named the place where we look for it.
enum class NamedBy : std::uint8_t {
  us,      // by command or configuration
  others,  // told, or found in the table
  itself   // by a PING of its, which proved that it is there: we did not choose it
};

enum class Phase : std::uint8_t {
  pinging,        // our PING is under way
  awaiting_ping,  // it answered; before it answers more it needs a proof of ours
  asking          // asks.front() is under way
};

// A PING of ours at another place where the same node may be. The first one that is answered says
// where it is.
struct Knock {
  Place at;
  Hash32 ping;
  bool we_chose = true;  // these three as of a Contact
  bool was_answered = false;
};

struct Contact {
  V4Node node;
  bool we_chose = true;  // no answer to a PING of its
  Phase phase = Phase::pinging;
  bool has_ponged = false;       // since we turned to it
  bool is_settled = false;       // it answered since then: it is at node.at, and nowhere else
  bool was_answered = false;     // by us, a PING of its, since then
  Hash32 request;                // hash of the packet that is under way
  std::vector<Knock> elsewhere;  // empty once it is settled; with node.at kMaxPlacesPerNode
  std::deque<Ask> asks;          // the first one first
  std::vector<V4Node> found;     // of the NEIGHBORS that came so far
  std::size_t told = 0;          // nodes in them, of use or not
  bool has_neighbors = false;    // one came, with nodes or without
  Instant deadline;
};

class Contacts {
 public:
  [[nodiscard]] Contact* find(const NodeId& id);
  // Null at the limit. CHECK: there is none of this node.
  [[nodiscard]] Contact* add(const V4Node& node);
  void set_deadline(Contact& contact, Instant at);
  void erase(const NodeId& id);
  // One whose deadline has come; call until it gives nothing.
  [[nodiscard]] Contact* overdue(Now now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] bool full() const { return contacts_.size() >= kMaxDiscv4Contacts; }
  [[nodiscard]] std::size_t size() const { return contacts_.size(); }
  // Of nodes that came to us by themselves.
  [[nodiscard]] std::size_t unasked() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(contacts_, [](const auto& entry) { return !entry.second.we_chose; }));
  }
  // Whether f(const Contact&) holds of one.
  template <class F>
  [[nodiscard]] bool any(F f) const {
    for (const auto& [id, contact] : contacts_) {
      if (f(contact)) return true;
    }
    return false;
  }

 private:
  std::map<NodeId, Contact> contacts_;
  std::set<std::pair<Instant, NodeId>> deadlines_;
};

}  // namespace ethnet::discv4
