// What crawls found, in a file of SQLite: one row a node, which outlives the crawl that wrote it.
//
// The file is a database in WAL mode, for others to read at any time, while it is written too. A
// batch of changes is one transaction: after kill -9 it has all of a batch or nothing. Who crawls
// holds FILE-lock, so that two do not count the same nodes.
// Throws CensusError, with one clear line that names the file. One thread. Schema: kSchema in
// census.cpp; docs/DISCOVERY.md says what the columns mean.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <base/instant.hpp>
#include <discovery/crawl/book.hpp>
#include <discovery/crawl/facts.hpp>

#include "sqlite.hpp"

namespace ethnet::census {

// Of PRAGMA application_id ("ECen") and user_version.
inline constexpr std::int64_t kApplication = 0x4543'656e;
inline constexpr std::int64_t kSchemaVersion = 1;

enum class CensusFault : std::uint8_t {
  cannot_open,
  no_database,  // a file of something else
  other_application,
  other_schema,  // of another version of this program
  in_use,        // another crawl writes to it
  locked,        // another process, for longer than kCensusLockPatience
  bad_row,       // changed by somebody else
  failed,        // a full disk, and the like
};

class CensusError : public std::runtime_error {
 public:
  CensusError(CensusFault fault, const std::string& what)
      : std::runtime_error{what}, fault_{fault} {}
  [[nodiscard]] CensusFault fault() const { return fault_; }

 private:
  CensusFault fault_;
};

// For so long what waits is kept and tried again, where another process holds the file's lock.
inline constexpr Duration kCensusLockPatience = seconds(60);
// Rows of the file. Statistics read each of them, and were measured to take 4 s at so many, of the
// ten that an answer of --serve may take (kCensusPatience); it is a file of 430 MB, and ten times
// what all networks that share discv4 have at a time. Beyond it those of score 0 make way, who was
// seen longest ago first.
inline constexpr std::size_t kMaxCensusRows = 500'000;

// In the order of the table.
inline constexpr std::array<std::string_view, 20> kColumns{
    "id",      "seq",    "record",     "ip",        "udp",          "tcp",       "quic",
    "ip6",     "udp6",   "tcp6",       "quic6",     "capabilities", "fork_hash", "fork_next",
    "network", "client", "first_seen", "last_seen", "last_check",   "score"};
using Row = std::array<Value, kColumns.size()>;

class Census {
 public:
  // Makes the file where there is none.
  explicit Census(const std::string& path, std::size_t max_rows = kMaxCensusRows);

  // Every node, oldest check first; each record is verified.
  [[nodiscard]] std::vector<crawl::Node> load();
  // Waits for commit(); of one node the last counts.
  void put(const crawl::Node& node);
  // False: another process holds the lock. All of it still waits, for another try, which takes a
  // fifth of a second; an error when that has been so since kCensusLockPatience.
  [[nodiscard]] bool commit(Instant now);
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  // Times that a node got no row: the file is full, and every row is of one that answers.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  // By id. What waits is not there yet.
  void for_each(const std::function<void(const Row&)>& take);
  [[nodiscard]] std::uint64_t size();

 private:
  template <class F>
  auto guarded(F&& f);
  // Nodes that got no row.
  [[nodiscard]] std::size_t write_waiting();
  // Of so many rows more: how many have room.
  [[nodiscard]] std::size_t make_room(std::size_t wanted);

  std::string path_;
  std::size_t max_rows_;
  Database lock_;
  Database db_;
  crawl::FactReader facts_;
  std::map<NodeId, crawl::Node> waiting_;
  std::uint64_t refused_ = 0;
  Instant locked_since_ = Instant::never();
};

}  // namespace ethnet::census
