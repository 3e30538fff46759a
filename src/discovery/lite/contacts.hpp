// Nodes that we want to ask something and have no link with: they wait for their turn, are wished
// for (the node dials), and leave when the link is there, or does not come.
// One thread. Limits: kMaxContacts, kMaxQuestionsPerNode.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <discovery/kbucket/record.hpp>

#include "limits.hpp"

namespace ethnet::lite {

using kbucket::RecordPtr;

// What we ask of a node.
struct AskPing {
  friend bool operator==(const AskPing&, const AskPing&) = default;
};
struct AskNodes {
  std::uint64_t lookup = 0;  // 0: of none
  std::uint32_t round = 0;   // how often this look-up has asked this node before
  std::vector<std::uint16_t> distances;
  bool again = false;  // a session closed before the answer came
  friend bool operator==(const AskNodes&, const AskNodes&) = default;
};
using Ask = std::variant<AskPing, AskNodes>;

struct Contact {
  std::uint64_t id = 0;
  std::optional<NodeId> node;  // none: a boot node of which we know the address alone
  Endpoint endpoint;
  RecordPtr record;  // where there is one
  std::vector<Ask> asks;
  bool dialling = false;
};

class Contacts {
 public:
  [[nodiscard]] Contact* find(std::uint64_t id);
  [[nodiscard]] Contact* find(const NodeId& node);
  [[nodiscard]] Contact* find(const Endpoint& boot_endpoint);
  // Null at the limit.
  [[nodiscard]] Contact* add(std::optional<NodeId> node, const Endpoint& endpoint,
                             RecordPtr record);
  [[nodiscard]] std::optional<Contact> take(std::uint64_t id);
  // The next one whose turn it is, dialling from now on; null when none waits.
  [[nodiscard]] Contact* start_next(Now now);
  [[nodiscard]] bool has_waiting() const { return by_id_.size() > dialling_.size(); }
  // The first of those whose dial was never answered; call until it gives nothing.
  [[nodiscard]] std::optional<std::uint64_t> overdue(Now now) const;
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] std::size_t size() const { return by_id_.size(); }
  [[nodiscard]] std::size_t dialling() const { return dialling_.size(); }

 private:
  std::map<std::uint64_t, Contact> by_id_;  // in the order in which they came
  std::map<NodeId, std::uint64_t> by_node_;
  std::set<std::pair<Instant, std::uint64_t>> dialling_;  // until when, which
  std::uint64_t next_id_ = 1;
};

}  // namespace ethnet::lite
