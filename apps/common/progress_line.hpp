// How far something long is, a sync or an import: on a terminal one line that is drawn over and
// over, elsewhere a line for each quarter.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <runtime/console.hpp>

namespace ethnet::app {

// "sync [######........]  42% 252/600 headers", at most `width` columns; the bar takes what is
// left.
[[nodiscard]] std::string progress_text(const std::string& what, std::uint64_t part,
                                        std::uint64_t whole, const std::string& unit,
                                        std::size_t width);

class ProgressLine {
 public:
  // `unit`: what is counted, "headers".
  ProgressLine(runtime::Console& console, bool enabled, std::string unit)
      : console_{console}, enabled_{enabled}, unit_{std::move(unit)} {}

  void show(const std::string& what, std::uint64_t part, std::uint64_t whole, bool done);

 private:
  runtime::Console& console_;
  bool enabled_;
  std::string unit_;
  std::uint64_t next_percent_ = 0;  // of the next line that is not drawn over
};

}  // namespace ethnet::app
