// Client: walks lists of nodes in the DNS (EIP-1459, "Client Protocol"; devp2p dnsdisc.md).
// Sans-I/O: questions for TXT records come out, answers go in.
//
//   Client client{rng, {.walk = Walk::random}};
//   client.add_tree(now, link);  client.want(now, 10);
//   while (auto question = client.poll_question()) resolver.ask(question->id, question->name);
//   client.handle_answer(now, id, texts);  client.handle_failure(now, id, DnsError::not_found);
//   while (auto event = client.poll_event()) …   client.handle_deadline(now) at next_deadline()
//
// Two ways to walk. `whole`: each entry of each tree once, then TreeDone. `random`: entries in
// random order for as many records as are wanted, from the beginning again after the last (out of
// the cache where it has them), and the root again every 30 minutes.
//
// A tree is trusted as far as its key: the root is signed, its sequence number never falls, and
// every entry has the hash by which it was named. An entry that is wrong is skipped, never its
// tree. What a tree may cost is bounded in hashes, depth and links; a hash that was seen in this
// walk is not asked for again, so that no loop and no shared branch is walked twice.
// Threading: none. Limits: limits.hpp; counters() shows each.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <base/secure_rng.hpp>
#include <base/token_bucket.hpp>

#include "cache.hpp"
#include "tree.hpp"

namespace ethnet::dns {

enum class Walk : std::uint8_t { whole, random };

struct ClientOptions {
  Walk walk = Walk::random;
  bool follow_links = true;
  std::uint32_t questions_per_second = kQuestionsPerSecond;  // at least 1
};

// Names a question of this client; another one each time.
using QuestionId = std::uint64_t;
struct Question {
  QuestionId id = 0;
  std::string name;  // whose TXT records are wanted
};

struct NodeFound {
  Link tree;
  VerifiedEnr record;
};
// The first root of a tree, or another one than before.
struct RootChanged {
  Link tree;
  std::uint64_t seq = 0;
  bool records_anew = false;  // all of them are told again, those that are still there
  bool links_anew = false;
};
struct LinkFound {
  Link tree;
  Link to;
  // Which child of the top, which of that, and so on: in this order the publisher has them.
  std::vector<std::uint8_t> path;
};
struct EntrySkipped {
  Link tree;
  std::string name;  // in the DNS
  Error why;
};
// The root cannot be had, or is refused. In a random walk it is asked for again later.
struct RootFailed {
  Link tree;
  Error why;
};
// Of a whole walk: every entry was looked at or skipped; or there is no root.
struct TreeDone {
  Link tree;
  std::optional<Root> root;
  std::uint64_t records = 0;
  std::uint64_t skipped = 0;
};
using ClientEvent =
    std::variant<NodeFound, LinkFound, RootChanged, EntrySkipped, RootFailed, TreeDone>;

struct ClientCounters {
  std::uint64_t questions = 0;
  std::uint64_t answers = 0;
  std::uint64_t unasked_answers = 0;  // to no question that is under way
  std::uint64_t timeouts = 0;         // questions on which the resolver said nothing
  std::uint64_t from_cache = 0;       // entries that no question was needed for
  std::uint64_t records = 0;
  std::uint64_t roots = 0;  // accepted
  // What was refused or could not be had, by DnsError; records that are none under unknown_entry.
  std::array<std::uint64_t, kDnsErrors> refused{};
};

class Client {
 public:
  // `rng`: in which order trees are walked; it must outlive the client.
  Client(SecureRng& rng, const ClientOptions& options);

  // A tree to walk. `least_seq`: the highest sequence number that was ever seen of it. Errors:
  // too_many_trees, link_twice.
  Result<void> add_tree(Now now, const Link& link, std::uint64_t least_seq = 0) noexcept;
  // The highest sequence number that was ever seen of a tree that others may link to, or that is
  // added later. kMaxRememberedTrees of them at most.
  void remember(const Link& link, std::uint64_t seq);
  // Random walks: so many records more.
  void want(Now now, std::size_t records) noexcept;

  // The TXT records of the name, each put together from its strings.
  void handle_answer(Now now, QuestionId id, std::span<const std::string> texts) noexcept;
  // not_found: the resolver says that there is none; unanswered: anything else that may pass.
  void handle_failure(Now now, QuestionId id, DnsError why) noexcept;
  void handle_deadline(Now now) noexcept;

  [[nodiscard]] std::optional<Question> poll_question();
  // Taking an event lets a walk that stands for want of room go on: at next_deadline().
  [[nodiscard]] std::optional<ClientEvent> poll_event();
  [[nodiscard]] Instant next_deadline() const;

  // Nothing is under way and nothing will be, unless more is asked for.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] std::size_t trees() const { return trees_.size(); }
  [[nodiscard]] std::size_t wanted() const { return wanted_; }
  [[nodiscard]] std::size_t under_way() const { return asked_.size(); }
  [[nodiscard]] const ClientCounters& counters() const { return counters_; }

 private:
  struct Todo {
    HashLabel label;
    std::uint8_t depth = 0;
    std::uint8_t tries = 0;
    std::vector<std::uint8_t> path;  // of links: LinkFound::path
  };
  // One of the two parts of a tree.
  struct Part {
    std::uint64_t walk = 0;  // which walk of it this is: older answers change nothing
    std::vector<Todo> todo;
    std::set<std::string, std::less<>> seen;  // of this walk
    std::size_t under_way = 0;
    [[nodiscard]] bool done() const { return todo.empty() && under_way == 0; }
  };
  struct TreeState {
    explicit TreeState(Link l) : link{std::move(l)} {}
    Link link;
    std::uint8_t hops = 0;
    std::uint64_t least_seq = 0;
    std::optional<Root> root;
    Instant root_due{INT64_MIN};  // when to ask for it (again)
    bool root_asked = false;
    bool gave_up = false;  // a whole walk without a root
    bool told_done = false;
    std::uint32_t root_failures = 0;   // in a row
    std::uint32_t entry_failures = 0;  // in a row
    std::uint32_t rechecks = 0;        // of the root, because of such failures
    std::uint64_t records = 0;         // found in this walk
    std::uint64_t skipped = 0;
    Part links;
    Part entries;
    std::set<std::string> linked;   // identities of the trees that it links to
    std::set<std::string> linking;  // the same as far as this walk of its links has come
  };
  using TreeId = std::uint64_t;
  enum class Kind : std::uint8_t { root, link, record };
  struct Asked {
    TreeId tree = 0;
    std::uint64_t walk = 0;
    Kind kind = Kind::root;
    std::optional<Todo> todo;
    Instant expires;
  };

  [[nodiscard]] static Part& part_of(TreeState& tree, Kind kind);
  [[nodiscard]] bool has_room() const { return events_.size() < kMaxDnsEvents; }
  // What there is to do now of this tree, if anything.
  [[nodiscard]] std::optional<Kind> next_work(const TreeState& tree, Now now) const;
  [[nodiscard]] bool wants_records() const;
  void advance(Now now);
  [[nodiscard]] bool advance_once(Now now);
  void step(Now now, TreeId id, TreeState& tree, Kind kind);
  void ask(Now now, Asked asked, std::string name);
  [[nodiscard]] std::optional<Asked> take(QuestionId id);
  void tell_done();

  // client_walk.cpp
  void begin_part(TreeState& tree, Kind kind, const HashLabel& top);
  void on_root(Now now, TreeState& tree, std::span<const std::string> texts);
  void accept_root(Now now, TreeState& tree, Root root);
  void on_root_failure(Now now, TreeState& tree, const Error& why);
  void on_entry_failure(Now now, TreeState& tree, Kind kind, Todo todo, DnsError why);
  void on_texts(Now now, TreeState& tree, Kind kind, const Todo& todo,
                std::span<const std::string> texts);
  void on_text(TreeState& tree, Kind kind, const Todo& todo, std::string_view text);
  void on_branch(TreeState& tree, Kind kind, const Todo& todo, const Branch& branch);
  void follow(TreeState& from, const Link& link, const std::string& name);
  void on_links_done(TreeState& tree);
  // Ends trees, also the one whose answer it is: never while a step holds one.
  void drop_unlinked();
  void skip(TreeState& tree, const std::string& name, const Error& why);
  void count(const Error& why);

  SecureRng& rng_;
  ClientOptions options_;
  TokenBucket bucket_;
  std::map<TreeId, TreeState> trees_;
  std::map<QuestionId, Asked> asked_;
  std::deque<Question> questions_;
  std::deque<ClientEvent> events_;
  EntryCache cache_;
  // The sequence numbers of trees that were dropped: none comes back with a lower one.
  std::map<std::string, std::uint64_t> remembered_;
  bool links_changed_ = false;  // since drop_unlinked()
  std::size_t wanted_ = 0;
  std::uint64_t last_id_ = 0;  // of trees, walks and questions alike
  Instant next_work_ = Instant::never();
  ClientCounters counters_;
};

}  // namespace ethnet::dns
