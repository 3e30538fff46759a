#include "trace_log.hpp"

#include <string>

#include <fmt/format.h>

namespace ethnet::sim {

void TraceLog::handle(const LogRecord& record) noexcept {
  std::string text{record.message};
  for (const LogField& field : record.fields) {
    text += fmt::format(" {}=", field.key);
    std::visit([&text](const auto& value) { text += fmt::format("{}", value); }, field.value);
  }
  if (record.level <= LogLevel::info) {
    trace_.record(world_now_, "log", subject_, text);
  } else {
    trace_.comment(world_now_, subject_, text);
  }
}

}  // namespace ethnet::sim
