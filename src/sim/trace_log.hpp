// TraceLog: the Log of a simulated host. Records up to info are part of the trace; debug records
// are only shown, and only when somebody reads the trace, so that reading never changes its hash.
#pragma once

#include <cstdint>

#include <base/log.hpp>

#include "trace.hpp"

namespace ethnet::sim {

class TraceLog final : public Log {
 public:
  // References: the world's trace and its clock.
  TraceLog(Trace& trace, const Instant& world_now, std::uint64_t subject)
      : trace_{trace}, world_now_{world_now}, subject_{subject} {}

  [[nodiscard]] bool enabled(LogLevel level) const noexcept override {
    return level <= LogLevel::info || trace_.verbose();
  }
  void handle(const LogRecord& record) noexcept override;

 private:
  Trace& trace_;
  const Instant& world_now_;
  std::uint64_t subject_;
};

}  // namespace ethnet::sim
