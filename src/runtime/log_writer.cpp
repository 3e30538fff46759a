#include "log_writer.hpp"

#include <ctime>
#include <string_view>

#include <base/printable.hpp>
#include <fmt/format.h>

namespace ethnet::runtime {
namespace {

std::string_view terminal_level(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "ERROR";
    case LogLevel::warn:
      return "WARN ";
    case LogLevel::info:
      return "INFO ";
    case LogLevel::debug:
      return "DEBUG";
    case LogLevel::trace:
      return "TRACE";
  }
  return "?????";
}

std::string_view json_level(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
    case LogLevel::trace:
      return "trace";
  }
  return "unknown";
}

// A byte that is of no character becomes the character of that number: JSON is UTF-8 throughout.
std::string escape_json(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const TextPiece piece = first_piece(text);
    text.remove_prefix(piece.bytes.size());
    if (!piece.printable) {
      out += fmt::format("\\u{:04x}", piece.code);
      continue;
    }
    if (piece.bytes == "\"" || piece.bytes == "\\") out.push_back('\\');
    out += piece.bytes;
  }
  return out;
}

std::tm utc(UnixTime time) {
  const auto seconds = static_cast<std::time_t>(time.whole_seconds());
  std::tm out{};
  ::gmtime_r(&seconds, &out);
  return out;
}

std::int64_t milliseconds_of(UnixTime time) { return time.ns / 1'000'000 % 1000; }

std::string value_text(const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) return std::string{*text};
  if (const auto* n = std::get_if<std::uint64_t>(&field.value)) return fmt::format("{}", *n);
  if (const auto* n = std::get_if<std::int64_t>(&field.value)) return fmt::format("{}", *n);
  return std::get<bool>(field.value) ? "true" : "false";
}

std::string format_terminal(const LogRecord& record) {
  const std::tm t = utc(record.now.wall);
  std::string line = fmt::format("{} [{:02}-{:02}|{:02}:{:02}:{:02}.{:03}] ",
                                 terminal_level(record.level), t.tm_mon + 1, t.tm_mday, t.tm_hour,
                                 t.tm_min, t.tm_sec, milliseconds_of(record.now.wall));
  const std::string message = printable(record.message);
  line += record.fields.empty() ? message : fmt::format("{:<40}", message);
  for (const LogField& field : record.fields) {
    line += fmt::format(" {}={}", field.key, printable(value_text(field)));
  }
  return line;
}

std::string format_json(const LogRecord& record) {
  const std::tm t = utc(record.now.wall);
  std::string line = fmt::format(
      R"({{"t":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z","lvl":"{}","msg":"{}")",
      t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
      milliseconds_of(record.now.wall), json_level(record.level), escape_json(record.message));
  for (const LogField& field : record.fields) {
    const bool quoted = std::holds_alternative<std::string_view>(field.value);
    const std::string value = escape_json(value_text(field));
    line += quoted ? fmt::format(R"(,"{}":"{}")", field.key, value)
                   : fmt::format(R"(,"{}":{})", field.key, value);
  }
  return line + "}";
}

}  // namespace

std::string format_record(const LogRecord& record, LogFormat format) {
  return format == LogFormat::json ? format_json(record) : format_terminal(record);
}

LogWriter::LogWriter(LogFormat format, int verbosity, Sink sink)
    : format_{format}, verbosity_{verbosity}, sink_{std::move(sink)} {}

bool LogWriter::enabled(LogLevel level) const noexcept {
  return static_cast<int>(level) <= verbosity_;
}

void LogWriter::handle(const LogRecord& record) noexcept {
  const std::string line = format_record(record, format_);
  const std::lock_guard lock{mutex_};
  sink_(line);
}

}  // namespace ethnet::runtime
