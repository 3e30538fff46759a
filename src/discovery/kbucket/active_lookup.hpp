// A look-up that is under way: the iterator (lookup.hpp), and what is known of each node that it
// counts on: its record, or where discv4 finds it. Whom it begins with is `lookup_seeds`.
// One thread; deterministic. Limits: those of the iterator.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <base/check.hpp>

#include "distances.hpp"
#include "ip_limits.hpp"
#include "lookup.hpp"
#include "table.hpp"

namespace ethnet::kbucket {

// The nearest of a table, of one subnet as many as count in a look-up. The known ones whatever was
// claimed: a table full of claims must not keep us from asking them. Some come twice.
[[nodiscard]] std::vector<RecordPtr> lookup_seeds(const Table& table, const NodeId& target);

// What to go on with where it was told: an old record, told again, must not lead us to where the
// node no longer is.
[[nodiscard]] const RecordPtr& newest_of(const Table& table, const RecordPtr& told);

// For the limit of the iterator: where a node is. A Node of ActiveLookup has one.
[[nodiscard]] const IpAddress& ip_of(const RecordPtr& node);

template <class Node>
class ActiveLookup {
 public:
  ActiveLookup(const NodeId& self, const NodeId& target) : iterator_{self, target} {}

  // What counts for a node is what was said first.
  void know(const NodeId& id, const Node& node) { nodes_.try_emplace(id, node); }
  // Of one that failed something else is said: it waits for its turn once more. False: it has not.
  bool know_again(const NodeId& id, const Node& node) {
    if (!iterator_.retry(id, limited_subnet(ip_of(node)))) return false;
    nodes_.insert_or_assign(id, node);
    return true;
  }
  // CHECK: what counts is known of each.
  void add(std::span<const NodeId> ids) { iterator_.add(named(ids)); }
  // Asks whom to ask now, by ask(id, node), which says whether it could.
  template <class Ask>
  void ask_next(Ask ask) {
    std::erase_if(nodes_, [&](const auto& entry) { return !iterator_.knows(entry.first); });
    while (const auto id = iterator_.next()) {
      const Node node = nodes_.at(*id);
      if (!ask(*id, node)) iterator_.on_failure(*id);
    }
  }
  // And what it named.
  void on_answer(const NodeId& from, std::span<const NodeId> ids = {}) {
    iterator_.on_answer(from, named(ids));
  }
  // The same of a node that answered from elsewhere than it was known to be, perhaps.
  void on_answer_at(const NodeId& from, const Node& node, std::span<const NodeId> ids) {
    if (!iterator_.place(from, limited_subnet(ip_of(node)))) return;
    nodes_.insert_or_assign(from, node);
    on_answer(from, ids);
  }
  void on_failure(const NodeId& from) { iterator_.on_failure(from); }
  // What a full answer to these distances, which ended with `last`, had no room for, where that
  // matters: the nearest nodes know each other, and what one of them leaves out, the result may
  // lack.
  [[nodiscard]] std::vector<std::uint16_t> rest(const NodeId& asked,
                                                const std::vector<std::uint16_t>& distances,
                                                const NodeId& last) const {
    if (!iterator_.is_near(asked)) return {};
    return remaining_distances(distances, log_distance(asked, last));
  }

  [[nodiscard]] bool finished() const { return iterator_.finished(); }
  [[nodiscard]] const NodeId& target() const { return iterator_.target(); }
  // CHECK: it counts on it.
  [[nodiscard]] const Node& node(const NodeId& id) const {
    const auto it = nodes_.find(id);
    CHECK(it != nodes_.end());
    return it->second;
  }
  // Those that answered, nearest first.
  [[nodiscard]] std::vector<Node> nearest() const {
    std::vector<Node> out;
    for (const NodeId& id : iterator_.closest()) out.push_back(node(id));
    return out;
  }

 private:
  [[nodiscard]] std::vector<LookupNode> named(std::span<const NodeId> ids) const {
    std::vector<LookupNode> out;
    out.reserve(ids.size());
    for (const NodeId& id : ids) out.push_back({id, limited_subnet(ip_of(node(id)))});
    return out;
  }

  Lookup iterator_;
  std::map<NodeId, Node> nodes_;
};

// A look-up of records, begun with the nearest of the table.
[[nodiscard]] ActiveLookup<RecordPtr> begin_lookup(const Table& table, const NodeId& target);

}  // namespace ethnet::kbucket
