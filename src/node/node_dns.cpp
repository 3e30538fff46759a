// What the node does with lists of nodes in the DNS: whoever answers questions about names gets
// them as TextsWanted; whom a list names is dialled, where its record names our chain, and told to
// discv5 and discv4, whatever its chain.
#include <algorithm>

#include <base/check.hpp>
#include <discovery/kbucket/scope.hpp>
#include <discovery/v5/engine/local_record.hpp>
#include <types/enr.hpp>

#include "node.hpp"

namespace ethnet::node {

void Node::start_dns(Now now) {
  if (!config_.known_lists.empty()) {
    auto known = KnownLists::decode(config_.known_lists);
    if (known) {
      known_lists_ = *std::move(known);
    } else {
      log_.write(now, LogLevel::warn,
                 "The numbers of lists in the DNS of the last run were not read",
                 {{"why", known.error().message()}});
    }
  }
  for (const KnownList& known : known_lists_.all()) dns_->remember(known.list, known.number);
  for (const dns::Link& tree : config_.dns_trees) {
    const auto added = dns_->add_tree(now, tree);
    CHECK(added.has_value() || added.error().is(dns::DnsError::link_twice));
  }
  search_at_ = now.mono;
}

void Node::handle_texts(Now now, std::uint64_t question, TextsOutcome outcome,
                        std::span<const std::string> texts) noexcept {
  if (!dns_) return;
  if (outcome == TextsOutcome::found) {
    dns_->handle_answer(now, question, texts);
  } else {
    dns_->handle_failure(
        now, question,
        outcome == TextsOutcome::none ? dns::DnsError::not_found : dns::DnsError::unanswered);
  }
  route(now);
}

bool Node::route_dns(Now now) {
  if (!dns_ || stopping_) return false;
  bool moved = false;
  while (auto question = dns_->poll_question()) {
    // Where the queue is full the client hears nothing, and asks again.
    tell(TextsWanted{question->id, std::move(question->name)});
    moved = true;
  }
  while (const auto event = dns_->poll_event()) {
    on_dns_event(now, *event);
    moved = true;
  }
  return moved;
}

// A list is for the world, and may name nobody's neighbours. But where the operator has put us on a
// LAN, or on loopback, alone, and nobody has seen us elsewhere, it may name who is there.
kbucket::Scope Node::scope_of_lists() const {
  const auto own = Enr::decode(enr_);
  const bool is_seen_there = external_ && kbucket::scope_of(external_->ip) == kbucket::Scope::wan;
  if (is_seen_there || (own && discv5::scope_named(*own) == kbucket::Scope::wan)) {
    return kbucket::Scope::wan;
  }
  kbucket::Scope widest = kbucket::Scope::special;
  for (const Endpoint& at : config_.listen) {
    if (at.ip.is_unspecified()) return kbucket::Scope::wan;
    widest = std::max(widest, kbucket::scope_of(at.ip));
  }
  return widest == kbucket::Scope::special ? kbucket::Scope::wan : widest;
}

void Node::on_dns_event(Now now, const dns::ClientEvent& event) {
  if (const auto* const found = std::get_if<dns::NodeFound>(&event)) {
    const kbucket::Scope scope = scope_of_lists();
    add_candidate(found->record.node_id(), found->record.record(), {scope, std::nullopt},
                  peers::Source::dns, counters_.dns_nodes);
    if (udp_discovery_) udp_discovery_->tell(now, found->record, scope);
  } else if (const auto* const changed = std::get_if<dns::RootChanged>(&event)) {
    known_lists_.learn(changed->tree, changed->seq);
    log_.write(now, LogLevel::info, "A list of nodes in the DNS",
               {{"tree", changed->tree.text()}, {"sequence", changed->seq}});
  } else if (const auto* const failed = std::get_if<dns::RootFailed>(&event)) {
    log_.write(now, LogLevel::warn, "A list of nodes in the DNS cannot be used",
               {{"tree", failed->tree.text()}, {"why", failed->why.what()}});
  } else if (const auto* const skipped = std::get_if<dns::EntrySkipped>(&event)) {
    log_.write(now, LogLevel::debug, "An entry of a list in the DNS was left out",
               {{"name", skipped->name}, {"why", skipped->why.what()}});
  }
}

}  // namespace ethnet::node
