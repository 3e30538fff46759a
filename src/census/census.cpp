#include "census.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <base/check.hpp>
#include <base/hex.hpp>
#include <base/printable.hpp>
#include <discovery/crawl/limits.hpp>
#include <discovery/kbucket/record.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ethnet::census {
namespace {

using crawl::Facts;
using crawl::Node;

// Numbers of 64 bits that a peer chose are texts: those of SQLite have a sign. Times are seconds
// since 1970. NULL: it says nothing of the kind.
constexpr const char* kSchema = R"(
CREATE TABLE nodes (
  id TEXT NOT NULL PRIMARY KEY,
  seq TEXT NOT NULL,
  record TEXT NOT NULL,
  ip TEXT, udp INTEGER, tcp INTEGER, quic INTEGER,
  ip6 TEXT, udp6 INTEGER, tcp6 INTEGER, quic6 INTEGER,
  capabilities TEXT NOT NULL,
  fork_hash TEXT, fork_next TEXT,
  network TEXT, client TEXT,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, last_check INTEGER NOT NULL,
  score INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX nodes_by_last_seen ON nodes (last_seen);
)";
// Who makes way; files of before have none. It changes no row, so it is no new version.
constexpr const char* kIndexOfGone =
    "CREATE INDEX IF NOT EXISTS nodes_gone ON nodes (last_seen, id) WHERE score = 0";

std::string columns() { return fmt::format("{}", fmt::join(kColumns, ", ")); }

// The first time that it was ever seen stays.
std::string upsert() {
  std::string values;
  std::string updates;
  for (const std::string_view column : kColumns) {
    values += values.empty() ? "?" : ", ?";
    if (column == "id") continue;
    const bool is_first = column == "first_seen";
    updates += fmt::format("{}{} = {}", updates.empty() ? "" : ", ", column,
                           is_first ? std::string{"min(first_seen, excluded.first_seen)"}
                                    : fmt::format("excluded.{}", column));
  }
  return fmt::format("INSERT INTO nodes ({}) VALUES ({}) ON CONFLICT (id) DO UPDATE SET {}",
                     columns(), values, updates);
}

std::string hex_of(const NodeId& id) { return to_hex(id.view()); }

Value optional_text(const std::string& text) { return text.empty() ? Value{} : Value{text}; }
Value port(std::uint16_t number) {
  return number == 0 ? Value{} : Value{static_cast<std::int64_t>(number)};
}
Value address(const std::optional<IpAddress>& ip) { return ip ? Value{ip->to_string()} : Value{}; }
Value moment(UnixTime time) { return static_cast<std::int64_t>(time.whole_seconds()); }

void put_row(Statement& statement, const Node& node, const crawl::FactReader& reader) {
  const auto record = Enr::decode(node.record->encoded());
  CHECK(record.has_value());
  const Facts facts = reader.read(*record);
  statement.bind(hex_of(node.record->id())).bind(fmt::format("{}", record->seq()));
  statement.bind(record->text());
  statement.bind(address(facts.ip)).bind(port(facts.ports.udp));
  statement.bind(port(facts.ports.tcp)).bind(port(facts.ports.quic));
  statement.bind(address(facts.ip6)).bind(port(facts.ports6.udp));
  statement.bind(port(facts.ports6.tcp)).bind(port(facts.ports6.quic));
  statement.bind(facts.capabilities);
  statement.bind(facts.fork ? Value{to_hex_0x(facts.fork->hash)} : Value{});
  statement.bind(facts.fork ? Value{fmt::format("{}", facts.fork->next)} : Value{});
  statement.bind(optional_text(facts.network)).bind(optional_text(facts.client));
  statement.bind(moment(node.first_response)).bind(moment(node.last_response));
  statement.bind(moment(node.last_check)).bind(node.score);
  (void)statement.step();
}

bool is_here(Statement& known, const NodeId& id) {
  if (!known.bind(hex_of(id)).step()) return false;
  (void)known.step();  // to the end, for the next one
  return true;
}

[[noreturn]] void refuse(const std::string& path, CensusFault fault, std::string_view why) {
  throw CensusError(fault, fmt::format("{}: {}", printable(path), why));
}

UnixTime time_of(std::int64_t whole_seconds) {
  return UnixTime::from_seconds(whole_seconds < 0 ? 0 : static_cast<std::uint64_t>(whole_seconds));
}

// SQLite looks at a file when it first reads it.
void prepare(const std::string& path, Database& db) {
  const std::int64_t application = db.number("PRAGMA application_id");
  const std::int64_t version = db.number("PRAGMA user_version");
  const bool is_empty = db.number("SELECT count(*) FROM sqlite_schema") == 0;
  if (is_empty && application == 0 && version == 0) {
    db.run("PRAGMA journal_mode = WAL");
    db.run("BEGIN IMMEDIATE");
    db.run(kSchema);
    db.run(fmt::format("PRAGMA application_id = {}", kApplication).c_str());
    db.run(fmt::format("PRAGMA user_version = {}", kSchemaVersion).c_str());
    db.run("COMMIT");
  } else if (application != kApplication) {
    refuse(path, CensusFault::other_application, "a database of another program");
  } else if (version != kSchemaVersion) {
    refuse(path, CensusFault::other_schema,
           fmt::format("has version {} of the tables, this program {}", version, kSchemaVersion));
  }
  db.run(kIndexOfGone);
  db.run("PRAGMA synchronous = NORMAL");  // with WAL: a crash of the machine costs the last batches
}

std::string checked_path(const std::string& path) {
  // What SQLite takes for something else than the name of a file.
  if (path.empty() || path.front() == ':') {
    refuse(path, CensusFault::cannot_open, "not a file name");
  }
  return path;
}

}  // namespace

template <class F>
auto Census::guarded(F&& f) {
  try {
    return f();
  } catch (const SqliteError& error) {
    refuse(path_, error.is_no_database() ? CensusFault::no_database : CensusFault::failed,
           error.is_no_database() ? "not a database" : error.what());
  }
}

Census::Census(const std::string& path, std::size_t max_rows) try
    : path_{checked_path(path)},
      max_rows_{max_rows},
      lock_{path + "-lock", OpenAs::writer},
      db_{path, OpenAs::writer} {
  guarded([&] {
    // Held as long as it is open, and free when its process is gone, however it went.
    try {
      lock_.run("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    } catch (const SqliteError& error) {
      if (error.is_busy()) refuse(path, CensusFault::in_use, "another crawl writes to it");
      throw;
    }
    prepare(path, db_);
  });
} catch (const SqliteError& error) {
  throw CensusError(CensusFault::cannot_open, fmt::format("{}: {}", printable(path), error.what()));
}

std::vector<Node> Census::load() {
  return guarded([&] {
    std::vector<Node> out;
    // Who has gone leaves a row: those must not take the places of a crawl from who is there.
    Statement statement{
        db_, fmt::format("SELECT id, record, score, first_seen, last_seen, last_check FROM (SELECT "
                         "* FROM nodes WHERE score <> 0 ORDER BY last_seen DESC, id LIMIT {}) "
                         "ORDER BY last_check, id",
                         crawl::kMaxCrawlNodes)};
    while (statement.step()) {
      const std::string id = statement.text(0);
      auto enr = VerifiedEnr::parse(statement.text(1));
      Node node{.record = nullptr,
                .score = statement.number(2),
                .first_response = time_of(statement.number(3)),
                .last_response = time_of(statement.number(4)),
                .last_check = time_of(statement.number(5))};
      if (enr && hex_of(enr->node_id()) == id) {
        node.record = kbucket::NodeRecord::of(std::make_shared<const VerifiedEnr>(*std::move(enr)),
                                              kbucket::RecordPort::udp);
      }
      if (node.record == nullptr || node.score < 0 || !node.has_answered()) {
        refuse(path_, CensusFault::bad_row,
               fmt::format("the row of node {} was changed by somebody else", printable(id)));
      }
      out.push_back(std::move(node));
    }
    return out;
  });
}

void Census::put(const Node& node) { waiting_.insert_or_assign(node.record->id(), node); }

std::size_t Census::make_room(std::size_t wanted) {
  if (wanted == 0) return 0;
  const auto rows = static_cast<std::size_t>(db_.number("SELECT count(*) FROM nodes"));
  if (rows + wanted <= max_rows_) return wanted;
  Statement statement{db_,
                      "DELETE FROM nodes WHERE id IN (SELECT id FROM nodes WHERE score = 0 ORDER "
                      "BY last_seen, id LIMIT ?)"};
  statement.bind(static_cast<std::int64_t>(rows + wanted - max_rows_));
  (void)statement.step();
  const std::size_t left = rows - static_cast<std::size_t>(db_.changed());
  return left < max_rows_ ? std::min(wanted, max_rows_ - left) : 0;
}

std::size_t Census::write_waiting() {
  Transaction transaction{db_};
  Statement known{db_, "SELECT 1 FROM nodes WHERE id = ?"};
  Statement write{db_, upsert()};
  std::vector<const Node*> newcomers;
  for (const auto& [id, node] : waiting_) {
    if (is_here(known, id)) {
      put_row(write, node, facts_);
    } else {
      newcomers.push_back(&node);
    }
  }
  // By now a row that was gone and has answered again is none that makes way.
  const std::size_t taken = make_room(newcomers.size());
  for (const Node* const node : std::span{newcomers}.first(taken)) put_row(write, *node, facts_);
  transaction.commit();
  return newcomers.size() - taken;
}

bool Census::commit(Instant now) {
  if (waiting_.empty()) return true;
  return guarded([&] {
    try {
      refused_ += write_waiting();
    } catch (const SqliteError& error) {
      if (!error.is_busy()) throw;
      if (locked_since_.is_never()) locked_since_ = now;
      if (now - locked_since_ < kCensusLockPatience) return false;
      refuse(path_, CensusFault::locked,
             fmt::format("another process has held its lock for {} seconds: what {} nodes answered "
                         "since is not stored",
                         kCensusLockPatience.ns / seconds(1).ns, waiting_.size()));
    }
    locked_since_ = Instant::never();
    waiting_.clear();
    return true;
  });
}

void Census::for_each(const std::function<void(const Row&)>& take) {
  guarded([&] {
    Statement statement{db_, fmt::format("SELECT {} FROM nodes ORDER BY id", columns())};
    while (statement.step()) {
      Row row;
      for (std::size_t i = 0; i < row.size(); ++i) row.at(i) = statement.value(static_cast<int>(i));
      take(row);
    }
  });
}

std::uint64_t Census::size() {
  return guarded(
      [&] { return static_cast<std::uint64_t>(db_.number("SELECT count(*) FROM nodes")); });
}

}  // namespace ethnet::census
