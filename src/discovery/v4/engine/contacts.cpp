#include "contacts.hpp"

namespace ethnet::discv4 {

Contact* Contacts::find(const NodeId& id) {
  const auto it = contacts_.find(id);
  return it == contacts_.end() ? nullptr : &it->second;
}

Contact* Contacts::add(const V4Node& node) {
  if (full()) return nullptr;
  const auto [it, is_new] = contacts_.emplace(node.id, Contact{.node = node,
                                                               .request = {},
                                                               .elsewhere = {},
                                                               .asks = {},
                                                               .found = {},
                                                               .deadline = Instant::never()});
  CHECK(is_new);
  return &it->second;
}

void Contacts::set_deadline(Contact& contact, Instant at) {
  if (!contact.deadline.is_never()) deadlines_.erase({contact.deadline, contact.node.id});
  contact.deadline = at;
  if (!at.is_never()) deadlines_.emplace(at, contact.node.id);
}

void Contacts::erase(const NodeId& id) {
  Contact* contact = find(id);
  CHECK(contact != nullptr);
  set_deadline(*contact, Instant::never());
  contacts_.erase(NodeId{id});
}

Contact* Contacts::overdue(Now now) {
  if (next_deadline() > now.mono) return nullptr;
  return find(deadlines_.begin()->second);
}

Instant Contacts::next_deadline() const {
  return deadlines_.empty() ? Instant::never() : deadlines_.begin()->first;
}

}  // namespace ethnet::discv4
