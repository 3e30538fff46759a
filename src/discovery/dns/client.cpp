#include "client.hpp"

#include <algorithm>
#include <limits>

namespace ethnet::dns {

Client::Client(SecureRng& rng, const ClientOptions& options)
    : rng_{rng},
      options_{options},
      bucket_{kQuestionBurst,
              seconds(1) / std::max<std::int64_t>(1, options.questions_per_second)} {}

Client::Part& Client::part_of(TreeState& tree, Kind kind) {
  CHECK(kind != Kind::root);
  return kind == Kind::link ? tree.links : tree.entries;
}

Result<void> Client::add_tree(Now now, const Link& link, std::uint64_t least_seq) noexcept {
  if (trees_.size() == kMaxTrees) return fail(DnsError::too_many_trees);
  const std::string identity = link.identity();
  for (const auto& [id, tree] : trees_) {
    if (tree.link.identity() == identity) return fail(DnsError::link_twice);
  }
  TreeState tree{link};
  const auto known = remembered_.find(identity);
  tree.least_seq = std::max(least_seq, known == remembered_.end() ? 0 : known->second);
  trees_.emplace(++last_id_, std::move(tree));
  advance(now);
  return {};
}

void Client::want(Now now, std::size_t records) noexcept {
  wanted_ += std::min(records, std::numeric_limits<std::size_t>::max() - wanted_);
  advance(now);
}

void Client::handle_answer(Now now, QuestionId id, std::span<const std::string> texts) noexcept {
  const auto asked = take(id);
  if (!asked) {
    ++counters_.unasked_answers;
    return;
  }
  ++counters_.answers;
  const auto found = trees_.find(asked->tree);
  if (found != trees_.end()) {
    TreeState& tree = found->second;
    texts = texts.first(std::min(texts.size(), kMaxTextsPerAnswer));
    if (asked->kind == Kind::root) {
      tree.root_asked = false;
      on_root(now, tree, texts);
    } else if (Part& part = part_of(tree, asked->kind); part.walk == asked->walk) {
      --part.under_way;
      on_texts(now, tree, asked->kind, *asked->todo, texts);
    }
  }
  advance(now);
}

void Client::handle_failure(Now now, QuestionId id, DnsError why) noexcept {
  const auto asked = take(id);
  if (!asked) {
    ++counters_.unasked_answers;
    return;
  }
  const auto found = trees_.find(asked->tree);
  if (found != trees_.end()) {
    TreeState& tree = found->second;
    if (asked->kind == Kind::root) {
      tree.root_asked = false;
      on_root_failure(now, tree, Error{why});
    } else if (Part& part = part_of(tree, asked->kind); part.walk == asked->walk) {
      --part.under_way;
      on_entry_failure(now, tree, asked->kind, *asked->todo, why);
    }
  }
  advance(now);
}

void Client::handle_deadline(Now now) noexcept {
  std::vector<QuestionId> late;
  for (const auto& [id, asked] : asked_) {
    if (asked.expires <= now.mono) late.push_back(id);
  }
  for (const QuestionId id : late) {
    ++counters_.timeouts;
    handle_failure(now, id, DnsError::unanswered);
  }
  advance(now);
}

std::optional<Question> Client::poll_question() {
  if (questions_.empty()) return {};
  Question out = std::move(questions_.front());
  questions_.pop_front();
  return out;
}

std::optional<ClientEvent> Client::poll_event() {
  if (events_.empty()) return {};
  ClientEvent out = std::move(events_.front());
  events_.pop_front();
  return out;
}

Instant Client::next_deadline() const {
  Instant out = next_work_;
  for (const auto& [id, asked] : asked_) out = std::min(out, asked.expires);  // a few
  return out;
}

bool Client::is_idle() const {
  return asked_.empty() && questions_.empty() && events_.empty() && next_work_.is_never();
}

bool Client::wants_records() const {
  if (options_.walk == Walk::whole) return true;
  // Each that is under way may be a record: no more are taken than are wanted.
  const auto under_way = std::ranges::count_if(
      asked_, [](const auto& one) { return one.second.kind == Kind::record; });
  return static_cast<std::size_t>(under_way) < wanted_;
}

std::optional<Client::Kind> Client::next_work(const TreeState& tree, Now now) const {
  if (tree.gave_up) return {};
  if (options_.walk == Walk::random && wanted_ == 0) return {};
  if (tree.root_due <= now.mono && !tree.root_asked) return Kind::root;
  if (!tree.root) return {};
  if (!tree.links.todo.empty()) return Kind::link;
  if (!wants_records()) return {};
  if (!tree.entries.todo.empty()) return Kind::record;
  // After the last record comes the first, unless there is none.
  const bool again = options_.walk == Walk::random && tree.entries.done() && tree.records > 0;
  return again ? std::optional{Kind::record} : std::nullopt;
}

void Client::advance(Now now) {
  next_work_ = Instant::never();
  while (advance_once(now)) {
  }
  if (options_.walk == Walk::whole) tell_done();
  if (options_.walk == Walk::random && wanted_ == 0) return;
  for (const auto& [id, tree] : trees_) {
    if (tree.root_asked || tree.gave_up || tree.root_due <= now.mono) continue;
    next_work_ = std::min(next_work_, tree.root_due);
  }
}

bool Client::advance_once(Now now) {
  drop_unlinked();
  if (asked_.size() == kMaxQuestions) return false;  // an answer goes on, or its deadline
  std::vector<std::pair<TreeId, Kind>> work;
  for (const auto& [id, tree] : trees_) {
    if (const auto kind = next_work(tree, now)) work.emplace_back(id, *kind);
  }
  if (work.empty()) return false;
  if (!has_room()) {
    next_work_ = now.mono;
    return false;
  }
  if (!bucket_.take(now.mono)) {
    next_work_ = bucket_.next();
    return false;
  }
  const auto [id, kind] = work[rng_.next() % work.size()];
  step(now, id, trees_.at(id), kind);
  return true;
}

void Client::step(Now now, TreeId id, TreeState& tree, Kind kind) {
  if (kind == Kind::root) {
    tree.root_asked = true;
    ask(now, {.tree = id, .walk = 0, .kind = kind, .todo = {}, .expires = {}}, tree.link.domain());
    return;
  }
  Part& part = part_of(tree, kind);
  if (part.todo.empty()) {
    CHECK(tree.root.has_value());
    begin_part(tree, kind, tree.root->records);
  }
  std::swap(part.todo[rng_.next() % part.todo.size()], part.todo.back());
  const Todo todo = std::move(part.todo.back());
  part.todo.pop_back();
  if (const std::string* text = cache_.find(todo.label.text())) {
    ++counters_.from_cache;
    on_text(tree, kind, todo, *text);
    if (kind == Kind::link && part.done()) on_links_done(tree);
    return;
  }
  ++part.under_way;
  ask(now, {.tree = id, .walk = part.walk, .kind = kind, .todo = todo, .expires = {}},
      todo.label.name_under(tree.link.domain()));
}

void Client::ask(Now now, Asked asked, std::string name) {
  ++counters_.questions;
  asked.expires = now.mono + kQuestionTimeout;
  questions_.push_back({++last_id_, std::move(name)});
  asked_.emplace(last_id_, std::move(asked));
}

std::optional<Client::Asked> Client::take(QuestionId id) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return {};
  Asked out = std::move(found->second);
  asked_.erase(found);
  // One that nobody has taken yet is not asked any more.
  std::erase_if(questions_, [&](const Question& question) { return question.id == id; });
  return out;
}

void Client::tell_done() {
  for (auto& [id, tree] : trees_) {
    // Not while the root is asked for again, or will be.
    const bool walked = tree.root && !tree.root_asked && tree.root_due.is_never() &&
                        tree.links.done() && tree.entries.done();
    const bool done = tree.gave_up || walked;
    if (!done || tree.told_done) continue;
    tree.told_done = true;
    events_.emplace_back(TreeDone{tree.link, tree.root, tree.records, tree.skipped});
  }
}

}  // namespace ethnet::dns
