// Typed log records. The core hands records to a Log it was given; whoever owns the process decides
// where they go and how they look (runtime/log_writer). Nothing is formatted when a level is off.
// Text that a peer supplied goes through sanitize() before it reaches any output.
//
//   log.write(now, LogLevel::debug, "session refused", {{"reason", reason}, {"peer", id_hex}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "instant.hpp"

namespace ethnet {

enum class LogLevel : std::uint8_t { error = 1, warn, info, debug, trace };

struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::uint64_t, std::int64_t, bool> value;
};

struct LogRecord {
  Now now;
  LogLevel level;
  std::string_view message;
  std::span<const LogField> fields;
};

class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  virtual ~Log() = default;

  [[nodiscard]] virtual bool enabled(LogLevel level) const noexcept = 0;
  virtual void handle(const LogRecord& record) noexcept = 0;

  void write(Now now, LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    if (!enabled(level)) return;
    handle({now, level, message, std::span<const LogField>{fields}});
  }
};

// Drops everything.
class NullLog final : public Log {
 public:
  [[nodiscard]] bool enabled(LogLevel) const noexcept override { return false; }
  void handle(const LogRecord&) noexcept override {}
};

// Printable ASCII as it is; every other byte (control characters, ESC, NUL, 0x7f and above) and the
// backslash itself as \xNN; cut to max_bytes of output.
[[nodiscard]] std::string sanitize(std::string_view text, std::size_t max_bytes);

}  // namespace ethnet
