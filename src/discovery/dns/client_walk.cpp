// Client: what roots and entries mean for a walk.
#include <algorithm>
#include <utility>

#include "client.hpp"

namespace ethnet::dns {

void Client::begin_part(TreeState& tree, Kind kind, const HashLabel& top) {
  Part& part = part_of(tree, kind);
  part = Part{};
  part.walk = ++last_id_;
  part.seen.insert(top.text());
  part.todo.push_back({top, 0, 0, {}});
  if (kind == Kind::link) {
    tree.linking.clear();
  } else {
    tree.records = 0;
  }
}

void Client::on_root(Now now, TreeState& tree, std::span<const std::string> texts) {
  std::optional<Error> why;
  for (const std::string& text : texts) {
    if (!Root::is_root(text)) continue;
    auto root = Root::decode(text);
    if (root) {
      const auto verified = root->verify(tree.link.key());
      if (!verified) root = std::unexpected{verified.error()};
    }
    if (root && root->seq < tree.least_seq) root = fail(DnsError::sequence_decreased);
    if (root) return accept_root(now, tree, *std::move(root));
    if (!why) why = root.error();
  }
  on_root_failure(now, tree, why.value_or(Error{DnsError::no_root}));
}

void Client::accept_root(Now now, TreeState& tree, Root root) {
  ++counters_.roots;
  tree.root_failures = 0;
  tree.entry_failures = 0;
  tree.least_seq = root.seq;
  tree.root_due = options_.walk == Walk::whole ? Instant::never() : now.mono + kRootRecheck;
  const bool first = !tree.root.has_value();
  const bool new_links = first || tree.root->links != root.links;
  const bool new_records = first || tree.root->records != root.records;
  if (new_links || new_records || tree.root->seq != root.seq) {
    events_.emplace_back(RootChanged{tree.link, root.seq, new_records, new_links});
  }
  tree.root = std::move(root);
  if (new_links) begin_part(tree, Kind::link, tree.root->links);
  if (new_records) begin_part(tree, Kind::record, tree.root->records);
}

void Client::on_root_failure(Now now, TreeState& tree, const Error& why) {
  count(why);
  events_.emplace_back(RootFailed{tree.link, why});
  if (options_.walk == Walk::whole) {
    // Whoever walks once asks again himself. With an earlier root the walk goes on.
    tree.gave_up = !tree.root.has_value();
    tree.root_due = Instant::never();
    return;
  }
  Duration pause = kRootRetry;
  for (std::uint32_t i = 0; i < tree.root_failures && pause < kRootRecheck; ++i) pause = pause * 2;
  ++tree.root_failures;
  tree.root_due = now.mono + std::min(pause, kRootRecheck);
}

void Client::on_entry_failure(Now now, TreeState& tree, Kind kind, Todo todo, DnsError why) {
  Part& part = part_of(tree, kind);
  if (why == DnsError::unanswered && ++todo.tries < kMaxQuestionTries) {
    count(Error{why});
    part.todo.push_back(std::move(todo));
  } else {
    skip(tree, todo.label.name_under(tree.link.domain()), Error{why});
    if (kind == Kind::link && part.done()) on_links_done(tree);
  }
  if (++tree.entry_failures != kMaxFailuresBeforeRoot) return;
  if (options_.walk == Walk::whole && ++tree.rechecks > kMaxRootRechecks) return;
  tree.root_due = std::min(tree.root_due, now.mono + kRootRetry);
}

void Client::on_texts(Now now, TreeState& tree, Kind kind, const Todo& todo,
                      std::span<const std::string> texts) {
  DnsError why = DnsError::no_entry;
  for (const std::string& text : texts) {
    if (text.size() > kMaxEntryText) {
      why = DnsError::text_too_long;
    } else if (todo.label.matches(text)) {
      tree.entry_failures = 0;
      on_text(tree, kind, todo, text);
      if (kind == Kind::link && tree.links.done()) on_links_done(tree);
      return;
    } else if (text.starts_with("enr")) {
      why = DnsError::hash_mismatch;
    }
  }
  on_entry_failure(now, tree, kind, todo, why);
}

// `text` has the hash under which it was asked for.
void Client::on_text(TreeState& tree, Kind kind, const Todo& todo, std::string_view text) {
  const std::string name = todo.label.name_under(tree.link.domain());
  const auto entry = decode_entry(text);
  if (!entry) return skip(tree, name, entry.error());
  cache_.put(todo.label.text(), text);
  if (const auto* branch = std::get_if<Branch>(&*entry)) {
    on_branch(tree, kind, todo, *branch);
  } else if (const auto* link = std::get_if<Link>(&*entry)) {
    if (kind != Kind::link) return skip(tree, name, Error{DnsError::wrong_subtree});
    events_.emplace_back(LinkFound{tree.link, *link, todo.path});
    follow(tree, *link, name);
  } else {
    if (kind != Kind::record) return skip(tree, name, Error{DnsError::wrong_subtree});
    ++tree.records;
    ++counters_.records;
    if (wanted_ > 0) --wanted_;
    events_.emplace_back(NodeFound{tree.link, std::get<VerifiedEnr>(*entry)});
  }
}

void Client::on_branch(TreeState& tree, Kind kind, const Todo& todo, const Branch& branch) {
  Part& part = part_of(tree, kind);
  std::size_t refused = 0;
  DnsError why = DnsError::too_deep;
  std::vector<std::uint8_t> path = todo.path;
  if (kind == Kind::link) path.push_back(0);
  for (const HashLabel& child : branch.children) {
    const std::vector<std::uint8_t> child_path = path;
    if (kind == Kind::link) ++path.back();
    if (part.seen.contains(child.text())) continue;
    if (todo.depth == kMaxTreeDepth || part.seen.size() == kMaxTreeEntries) {
      why = todo.depth == kMaxTreeDepth ? DnsError::too_deep : DnsError::too_many_entries;
      ++refused;
      continue;
    }
    part.seen.insert(child.text());
    part.todo.push_back({child, static_cast<std::uint8_t>(todo.depth + 1), 0, child_path});
  }
  // One event for all of them.
  if (refused > 0) skip(tree, todo.label.name_under(tree.link.domain()), Error{why});
}

void Client::follow(TreeState& from, const Link& link, const std::string& name) {
  const std::string identity = link.identity();
  from.linking.insert(identity);
  if (!options_.follow_links) return;
  for (const auto& [id, tree] : trees_) {
    if (tree.link.identity() == identity) return;
  }
  if (from.hops == kMaxLinkHops) return skip(from, name, Error{DnsError::link_too_far});
  if (trees_.size() == kMaxTrees) return skip(from, name, Error{DnsError::too_many_trees});
  TreeState tree{link};
  tree.hops = static_cast<std::uint8_t>(from.hops + 1);
  if (const auto known = remembered_.find(identity); known != remembered_.end()) {
    tree.least_seq = known->second;
  }
  trees_.emplace(++last_id_, std::move(tree));
}

void Client::on_links_done(TreeState& tree) {
  tree.linked = std::move(tree.linking);
  tree.linking.clear();
  links_changed_ = true;
}

// Trees that nobody links to any more are not walked on. Those that a person named stay.
void Client::drop_unlinked() {
  if (!std::exchange(links_changed_, false)) return;
  if (options_.walk == Walk::whole) return;  // what was found belongs to the result
  std::set<std::string> reached;
  bool more = true;
  while (more) {
    more = false;
    for (const auto& [id, one] : trees_) {
      if (one.hops > 0 && !reached.contains(one.link.identity())) continue;
      for (const auto* links : {&one.linked, &one.linking}) {
        for (const std::string& to : *links) more = reached.insert(to).second || more;
      }
    }
  }
  std::erase_if(trees_, [&](const auto& one) {
    if (one.second.hops == 0 || reached.contains(one.second.link.identity())) return false;
    remember(one.second.link, one.second.least_seq);
    return true;
  });
}

void Client::remember(const Link& link, std::uint64_t seq) {
  if (seq == 0) return;  // nobody has seen a root of it
  std::uint64_t& known = remembered_[link.identity()];
  known = std::max(known, seq);
  if (remembered_.size() > kMaxRememberedTrees) remembered_.erase(remembered_.begin());
}

void Client::skip(TreeState& tree, const std::string& name, const Error& why) {
  count(why);
  ++tree.skipped;
  events_.emplace_back(EntrySkipped{tree.link, name, why});
}

void Client::count(const Error& why) {
  std::size_t index = 0;
  for (std::size_t i = 1; i < kDnsErrors; ++i) {
    if (why.is(static_cast<DnsError>(i))) index = i;
  }
  // What is wrong inside a record.
  if (index == 0) index = static_cast<std::size_t>(DnsError::unknown_entry);
  ++counters_.refused[index];
}

}  // namespace ethnet::dns
