#include "book.hpp"

#include <algorithm>
#include <span>

#include <base/check.hpp>
#include <discovery/kbucket/ip_limits.hpp>
#include <discovery/kbucket/scope.hpp>

namespace ethnet::crawl {
namespace {

// One host has a /64 to itself. Nothing: it counts nowhere.
std::optional<IpAddress> site_of(const IpAddress& ip) {
  if (!kbucket::limited_subnet(ip)) return std::nullopt;
  return ip.is_v4() ? ip : ip.masked(64);
}

// More than one site, all of one owner. Nothing: it counts nowhere, or its site is all there is.
std::optional<IpAddress> net_of(const IpAddress& ip) {
  return ip.is_v4() ? std::nullopt : kbucket::limited_subnet(ip);
}

UnixTime whole(UnixTime time) { return UnixTime::from_seconds(time.whole_seconds()); }

}  // namespace

Book::Book(SipKey key, const BookLimits& limits)
    : limits_{limits}, silent_{limits.silent, IdHash{key}} {}

Book::Site Book::at_site(const IpAddress& ip) const {
  const auto site = site_of(ip);
  const auto it = site ? sites_.find(*site) : sites_.end();
  return it == sites_.end() ? Site{} : it->second;
}

Book::Site Book::at_net(const IpAddress& ip) const {
  const auto net = net_of(ip);
  const auto it = net ? nets_.find(*net) : nets_.end();
  return it == nets_.end() ? Site{} : it->second;
}

bool Book::has_room_at(const IpAddress& ip) const {
  return at_site(ip).all < limits_.per_site && at_net(ip).all < limits_.per_net;
}

bool Book::has_room_for_claim_at(const IpAddress& ip) const {
  return has_room_at(ip) && at_site(ip).claims < limits_.claims_per_site &&
         at_net(ip).claims < limits_.claims_per_net;
}

// Those of which nobody knows take no place from one that is there, up to their share: one that was
// heard and then told to have moved is one of them again.
bool Book::has_room_for_proven_at(const IpAddress& ip) const {
  const auto has_room = [](const Site& at, std::size_t most, std::size_t claims) {
    return at.all - at.claims < most && at.all < most + claims;
  };
  return has_room(at_site(ip), limits_.per_site, limits_.claims_per_site) &&
         has_room(at_net(ip), limits_.per_net, limits_.claims_per_net);
}

// At another site it is a claim.
bool Book::may_move(const Entry& entry, const IpAddress& to) const {
  if (site_of(entry.contact.at.ip) == site_of(to)) return true;
  return has_room_for_claim_at(to) && (entry.claim || claims() < limits_.claims);
}

void Book::count(const Entry& entry) {
  if (!entry.claim) ++nodes_;
  const auto add = [&](Sites& sites, const std::optional<IpAddress>& where) {
    if (!where) return;
    Site& at = sites[*where];
    ++at.all;
    if (is_unproven_claim(entry)) ++at.claims;
  };
  add(sites_, site_of(entry.contact.at.ip));
  add(nets_, net_of(entry.contact.at.ip));
}

void Book::uncount(const Entry& entry) {
  if (!entry.claim) --nodes_;
  const auto remove = [&](Sites& sites, const std::optional<IpAddress>& where) {
    if (!where) return;
    const auto it = sites.find(*where);
    CHECK(it != sites.end());
    if (is_unproven_claim(entry)) --it->second.claims;
    if (--it->second.all == 0) sites.erase(it);
  };
  remove(sites_, site_of(entry.contact.at.ip));
  remove(nets_, net_of(entry.contact.at.ip));
}

void Book::insert(const Contact& contact, const Node& node, Instant due, bool proven) {
  Entry entry{.contact = contact,
              .node = node,
              .due = due,
              .under_way = false,
              .claim = !node.has_answered(),
              .answered = false,
              .proven = proven};
  count(entry);
  due_.emplace(due, contact.id);
  entries_.emplace(contact.id, std::move(entry));
}

void Book::schedule(Entry& entry, Instant due) {
  entry.under_way = false;
  entry.due = due;
  due_.emplace(due, entry.contact.id);
}

// It has another record now.
void Book::move(Entry& entry, const RecordPtr& record) {
  uncount(entry);
  const Endpoint before = std::exchange(entry.contact, Contact::of(record)).at;
  entry.claim = entry.claim || site_of(before.ip) != site_of(entry.contact.at.ip);
  entry.proven = entry.proven && before == entry.contact.at;
  count(entry);
}

bool Book::Silence::is_of(const Endpoint& at) const {
  const auto known = std::span{places}.first(std::min(asked, places.size()));
  return everywhere || std::ranges::find(known, at) != known.end();
}

void Book::erase(Now now, const NodeId& id, bool everywhere) {
  const auto it = entries_.find(id);
  CHECK(it != entries_.end());
  uncount(it->second);
  if (it->second.answered) --answered_;
  const Contact contact = std::move(it->second.contact);
  entries_.erase(it);
  if (silent_.use(id) == nullptr) silent_.insert(id, {});
  Silence* const found = silent_.find(id);
  CHECK(found != nullptr);
  Silence& silence = *found;
  silence.since = now.mono;
  silence.until = now.mono + limits_.recheck;
  if (contact.record != nullptr) silence.seq = std::max(silence.seq, contact.record->seq());
  if (!silence.is_of(contact.at)) silence.places.at(silence.asked++ % kMaxCrawlPlaces) = contact.at;
  silence.everywhere = silence.everywhere || everywhere;
}

std::optional<Instant> Book::askable_at(Now now, const Contact& contact, bool heard) {
  const Silence* const silence = silent_.find(contact.id);
  if (silence == nullptr || silence->until <= now.mono) return now.mono;
  const bool is_newer = contact.record != nullptr && contact.record->seq() > silence->seq;
  if (!heard && !is_newer && silence->is_of(contact.at)) return std::nullopt;
  return std::max(now.mono, silence->since + kMovePause);
}

// Where it was silent is remembered until it answers, or its time is over.
Told Book::admit(Now now, const Contact& contact, Instant due, bool heard) {
  const Silence* const silence = silent_.find(contact.id);
  if (silence != nullptr && silence->until <= now.mono) silent_.erase(contact.id);
  insert(contact, {}, due, heard);
  return Told::fresh;
}

bool Book::restore(Now now, const Node& node) {
  CHECK(node.record != nullptr && node.has_answered());
  const NodeId& id = node.record->id();
  if (entries_.contains(id) || nodes_ >= limits_.nodes) return false;
  if (!has_room_at(node.record->endpoint().ip)) return false;
  // A clock that was set back must not keep it from being asked for longer than usual.
  const Duration age = std::max(now.wall - node.last_check, Duration{});
  insert(Contact::of(node.record), node, now.mono + limits_.recheck - age, false);
  return true;
}

Told Book::tell(Now now, const Contact& contact) {
  if (kbucket::scope_of(contact.at.ip) == kbucket::Scope::special || contact.at.port == 0) {
    return Told::nowhere;
  }
  if (const auto it = entries_.find(contact.id); it != entries_.end()) {
    Entry& entry = it->second;
    const RecordPtr& had = entry.contact.record;
    const bool is_newer =
        contact.record != nullptr && (had == nullptr || had->seq() < contact.record->seq());
    // Signed by the node itself, so that this is where to ask for it next time.
    if (is_newer && !entry.under_way && may_move(entry, contact.at.ip)) {
      move(entry, contact.record);
    }
    return Told::known;
  }
  const auto due = askable_at(now, contact, false);
  if (!due) return Told::silent;
  if (claims() >= limits_.claims || nodes_ >= limits_.nodes) return Told::full;
  if (!has_room_for_claim_at(contact.at.ip)) return Told::crowded;
  return admit(now, contact, *due, false);
}

Told Book::hear(Now now, const Contact& contact) {
  if (kbucket::scope_of(contact.at.ip) == kbucket::Scope::special || contact.at.port == 0) {
    return Told::nowhere;
  }
  const auto it = entries_.find(contact.id);
  if (it == entries_.end()) {
    const auto due = askable_at(now, contact, true);
    CHECK(due.has_value());
    if (claims() >= limits_.claims || nodes_ >= limits_.nodes) return Told::full;
    if (!has_room_for_proven_at(contact.at.ip)) return Told::crowded;
    return admit(now, contact, *due, true);
  }
  Entry& entry = it->second;
  const RecordPtr& had = entry.contact.record;
  const bool is_newer = had == nullptr || had->seq() < contact.record->seq();
  const bool is_crowded = site_of(entry.contact.at.ip) != site_of(contact.at.ip) &&
                          !has_room_for_proven_at(contact.at.ip);
  const bool has_room = entry.claim || claims() < limits_.claims;
  if (entry.under_way || is_crowded || !has_room) return Told::known;
  if (is_newer) move(entry, contact.record);
  if (entry.contact.at == contact.at) {
    uncount(entry);
    entry.proven = true;
    count(entry);
  }
  return Told::known;
}

std::optional<Contact> Book::next(Now now) {
  if (due_.empty() || due_.begin()->first > now.mono) return std::nullopt;
  Entry& entry = entries_.at(due_.begin()->second);
  due_.erase(due_.begin());
  entry.under_way = true;
  return entry.contact;
}

Book::Entry& Book::under_way(const NodeId& id) {
  const auto it = entries_.find(id);
  CHECK(it != entries_.end() && it->second.under_way);
  return it->second;
}

void Book::postpone(Now now, const NodeId& id, Duration pause) {
  schedule(under_way(id), now.mono + pause);
}

std::optional<Node> Book::on_answer(Now now, const NodeId& id, const RecordPtr& told) {
  Entry& entry = under_way(id);
  // A node out there does not send us to our own LAN.
  const bool means_the_same =
      told != nullptr && kbucket::may_relay(kbucket::scope_of(entry.contact.at.ip),
                                            kbucket::scope_of(told->endpoint().ip));
  const RecordPtr& had = entry.contact.record;
  const bool is_newer = means_the_same && (had == nullptr || had->seq() <= told->seq());
  const bool is_elsewhere =
      is_newer && site_of(entry.contact.at.ip) != site_of(told->endpoint().ip);
  if (is_elsewhere && may_move(entry, told->endpoint().ip)) {
    if (++entry.moves > kMaxCrawlMoves) return fall_silent(now, id, true);
    move(entry, told);
    schedule(entry, now.mono + kMovePause);
    return std::nullopt;
  }
  const bool is_here = is_newer && !is_elsewhere;
  if (!is_here && had == nullptr) return on_silence(now, id);
  note_answer(now, entry);
  if (is_here) move(entry, told);
  entry.node.record = entry.contact.record;
  schedule(entry, now.mono + limits_.recheck);
  return entry.node;
}

// From where it was asked.
void Book::note_answer(Now now, Entry& entry) {
  Node& node = entry.node;
  node.last_check = node.last_response = whole(now.wall);
  ++node.score;
  if (!node.has_answered()) node.first_response = node.last_check;
  if (!entry.answered) ++answered_;
  uncount(entry);
  entry.answered = entry.proven = true;
  entry.moves = 0;
  entry.claim = false;
  count(entry);
  silent_.erase(entry.contact.id);
}

std::optional<Node> Book::on_silence(Now now, const NodeId& id) {
  return fall_silent(now, id, false);
}

std::optional<Node> Book::fall_silent(Now now, const NodeId& id, bool everywhere) {
  Entry& entry = under_way(id);
  if (!entry.node.has_answered()) {
    erase(now, id, everywhere);
    return std::nullopt;
  }
  entry.node.score /= 2;
  entry.node.last_check = whole(now.wall);
  const Node node = entry.node;
  if (node.score > 0) {
    schedule(entry, now.mono + limits_.recheck);
  } else {
    erase(now, id, everywhere);
  }
  return node;
}

bool Book::has_answered(const NodeId& id) const {
  const auto it = entries_.find(id);
  CHECK(it != entries_.end());
  return it->second.node.has_answered();
}

bool Book::is_proven(const NodeId& id) const {
  const auto it = entries_.find(id);
  CHECK(it != entries_.end());
  return it->second.proven;
}

Instant Book::next_due() const { return due_.empty() ? Instant::never() : due_.begin()->first; }

}  // namespace ethnet::crawl
