#include "contacts.hpp"

#include <algorithm>

namespace ethnet::lite {

Contact* Contacts::find(std::uint64_t id) {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

Contact* Contacts::find(const NodeId& node) {
  const auto it = by_node_.find(node);
  return it == by_node_.end() ? nullptr : find(it->second);
}

Contact* Contacts::find(const Endpoint& boot_endpoint) {
  for (auto& [id, contact] : by_id_) {
    if (!contact.node && contact.endpoint == boot_endpoint) return &contact;
  }
  return nullptr;
}

Contact* Contacts::add(std::optional<NodeId> node, const Endpoint& endpoint, RecordPtr record) {
  if (by_id_.size() >= kMaxContacts) return nullptr;
  const std::uint64_t id = next_id_++;
  if (node) {
    const bool is_new = by_node_.emplace(*node, id).second;
    CHECK(is_new);
  }
  Contact contact{
      .id = id, .node = node, .endpoint = endpoint, .record = std::move(record), .asks = {}};
  return &by_id_.emplace(id, std::move(contact)).first->second;
}

std::optional<Contact> Contacts::take(std::uint64_t id) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return std::nullopt;
  std::optional<Contact> contact{std::move(it->second)};
  by_id_.erase(it);
  if (contact->node) by_node_.erase(*contact->node);
  std::erase_if(dialling_, [&](const auto& entry) { return entry.second == id; });
  return contact;
}

Contact* Contacts::start_next(Now now) {
  const auto it = std::ranges::find_if(by_id_, [](const auto& e) { return !e.second.dialling; });
  if (it == by_id_.end()) return nullptr;
  it->second.dialling = true;
  dialling_.emplace(now.mono + kContactTimeout, it->first);
  return &it->second;
}

std::optional<std::uint64_t> Contacts::overdue(Now now) const {
  if (dialling_.empty() || dialling_.begin()->first > now.mono) return std::nullopt;
  return dialling_.begin()->second;
}

Instant Contacts::next_deadline() const {
  return dialling_.empty() ? Instant::never() : dialling_.begin()->first;
}

}  // namespace ethnet::lite
