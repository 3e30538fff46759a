#include "quantity.hpp"

#include <array>

#include <base/decimal.hpp>
#include <base/result.hpp>
#include <fmt/format.h>

namespace ethnet::sim_file {
namespace {

using lab::ScenarioError;
using lab::YamlNode;

struct Unit {
  std::string_view name;
  std::uint64_t worth = 1;
};
constexpr std::array kTimes{Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000},
                            Unit{"s", 1'000'000'000}, Unit{"ms", 1'000'000}, Unit{"us", 1'000}};
constexpr std::array kBandwidths{Unit{"Gbit", 1'000'000'000}, Unit{"Mbit", 1'000'000},
                                 Unit{"kbit", 1'000}};
constexpr std::uint64_t kLeastBandwidth = 8'000;
constexpr std::uint64_t kGreatestBandwidth = 100'000'000'000;
constexpr std::size_t kShareDigits = 4;  // behind the point: millionths

// Nothing when it is no number with one of the units, or no 63 bits hold it.
template <std::size_t N>
std::optional<std::uint64_t> parse(const YamlNode& node, const std::array<Unit, N>& units) {
  if (node.kind != YamlNode::Kind::text) return std::nullopt;
  const std::size_t end = std::min(node.text.find_first_not_of("0123456789"), node.text.size());
  const auto value = parse_decimal(std::string_view{node.text}.substr(0, end));
  const std::string_view unit = std::string_view{node.text}.substr(end);
  for (const Unit& one : units) {
    if (unit != one.name) continue;
    if (!value || *value > static_cast<std::uint64_t>(INT64_MAX) / one.worth) return std::nullopt;
    return *value * one.worth;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_share(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits{text.substr(0, point)};
  std::string behind{text.substr(std::min(point + 1, text.size()))};
  if (behind.size() > kShareDigits || digits.empty()) return std::nullopt;
  if (point < text.size() && behind.empty()) return std::nullopt;
  behind.resize(kShareDigits, '0');
  return parse_decimal(digits + behind);
}

}  // namespace

lab::Read<Duration> read_duration(const YamlNode& node, Duration least, Duration most) {
  const auto ns = parse(node, kTimes);
  if (ns) {
    const Duration value = nanoseconds(static_cast<std::int64_t>(*ns));
    if (value >= least && value <= most) return value;
  }
  return lab::wrong(ScenarioError::bad_number, node.place,
                    fmt::format("expected a duration from {} to {} (250ms, 20s, 3m), found {}",
                                duration_text(least), duration_text(most), lab::found(node)));
}

lab::Read<std::uint64_t> read_share(const YamlNode& node) {
  constexpr std::uint64_t kWhole = 1'000'000;
  const auto ppm =
      node.kind == YamlNode::Kind::text ? parse_share(node.text) : std::optional<std::uint64_t>{};
  if (ppm && *ppm <= kWhole) return *ppm;
  return lab::wrong(
      ScenarioError::bad_number, node.place,
      fmt::format("expected a share from 0% to 100% (1%, 0.25%), found {}", lab::found(node)));
}

lab::Read<std::uint64_t> read_bandwidth(const YamlNode& node) {
  const auto bits = parse(node, kBandwidths);
  if (bits && *bits >= kLeastBandwidth && *bits <= kGreatestBandwidth) return *bits;
  return lab::wrong(ScenarioError::bad_number, node.place,
                    fmt::format("expected a bandwidth from 8kbit to 100Gbit (64kbit, 10Mbit), "
                                "found {}",
                                lab::found(node)));
}

std::string duration_text(Duration duration) {
  const auto ns = static_cast<std::uint64_t>(duration.ns);
  if (ns == 0) return "0s";
  for (const Unit& unit : kTimes) {
    if (ns % unit.worth == 0) return fmt::format("{}{}", ns / unit.worth, unit.name);
  }
  return fmt::format("{}ns", ns);
}

}  // namespace ethnet::sim_file
