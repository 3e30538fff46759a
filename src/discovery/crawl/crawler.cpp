// What is due, and what came of it.
#include "crawler.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>

namespace ethnet::crawl {
namespace {

discovery::HostConfig host_of(discovery::HostConfig host, Protocol protocol) {
  host.v4 = protocol == Protocol::v4;
  host.v5 = protocol == Protocol::v5;
  return host;
}

bool is_odd(const RecordPtr& record) {
  if (record == nullptr) return false;
  const auto port = record->verified() != nullptr
                        ? record->verified()->record().malformed_port()
                        : Enr::decode(record->encoded()).value().malformed_port();
  return port.has_value();
}

SipKey draw_key(SecureRng& rng) { return {.k0 = rng.next(), .k1 = rng.next()}; }

}  // namespace

Crawler::Crawler(Now now, discovery::HostConfig host, const CrawlConfig& config, SecureRng& rng,
                 Prng prng)
    : config_{config},
      rng_{rng},
      host_{now, host_of(std::move(host), config.protocol), rng, prng},
      book_{draw_key(rng), config.book} {
  CHECK(config.visits > 0 && config.visits <= kMaxCrawlVisits);
}

void Crawler::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  host_.handle_datagrams(now, batch);
  advance(now);
}

void Crawler::handle_deadline(Now now) noexcept {
  if (host_.next_deadline() <= now.mono) host_.handle_deadline(now);
  advance(now);
}

void Crawler::handle_job_done(Now now, const JobResult& done) noexcept {
  host_.handle_job_done(now, done);
  advance(now);
}

bool Crawler::restore(Now now, const Node& node) {
  return !is_odd(node.record) && book_.restore(now, node);
}

void Crawler::add(Now now, const Contact& contact) noexcept {
  CHECK(config_.protocol == Protocol::v4 || contact.record != nullptr);
  tell(now, contact);
  advance(now);
}

void Crawler::begin(Now now, std::span<const Contact> nodes) noexcept {
  std::vector<discv4::V4Node> of_v4;
  for (const Contact& node : nodes) {
    tell(now, node);
    if (config_.protocol == Protocol::v5) {
      CHECK(node.record != nullptr);
      (void)host_.v5()->add_boot_node(now, node.record);
    } else {
      const auto key = node.record != nullptr ? node.record->public_key() : node.key.value();
      of_v4.push_back(discv4::V4Node::of(key, {node.at.ip, node.at.port, 0}));
    }
  }
  if (config_.protocol == Protocol::v4) host_.v4()->bootstrap(now, of_v4);
  walk_at_ = now.mono + kWalkPause;
  advance(now);
}

Instant Crawler::next_deadline() const {
  Instant own = Instant::never();
  if (!ended_) {
    if (visits_.size() < config_.visits) own = book_.next_due();
    if (visits_.empty() && walk_ == 0) own = std::min(own, walk_at_);
  }
  return std::min(own, host_.next_deadline());
}

// What is asked may end at once, and what ended makes room for another.
void Crawler::advance(Now now) {
  for (;;) {
    while (const auto event = host_.poll_event()) on_event(now, *event);
    if (ended_) return;
    const std::uint64_t before = counters_.walks;
    begin_visits(now);
    begin_walk(now);
    if (counters_.walks == before) break;
  }
  end_if_done();
}

void Crawler::begin_visits(Now now) {
  while (visits_.size() < config_.visits) {
    const auto contact = book_.next(now);
    if (!contact) return;
    const bool proven = book_.is_proven(contact->id) || knocks_.is_proven(contact->at);
    if (!proven && !knocks_.take(now, contact->at.ip)) {
      ++counters_.knocks_put_off;
      book_.postpone(now, contact->id, kKnockPause);
      continue;
    }
    const std::uint64_t command = ask_for_record(now, *contact);
    if (command == 0) {
      book_.postpone(now, contact->id, kBusyPause);
      continue;
    }
    visits_.emplace(command, Visit{.contact = *contact, .questions = 0, .distances = {}});
  }
}

void Crawler::begin_walk(Now now) {
  const bool is_due = walk_ == 0 && visits_.empty() && walk_at_ <= now.mono;
  if (!is_due || book_.next_due() <= now.mono) return;
  walk_at_ = now.mono + kWalkPause;
  if (config_.protocol == Protocol::v5) {
    NodeId target;
    rng_.fill(target.bytes);
    walk_ = host_.v5()->start_lookup(now, target);
  } else {
    walk_ = host_.v4()->start_random_lookup(now);
  }
  if (walk_ != 0) ++counters_.walks;
}

void Crawler::on_walk_done(Now now) {
  walk_ = 0;
  const bool is_idle = counters_.first_answers == first_answers_before_;
  idle_walks_ = is_idle ? idle_walks_ + 1 : 0;
  first_answers_before_ = counters_.first_answers;
  const bool in_no_hurry = book_.claims() > 0 || idle_walks_ >= kIdleWalks;
  walk_at_ = now.mono + (in_no_hurry ? kIdleWalkPause : kWalkPause);
}

void Crawler::end_if_done() {
  if (!config_.ends) return;
  const bool enough = book_.answered() >= config_.book.nodes;
  const bool everybody = idle_walks_ >= kIdleWalks && visits_.empty();
  if (!enough && !everybody) return;
  ended_ = enough ? CrawlEnd::enough_nodes : CrawlEnd::everybody_was_asked;
}

void Crawler::tell(Now now, const Contact& contact) {
  if (contact.id == host_.table().self()) return;
  if (is_odd(contact.record)) return note_odd_ports();
  count(book_.tell(now, contact));
}

void Crawler::hear(Now now, const RecordPtr& record) {
  if (record->id() == host_.table().self()) return;
  knocks_.prove(record->endpoint());
  if (is_odd(record)) return note_odd_ports();
  count(book_.hear(now, Contact::of(record)));
}

// What we tell of it would have to be left out again: one such record spoils a list for others.
void Crawler::note_odd_ports() { ++counters_.odd_ports; }

void Crawler::count(Told told) {
  ++counters_.told;
  switch (told) {
    case Told::fresh:
      ++counters_.told_fresh;
      break;
    case Told::nowhere:
      ++counters_.told_nowhere;
      break;
    case Told::crowded:
      ++counters_.told_crowded;
      break;
    case Told::full:
      ++counters_.told_beyond;
      break;
    case Told::known:
    case Told::silent:
      break;
  }
}

std::optional<Crawler::Visit> Crawler::take_visit(std::uint64_t command) {
  const auto it = visits_.find(command);
  if (it == visits_.end()) return std::nullopt;
  Visit out = std::move(it->second);
  visits_.erase(it);
  return out;
}

// `record`: null where it names no address.
void Crawler::on_record(Now now, Visit visit, const RecordPtr& record) {
  const NodeId& id = visit.contact.id;
  knocks_.prove(visit.contact.at);
  if (is_odd(record)) {
    note_odd_ports();
    return on_silence(now, visit);
  }
  const bool is_first = !book_.has_answered(id);
  const auto node = book_.on_answer(now, id, record);
  if (!node) {
    ++(book_.contains(id) ? counters_.moved : counters_.without_address);
    return;
  }
  ++counters_.answered;
  if (is_first) ++counters_.first_answers;
  CHECK(events_.push(NodeChecked{.node = *node, .answered = true, .is_first = is_first}));
  ask_for_others(now, std::move(visit));
}

void Crawler::on_silence(Now now, const Visit& visit) {
  ++counters_.silent;
  if (const auto node = book_.on_silence(now, visit.contact.id)) {
    CHECK(events_.push(NodeChecked{.node = *node, .answered = false, .is_first = false}));
  }
}

}  // namespace ethnet::crawl
