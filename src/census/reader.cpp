#include "reader.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include <base/printable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ethnet::census {
namespace {

constexpr std::array<std::int64_t, 5> kAges{600, 3'600, 6 * 3'600, 24 * 3'600, 7 * 24 * 3'600};

struct Where {
  std::string sql = "1";
  std::vector<Value> values;

  void add(std::string_view condition, Value value) {
    sql += fmt::format(" AND {}", condition);
    values.push_back(std::move(value));
  }
  void add_text(std::string_view column, const std::optional<std::string>& wanted,
                std::string_view condition) {
    if (!wanted) return;
    if (wanted->empty()) {
      sql += fmt::format(" AND {} IS NULL", column);
    } else {
      add(condition, *wanted);
    }
  }
};

Where where_of(const Filter& filter) {
  Where out;
  out.add_text("fork_hash", filter.fork, "fork_hash = ?");
  out.add_text("network", filter.network, "network = ?");
  out.add_text("client", filter.client, "instr(lower(client), lower(?)) > 0");
  if (filter.capability) {
    out.add("instr(' ' || capabilities || ' ', ' ' || ? || ' ') > 0", *filter.capability);
  }
  if (filter.seen_since) out.add("last_seen >= ?", *filter.seen_since);
  if (filter.min_score) out.add("score >= ?", *filter.min_score);
  return out;
}

void bind_all(Statement& statement, const Where& where) {
  for (const Value& value : where.values) statement.bind(value);
}

// The rest is one sum.
Distribution cut(std::vector<Group> groups) {
  std::ranges::sort(groups, [](const Group& a, const Group& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  Distribution out;
  for (Group& group : groups) {
    if (out.groups.size() < kMaxCensusGroups) {
      out.groups.push_back(std::move(group));
    } else {
      out.others += group.count;
    }
  }
  return out;
}

}  // namespace

template <class F>
auto Reader::guarded(F&& f) {
  try {
    return f();
  } catch (const SqliteError& error) {
    throw CensusError(error.is_no_database() ? CensusFault::no_database : CensusFault::failed,
                      fmt::format("{}: {}", printable(path_), error.what()));
  }
}

Reader::Reader(const std::string& path) try : path_{path}, db_{path, OpenAs::reader} {
} catch (const SqliteError& error) {
  throw CensusError(CensusFault::cannot_open, fmt::format("{}: {}", printable(path), error.what()));
}

std::vector<Row> Reader::page(const Filter& filter, const std::string& after, std::size_t limit) {
  return guarded([&] {
    const Where where = where_of(filter);
    Statement statement{db_, fmt::format("SELECT {} FROM nodes WHERE {} AND id > ? ORDER BY id "
                                         "LIMIT ?",
                                         fmt::join(kColumns, ", "), where.sql)};
    bind_all(statement, where);
    statement.bind(after).bind(static_cast<std::int64_t>(std::min(limit, kMaxCensusPage)));
    std::vector<Row> out;
    while (statement.step()) {
      Row& row = out.emplace_back();
      for (std::size_t i = 0; i < row.size(); ++i) row.at(i) = statement.value(static_cast<int>(i));
    }
    return out;
  });
}

// Peers choose these values, and may choose another one each: what is not told is never held here.
Distribution Reader::group_by(const Filter& filter, const std::string& expression,
                              std::int64_t rows) {
  const Where where = where_of(filter);
  Statement statement{
      db_, fmt::format("SELECT {} AS value, count(*) AS nodes FROM nodes WHERE {} GROUP BY 1 "
                       "ORDER BY nodes DESC, value LIMIT {}",
                       expression, where.sql, kMaxCensusGroups)};
  bind_all(statement, where);
  Distribution out{.groups = {}, .others = rows};
  while (statement.step()) {
    out.groups.push_back({statement.text(0), statement.number(1)});
    out.others -= out.groups.back().count;
  }
  return out;
}

// A node has several. Sets that many nodes have come first: names that are made up one by one find
// the places of those that are in use taken.
Distribution Reader::capabilities(const Filter& filter) {
  const Where where = where_of(filter);
  Statement statement{db_, fmt::format("SELECT capabilities, count(*) AS nodes FROM nodes WHERE {} "
                                       "GROUP BY 1 ORDER BY nodes DESC, capabilities LIMIT {}",
                                       where.sql, kMaxCapabilitySets)};
  bind_all(statement, where);
  std::map<std::string, std::int64_t, std::less<>> counts;
  while (statement.step()) {
    const std::string all = statement.text(0);
    for (std::size_t from = 0; from < all.size();) {
      const std::size_t to = std::min(all.find(' ', from), all.size());
      counts[all.substr(from, to - from)] += statement.number(1);
      from = to + 1;
    }
  }
  std::vector<Group> groups;
  for (const auto& [value, count] : counts) groups.push_back({value, count});
  return cut(std::move(groups));
}

std::int64_t Reader::count(const Filter& filter, const std::string& condition) {
  const Where where = where_of(filter);
  Statement statement{
      db_, fmt::format("SELECT count(*) FROM nodes WHERE {} AND {}", where.sql, condition)};
  bind_all(statement, where);
  return statement.step() ? statement.number(0) : 0;
}

Statistics Reader::statistics(const Filter& filter) {
  return guarded([&] {
    Statistics out;
    out.nodes = count(filter, "1");
    out.alive = count(filter, "score > 0");
    out.ip4 = count(filter, "ip IS NOT NULL");
    out.ip6 = count(filter, "ip6 IS NOT NULL");
    out.newest = db_.number("SELECT max(last_seen) FROM nodes");
    out.networks = group_by(filter, "network", out.nodes);
    out.forks = group_by(filter, "fork_hash", out.nodes);
    out.clients =
        group_by(filter,
                 "CASE WHEN instr(client, '/') > 0 THEN substr(client, 1, instr(client, '/') - 1) "
                 "ELSE client END",
                 out.nodes);
    out.capabilities = capabilities(filter);
    for (const std::int64_t age : kAges) {
      out.seen_within.emplace_back(age,
                                   count(filter, fmt::format("last_seen >= {}", out.newest - age)));
    }
    return out;
  });
}

}  // namespace ethnet::census
