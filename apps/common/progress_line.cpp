#include "progress_line.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ethnet::app {
namespace {

constexpr std::size_t kWidestBar = 40;
constexpr std::size_t kNarrowestBar = 5;
constexpr std::size_t kPlainWidth = 80;  // where there is no terminal

std::uint64_t percent_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 100 : std::min<std::uint64_t>(part, whole) * 100 / whole;
}

}  // namespace

std::string progress_text(const std::string& what, std::uint64_t part, std::uint64_t whole,
                          const std::string& unit, std::size_t width) {
  const std::uint64_t percent = percent_of(part, whole);
  const std::string count = fmt::format("{:3}% {}/{} {}", percent, part, whole, unit);
  const std::size_t taken = what.size() + count.size() + 4;  // blanks and brackets
  if (width < taken + kNarrowestBar) return fmt::format("{} {}", what, count).substr(0, width);
  const std::size_t bar = std::min(kWidestBar, width - taken);
  const std::size_t filled = bar * static_cast<std::size_t>(percent) / 100;
  return fmt::format("{} [{}{}] {}", what, std::string(filled, '#'), std::string(bar - filled, '.'),
                     count);
}

void ProgressLine::show(const std::string& what, std::uint64_t part, std::uint64_t whole,
                        bool done) {
  if (!enabled_) return;
  if (console_.is_terminal() && !done) {
    console_.status(progress_text(what, part, whole, unit_, console_.width() - 1));
    return;
  }
  const std::uint64_t percent = percent_of(part, whole);
  if (!done && percent < next_percent_) return;
  next_percent_ = done ? 0 : (percent / 25 + 1) * 25;
  console_.clear_status();
  const std::size_t width = console_.is_terminal() ? console_.width() : kPlainWidth;
  console_.line(progress_text(what, part, whole, unit_, width - 5) + (done ? " done" : ""));
}

}  // namespace ethnet::app
