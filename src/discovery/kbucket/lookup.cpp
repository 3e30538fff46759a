#include "lookup.hpp"

namespace ethnet::kbucket {

void Lookup::add(std::span<const NodeId> nodes) {
  for (const NodeId& id : nodes) {
    if (id == self_) continue;
    if (!nodes_.try_emplace(xor_distance(target_, id), Node{id}).second) continue;
    if (++waiting_ > kMaxLookupWaiting) drop_farthest_waiting();
  }
}

void Lookup::drop_farthest_waiting() {
  for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) {
    if (it->second.state != State::waiting) continue;
    nodes_.erase(it->first);
    --waiting_;
    return;
  }
}

Lookup::Nodes::const_iterator Lookup::best_waiting() const {
  std::size_t nearer = 0;
  for (auto it = nodes_.begin(); it != nodes_.end() && nearer < kLookupResults; ++it) {
    if (it->second.state == State::waiting) return it;
    if (it->second.state != State::failed) ++nearer;
  }
  return nodes_.end();
}

std::optional<NodeId> Lookup::next() {
  if (in_flight_ >= kLookupParallel || queries_ >= kMaxLookupQueries) return std::nullopt;
  const auto it = best_waiting();
  if (it == nodes_.end()) return std::nullopt;
  nodes_.at(it->first).state = State::asked;
  --waiting_;
  ++in_flight_;
  ++queries_;
  return it->second.id;
}

Lookup::Node* Lookup::asked(const NodeId& id) {
  const auto it = nodes_.find(xor_distance(target_, id));
  if (it == nodes_.end() || it->second.state != State::asked) return nullptr;
  return &it->second;
}

void Lookup::on_answer(const NodeId& from, std::span<const NodeId> nodes) {
  Node* node = asked(from);
  if (node == nullptr) return;
  node->state = State::answered;
  --in_flight_;
  add(nodes);
}

void Lookup::on_failure(const NodeId& from) {
  Node* node = asked(from);
  if (node == nullptr) return;
  node->state = State::failed;
  --in_flight_;
}

bool Lookup::finished() const {
  if (in_flight_ > 0) return false;
  return queries_ >= kMaxLookupQueries || best_waiting() == nodes_.end();
}

bool Lookup::knows(const NodeId& id) const {
  const auto it = nodes_.find(xor_distance(target_, id));
  return it != nodes_.end() && it->second.state != State::failed;
}

bool Lookup::is_near(const NodeId& id) const {
  std::size_t nearer = 0;
  for (auto it = nodes_.begin(); it != nodes_.end() && nearer < kLookupResults; ++it) {
    if (it->second.id == id) return it->second.state != State::failed;
    if (it->second.state != State::failed) ++nearer;
  }
  return false;
}

std::vector<NodeId> Lookup::closest() const {
  std::vector<NodeId> out;
  for (const auto& [distance, node] : nodes_) {
    if (out.size() == kLookupResults) break;
    if (node.state == State::answered) out.push_back(node.id);
  }
  return out;
}

}  // namespace ethnet::kbucket
