// What a crawl knows: nodes that answered, with when and how reliably; nodes that were told of and
// wait for their turn; nodes that were silent, so that they are not asked over and over.
//
// The score is geth's (cmd/devp2p): one more for each check that a node passes, half as much for
// each that it does not. At 0 the node leaves the book; its row in a store stays.
//
// The order of checks is that of when they are due: a node that answered so long after its last
// check (recheck), one that was told of at once. A peer makes the book grow only within limits.hpp.
//
// Others may lie, or be out of date, about where a node is. So who was silent was silent there: it
// is asked when it is told of at another place, when it has a newer record, and when it was heard,
// but once in kMovePause at most, whoever tells whatever.
//
// An answer counts for the site that it came from. A record that names another site makes the node
// a claim there, where that site has room: it counts once it answers from there.
// Pure: times and claims are inputs. One thread; deterministic.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <base/instant.hpp>
#include <base/lru_map.hpp>
#include <base/sip_hash.hpp>
#include <crypto/secp256k1.hpp>
#include <discovery/kbucket/record.hpp>
#include <types/endpoint.hpp>
#include <types/node_id.hpp>

#include "limits.hpp"

namespace ethnet::crawl {

using kbucket::RecordPtr;

// Whom to ask, and where.
struct Contact {
  NodeId id;
  Endpoint at;
  RecordPtr record;                      // null: discv4 told of it, without one
  std::optional<crypto::PublicKey> key;  // where there is no record

  [[nodiscard]] static Contact of(const RecordPtr& record) {
    return {record->id(), record->endpoint(), record, std::nullopt};
  }
};

// A node that answered. Times in whole seconds; 0: never.
struct Node {
  RecordPtr record;  // the newest that it has of itself
  std::int64_t score = 0;
  UnixTime first_response;
  UnixTime last_response;
  UnixTime last_check;

  [[nodiscard]] bool has_answered() const { return first_response.ns != 0; }
};

enum class Told : std::uint8_t {
  fresh,    // it waits for its turn
  known,    // it does already, or answered before
  silent,   // it did not answer lately, there
  nowhere,  // no node can be at this address
  crowded,  // its site has kMaxCrawlPerSite, or kMaxCrawlClaimsPerSite that are unproven; or its
            // net
  full,
};

struct BookLimits {
  std::size_t nodes = kMaxCrawlNodes;
  std::size_t claims = kMaxCrawlClaims;
  std::size_t silent = kMaxCrawlSilent;
  std::size_t per_site = kMaxCrawlPerSite;
  std::size_t claims_per_site = kMaxCrawlClaimsPerSite;
  std::size_t per_net = kMaxCrawlPerNet;
  std::size_t claims_per_net = kMaxCrawlClaimsPerNet;
  Duration recheck = kRecheck;
};

class Book {
 public:
  // `key`: secret, for what strangers choose.
  Book(SipKey key, const BookLimits& limits);

  // A node of an earlier run; false: it is here, or there is no room, or none at its site.
  bool restore(Now now, const Node& node);
  // Somebody told of it.
  Told tell(Now now, const Contact& contact);

  // The node itself told of it, from `contact.at`, which has its record: it has a place beside
  // those of which others told, however many these are.
  Told hear(Now now, const Contact& contact);

  // Whose turn it is. It is under way from then on, until one of the next three.
  [[nodiscard]] std::optional<Contact> next(Now now);
  void postpone(Now now, const NodeId& id, Duration pause);
  // `record`: null where it names no address; then, and where its address means nothing to us or
  // its site has no room, the one that is known stays. Nothing where there is none at all, then it
  // is silent; and where it names another site, then it is asked there.
  std::optional<Node> on_answer(Now now, const NodeId& id, const RecordPtr& record);
  // What is known of it, unless it never answered.
  std::optional<Node> on_silence(Now now, const NodeId& id);

  [[nodiscard]] bool contains(const NodeId& id) const { return entries_.contains(id); }
  // CHECK: it is here.
  [[nodiscard]] bool has_answered(const NodeId& id) const;
  // It answered, or was heard, in this run, at the address where it is asked next. CHECK: it is
  // here.
  [[nodiscard]] bool is_proven(const NodeId& id) const;
  [[nodiscard]] Instant next_due() const;  // of those that are not under way
  [[nodiscard]] std::size_t nodes() const { return nodes_; }
  [[nodiscard]] std::size_t answered() const { return answered_; }  // of them, in this run
  [[nodiscard]] std::size_t claims() const { return entries_.size() - nodes_; }
  [[nodiscard]] std::size_t silent() const { return silent_.size(); }
  [[nodiscard]] std::size_t sites() const { return sites_.size(); }

 private:
  struct Entry {
    Contact contact;
    Node node;
    Instant due;
    bool under_way = false;
    bool claim = true;      // it never answered from this site, in this run or another
    bool answered = false;  // in this run
    bool proven = false;    // it answered from this address, or was heard from it
    unsigned moves = 0;     // since it last answered from where it says that it is
  };
  struct Site {
    std::size_t all = 0;
    std::size_t claims = 0;  // unproven
  };
  using Sites = std::map<IpAddress, Site>;
  // Where a node did not answer.
  struct Silence {
    Instant since;
    Instant until;
    std::uint64_t seq = 0;  // of the newest record by which it was asked
    std::array<Endpoint, kMaxCrawlPlaces> places{};
    std::size_t asked = 0;    // the oldest place makes way
    bool everywhere = false;  // itself says that it is elsewhere, over and over

    [[nodiscard]] bool is_of(const Endpoint& at) const;
  };
  using Entries = std::map<NodeId, Entry>;
  struct IdHash {
    SipKey key;
    std::size_t operator()(const NodeId& id) const noexcept {
      return static_cast<std::size_t>(sip_hash(key, id.view()));
    }
  };

  [[nodiscard]] Entry& under_way(const NodeId& id);
  [[nodiscard]] Site at_site(const IpAddress& ip) const;
  [[nodiscard]] Site at_net(const IpAddress& ip) const;       // of IPv6; of IPv4 nobody
  [[nodiscard]] bool has_room_at(const IpAddress& ip) const;  // for one that has answered
  [[nodiscard]] bool has_room_for_claim_at(const IpAddress& ip) const;
  [[nodiscard]] bool has_room_for_proven_at(const IpAddress& ip) const;
  // Nobody knows whether it is there: it neither answered from this site nor was heard from there.
  [[nodiscard]] static bool is_unproven_claim(const Entry& entry) {
    return entry.claim && !entry.proven;
  }
  [[nodiscard]] bool may_move(const Entry& entry, const IpAddress& to) const;
  void count(const Entry& entry);
  void uncount(const Entry& entry);
  void insert(const Contact& contact, const Node& node, Instant due, bool proven);
  void schedule(Entry& entry, Instant due);
  void move(Entry& entry, const RecordPtr& record);
  void note_answer(Now now, Entry& entry);
  // When it may be asked there; nothing: not before its silence is over.
  [[nodiscard]] std::optional<Instant> askable_at(Now now, const Contact& contact, bool heard);
  Told admit(Now now, const Contact& contact, Instant due, bool heard);
  std::optional<Node> fall_silent(Now now, const NodeId& id, bool everywhere);
  void erase(Now now, const NodeId& id, bool everywhere);

  BookLimits limits_;
  Entries entries_;
  std::set<std::pair<Instant, NodeId>> due_;
  Sites sites_;
  Sites nets_;  // IPv6 /48
  LruMap<NodeId, Silence, IdHash> silent_;
  std::size_t nodes_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace ethnet::crawl
