// A crawl of one discovery network, as a machine: whoever is told of is asked for its record, and
// then for whom it knows, until no new ones answer. It is a node of that network itself
// (discovery/host), with its table, filter and answers to others.
//
//   a visit     the record (discv5: FINDNODE of distance 0; discv4: ENRRequest), which is the check
//               that Book counts; then FINDNODE until the node has told all that it knows (discv5),
//               or kVisitTargets times for random targets (discv4)
//   a walk      a look-up of a random target, while there is nobody to visit
//
// A record that others tell decides where we knock. So an address of which nobody proved that a
// node is there is knocked at twice a minute (kbucket/probe_budget.hpp), whatever is told.
// A record with a port that is none counts as nothing told and as no answer: what a crawl finds is
// what lists are made of.
// One thread. Deterministic but for what the SecureRng gives. Limits: limits.hpp, and those of the
// engines.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <base/ring.hpp>
#include <discovery/host/host.hpp>
#include <discovery/kbucket/probe_budget.hpp>

#include "book.hpp"

namespace ethnet::crawl {

enum class Protocol : std::uint8_t { v4, v5 };

struct CrawlConfig {
  Protocol protocol = Protocol::v5;
  BookLimits book{};
  std::size_t visits = kMaxCrawlVisits;
  // It ends when nobody new can be found. Else it goes on, and asks whoever it knows again.
  bool ends = true;
};

// A check: the node as it is known now. There is no other event.
struct NodeChecked {
  Node node;
  bool answered = false;
  bool is_first = false;  // the first answer that we ever had of it
};
enum class CrawlEnd : std::uint8_t {
  everybody_was_asked,
  enough_nodes,  // as many as the book may have answered, since it began
};

struct CrawlCounters {
  std::uint64_t answered = 0;  // checks
  std::uint64_t silent = 0;    // the same
  std::uint64_t first_answers = 0;
  std::uint64_t questions = 0;  // for whom a node knows
  std::uint64_t told = 0;       // nodes, as the next ones
  std::uint64_t told_fresh = 0;
  std::uint64_t told_nowhere = 0;
  std::uint64_t told_crowded = 0;
  std::uint64_t odd_ports = 0;        // records with a port that is none, told or answered: dropped
  std::uint64_t told_beyond = 0;      // beyond the limits of the book
  std::uint64_t knocks_put_off = 0;   // the address had its share
  std::uint64_t without_address = 0;  // they answered, and their record says nothing of use
  std::uint64_t moved = 0;            // they answered, and are asked at the site that it names
  std::uint64_t walks = 0;
};

class Crawler {
 public:
  // `host.v4` and `host.v5` are as the protocol wants them. `rng` outlives it.
  Crawler(Now now, discovery::HostConfig host, const CrawlConfig& config, SecureRng& rng,
          Prng prng);

  // --- the machine ---
  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out) {
    return host_.poll_transmit(now, out);
  }
  [[nodiscard]] std::optional<NodeChecked> poll_event() { return events_.pop(); }
  [[nodiscard]] std::optional<Job> poll_job() { return host_.poll_job(); }
  [[nodiscard]] Instant next_deadline() const;

  // Set once it has ended: it asks nobody any more. The checks of before are still to be polled.
  [[nodiscard]] std::optional<CrawlEnd> ended() const { return ended_; }

  // --- commands ---
  // Nodes of an earlier run, before begin(). False: no room, or a port of its record is none.
  bool restore(Now now, const Node& node);
  // A node that somebody told of elsewhere: in a file, in the DNS. discv5 needs its record.
  void add(Now now, const Contact& contact) noexcept;
  // Nodes to begin with, whom the engine turns to as well.
  void begin(Now now, std::span<const Contact> nodes) noexcept;

  [[nodiscard]] const Book& book() const { return book_; }
  [[nodiscard]] const CrawlCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t visits() const { return visits_.size(); }
  [[nodiscard]] const discovery::Host& host() const { return host_; }

 private:
  struct Visit {
    Contact contact;
    std::uint32_t questions = 0;           // for whom it knows; 0: its record is asked for
    std::vector<std::uint16_t> distances;  // of the one that is under way (discv5)
  };

  // crawler.cpp: what is due, what came of it
  void advance(Now now);
  void begin_visits(Now now);
  void begin_walk(Now now);
  void end_if_done();
  void tell(Now now, const Contact& contact);
  void hear(Now now, const RecordPtr& record);  // of itself
  void count(Told told);
  void note_odd_ports();
  void on_record(Now now, Visit visit, const RecordPtr& record);
  void on_silence(Now now, const Visit& visit);
  void on_walk_done(Now now);
  [[nodiscard]] std::optional<Visit> take_visit(std::uint64_t command);

  // crawler_ask.cpp: the same over each protocol
  [[nodiscard]] std::uint64_t ask_for_record(Now now, const Contact& contact);
  void ask_for_others(Now now, Visit visit);
  void on_event(Now now, const discovery::Event& event);
  void on(Now now, const discv5::NodesReceived& nodes);
  void on(Now now, const discv5::CallFailed& failed);
  void on(Now now, const discv5::LookupDone& done);
  void on(Now now, const discv5::NodeSeen& seen);
  void on(Now now, const discv4::RecordDone& done);
  void on(Now now, const discv4::NodesDone& done);
  void on(Now now, const discv4::LookupDone& done);
  void on(Now now, const discv4::NodeSeen& seen);
  template <class E>
  void on(Now, const E&) {}  // nothing of ours

  CrawlConfig config_;
  SecureRng& rng_;
  discovery::Host host_;
  Book book_;
  kbucket::ProbeBudget knocks_{kMaxCrawlKnocks};
  std::map<std::uint64_t, Visit> visits_;   // by the number of the question that is under way
  std::uint64_t walk_ = 0;                  // 0: none
  Instant walk_at_ = Instant::never();      // before begin()
  std::uint64_t first_answers_before_ = 0;  // the end of the last walk
  std::uint32_t idle_walks_ = 0;
  std::optional<CrawlEnd> ended_;
  BoundedQueue<NodeChecked> events_{kMaxCrawlEvents};
  CrawlCounters counters_;
};

}  // namespace ethnet::crawl
