#include "sqlite.hpp"

#include <limits>
#include <utility>

#include <sqlite3.h>

namespace ethnet::census {
namespace {

// With another process that writes: of who has nothing else to do, and of who has.
constexpr int kPatienceMs = 5'000;
constexpr int kShortPatienceMs = 200;

[[noreturn]] void fail(sqlite3* db, int code) {
  throw SqliteError(code, db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db));
}

}  // namespace

bool SqliteError::is_busy() const { return (code_ & 0xff) == SQLITE_BUSY; }
bool SqliteError::is_no_database() const { return (code_ & 0xff) == SQLITE_NOTADB; }

Database::Database(const std::string& path, OpenAs mode) {
  const int flags =
      (mode == OpenAs::reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr);
  if (code != SQLITE_OK) {
    const SqliteError error{code, db_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db_)};
    sqlite3_close_v2(db_);
    throw error;
  }
  sqlite3_busy_timeout(db_, kPatienceMs);
}

Database::~Database() { sqlite3_close_v2(db_); }

void Database::run(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(db_, code);
}

std::int64_t Database::number(const char* sql) {
  Statement statement{*this, sql};
  return statement.step() ? statement.number(0) : 0;
}

std::uint64_t Database::changed() const {
  return static_cast<std::uint64_t>(sqlite3_changes64(db_));
}

Transaction::Transaction(Database& db) : db_{db} {
  sqlite3_busy_timeout(db.handle(), kShortPatienceMs);
  const int code = sqlite3_exec(db.handle(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
  sqlite3_busy_timeout(db.handle(), kPatienceMs);
  if (code != SQLITE_OK) fail(db.handle(), code);
}

// Some errors have ended it already, so that there is nothing to roll back.
Transaction::~Transaction() {
  if (open_) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  db_.run("COMMIT");
  open_ = false;
}

Statement::Statement(Database& db, const std::string& sql) : db_{db.handle()} {
  const int code = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement_, nullptr);
  if (code != SQLITE_OK) census::fail(db_, code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::fail() const { census::fail(db_, sqlite3_extended_errcode(db_)); }

Statement& Statement::bind(Value value) {
  ++bound_;
  int code = SQLITE_OK;
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    code = sqlite3_bind_int64(statement_, bound_, *number);
  } else if (auto* const text = std::get_if<std::string>(&value)) {
    const std::string& kept = texts_.emplace_back(std::move(*text));
    if (kept.size() > std::size_t{std::numeric_limits<int>::max()}) {
      throw SqliteError(SQLITE_TOOBIG, "the text is too long");
    }
    code =
        sqlite3_bind_text(statement_, bound_, kept.data(), static_cast<int>(kept.size()), nullptr);
  } else {
    code = sqlite3_bind_null(statement_, bound_);
  }
  if (code != SQLITE_OK) fail();
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail();
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bound_ = 0;
  texts_.clear();
  return false;
}

Value Statement::value(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_NULL:
      return {};
    case SQLITE_INTEGER:
      return number(column);
    default:
      return text(column);
  }
}

std::string Statement::text(int column) const {
  const unsigned char* const at = sqlite3_column_text(statement_, column);
  if (at == nullptr) return {};
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return {reinterpret_cast<const char*>(at), size};
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

}  // namespace ethnet::census
