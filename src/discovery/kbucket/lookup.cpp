#include "lookup.hpp"

#include <algorithm>
#include <array>

namespace ethnet::kbucket {

namespace {

// How many of each subnet have been counted, of k at most.
class Shares {
 public:
  // False, and nothing counted, where its subnet has had its share.
  bool take(const std::optional<IpAddress>& subnet) {
    if (!subnet) return true;
    const auto had =
        std::ranges::count_if(std::span{counted_}.first(size_),
                              [&](const IpAddress* other) { return *other == *subnet; });
    if (static_cast<std::size_t>(had) >= kMaxLookupPerSubnet) return false;
    counted_.at(size_++) = &*subnet;
    return true;
  }

 private:
  std::array<const IpAddress*, kLookupResults> counted_{};
  std::size_t size_ = 0;
};

}  // namespace

void Lookup::add(std::span<const LookupNode> nodes) {
  for (const LookupNode& node : nodes) {
    if (node.id == self_) continue;
    const auto added =
        nodes_.try_emplace(xor_distance(target_, node.id), Node{node.id, node.subnet});
    if (added.second) ++waiting_;
  }
  if (waiting_ > kMaxLookupWaiting) forget_waiting();
}

void Lookup::forget_waiting() {
  std::map<IpAddress, std::size_t> of_subnet;
  for (const auto& [distance, node] : nodes_) {
    if (node.state == State::waiting && node.subnet) ++of_subnet[*node.subnet];
  }
  for (const bool only_crowds : {true, false}) {
    for (auto it = nodes_.end(); it != nodes_.begin() && waiting_ > kMaxLookupWaiting;) {
      const Node& node = (--it)->second;
      if (node.state != State::waiting) continue;
      if (only_crowds) {
        if (!node.subnet || of_subnet[*node.subnet] <= kMaxLookupCrowd) continue;
        --of_subnet[*node.subnet];
      }
      it = nodes_.erase(it);
      --waiting_;
    }
  }
}

template <class Counts, class Stops>
Lookup::Nodes::const_iterator Lookup::find_near(Counts counts, Stops stops) const {
  Shares shares;
  std::size_t nearer = 0;
  for (auto it = nodes_.begin(); it != nodes_.end() && nearer < kLookupResults; ++it) {
    if (!counts(it->second.state) || !shares.take(it->second.subnet)) continue;
    if (stops(it->second)) return it;
    ++nearer;
  }
  return nodes_.end();
}

Lookup::Nodes::const_iterator Lookup::best_waiting() const {
  return find_near([](State state) { return state != State::failed; },
                   [](const Node& node) { return node.state == State::waiting; });
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

void Lookup::on_answer(const NodeId& from, std::span<const LookupNode> nodes) {
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

bool Lookup::place(const NodeId& id, const std::optional<IpAddress>& subnet) {
  Node* node = asked(id);
  if (node != nullptr) node->subnet = subnet;
  return node != nullptr;
}

bool Lookup::retry(const NodeId& id, const std::optional<IpAddress>& subnet) {
  const auto it = nodes_.find(xor_distance(target_, id));
  if (it == nodes_.end() || it->second.state != State::failed) return false;
  it->second.state = State::waiting;
  it->second.subnet = subnet;
  ++waiting_;
  if (waiting_ > kMaxLookupWaiting) forget_waiting();
  return true;
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
  const auto found = find_near([](State state) { return state != State::failed; },
                               [&](const Node& node) { return node.id == id; });
  return found != nodes_.end();
}

std::vector<NodeId> Lookup::closest() const {
  std::vector<NodeId> out;
  (void)find_near([](State state) { return state == State::answered; },
                  [&](const Node& node) {
                    out.push_back(node.id);
                    return false;
                  });
  return out;
}

}  // namespace ethnet::kbucket
