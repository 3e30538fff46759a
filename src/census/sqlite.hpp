// SQLite, as much of it as a census needs: a file, statements, rows. Throws SqliteError.
// Threading: a Database and its statements belong to one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace ethnet::census {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& what) : std::runtime_error{what}, code_{code} {}
  [[nodiscard]] bool is_busy() const;
  [[nodiscard]] bool is_no_database() const;

 private:
  int code_;
};

// NULL, INTEGER or TEXT.
using Value = std::variant<std::monostate, std::int64_t, std::string>;

enum class OpenAs : std::uint8_t { reader, writer };  // a writer makes the file where there is none

class Database {
 public:
  Database(const std::string& path, OpenAs mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  void run(const char* sql);
  [[nodiscard]] std::int64_t number(const char* sql);  // of the first column of the first row
  [[nodiscard]] std::uint64_t changed() const;         // rows, by the last statement
  [[nodiscard]] sqlite3* handle() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

// Rolled back where it ends without commit().
class Transaction {
 public:
  // Nobody else writes meanwhile. Where somebody does it waits a moment only, then is_busy().
  explicit Transaction(Database& db);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& db_;
  bool open_ = true;
};

class Statement {
 public:
  Statement(Database& db, const std::string& sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  // The next parameter.
  Statement& bind(Value value);
  // False: there is no further row; then it can be bound anew.
  bool step();
  // Of the row; from 0 on.
  [[nodiscard]] Value value(int column) const;
  [[nodiscard]] std::string text(int column) const;  // empty: NULL
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  [[noreturn]] void fail() const;

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  std::deque<std::string> texts_;  // that are bound
};

}  // namespace ethnet::census
