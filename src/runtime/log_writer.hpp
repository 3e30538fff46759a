// Log records as lines: for terminals
//   INFO [08-22|14:03:01.123] Session opened                           peer=0x1a2b… inbound=true
// or as JSON, one object a line. What is not printable never gets out (base/printable.hpp).
// Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include <base/log.hpp>

namespace ethnet::runtime {

enum class LogFormat : std::uint8_t { terminal, json };

[[nodiscard]] std::string format_record(const LogRecord& record, LogFormat format);

class LogWriter final : public Log {
 public:
  using Sink = std::function<void(const std::string& line)>;
  // `verbosity` 0 (nothing) to 5 (trace).
  LogWriter(LogFormat format, int verbosity, Sink sink);

  [[nodiscard]] bool enabled(LogLevel level) const noexcept override;
  void handle(const LogRecord& record) noexcept override;

 private:
  LogFormat format_;
  int verbosity_;
  Sink sink_;
  std::mutex mutex_;
};

}  // namespace ethnet::runtime
