// What a census has, read while a crawl writes it: pages of rows, and how they are distributed.
// Texts of a question are parameters of SQL, never part of it.
// Throws CensusError. One thread, which need not be that of the writer.
// Limits: kMaxCensusPage, kMaxCensusGroups, kMaxCapabilitySets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "census.hpp"

namespace ethnet::census {

// Rows of one answer: 700 bytes each as JSON.
inline constexpr std::size_t kMaxCensusPage = 1000;
// Values of one distribution that are told one by one; the rest is one sum. Peers choose them.
inline constexpr std::size_t kMaxCensusGroups = 24;
// Different sets of capabilities that are counted, those of most nodes first: some 30 are in use in
// a network, and a record has room for 60 names, so that 250,000 names at most are held for a
// moment.
inline constexpr std::size_t kMaxCapabilitySets = 4096;

// All that is named has to apply.
struct Filter {
  std::optional<std::string> fork{};        // "0x1234abcd"; empty: without one
  std::optional<std::string> network{};     // "mainnet"; empty: of none that is known
  std::optional<std::string> client{};      // part of it, in any case; empty: it does not say
  std::optional<std::string> capability{};  // "snap"
  std::optional<std::int64_t> seen_since{};
  std::optional<std::int64_t> min_score{};
};

struct Group {
  std::string value;  // empty: none
  std::int64_t count = 0;
};
// Largest first.
struct Distribution {
  std::vector<Group> groups;
  std::int64_t others = 0;  // nodes beyond kMaxCensusGroups; of capabilities: each name's nodes
};
struct Statistics {
  std::int64_t nodes = 0;
  std::int64_t alive = 0;  // with a score above 0
  std::int64_t ip4 = 0;
  std::int64_t ip6 = 0;
  std::int64_t newest = 0;  // the last time that anybody was seen, in seconds since 1970; 0: never
  Distribution networks;
  Distribution forks;
  Distribution clients;  // names, without versions
  Distribution capabilities;
  // Of `newest` and before: seen within so many seconds of it.
  std::vector<std::pair<std::int64_t, std::int64_t>> seen_within;
};

class Reader {
 public:
  explicit Reader(const std::string& path);

  // Rows with ids after `after`, at most `limit` (at most kMaxCensusPage).
  [[nodiscard]] std::vector<Row> page(const Filter& filter, const std::string& after,
                                      std::size_t limit);
  [[nodiscard]] Statistics statistics(const Filter& filter);

 private:
  template <class F>
  auto guarded(F&& f);
  [[nodiscard]] Distribution group_by(const Filter& filter, const std::string& expression,
                                      std::int64_t rows);
  [[nodiscard]] Distribution capabilities(const Filter& filter);
  [[nodiscard]] std::int64_t count(const Filter& filter, const std::string& condition);

  std::string path_;
  Database db_;
};

}  // namespace ethnet::census
