// Values with units: durations, shares of a hundred, bandwidths. Threading: pure functions.
#pragma once

#include <base/instant.hpp>
#include <lab/yaml_values.hpp>

namespace ethnet::sim_file {

// "250ms", "20s", "3m", "1h"; whole numbers. Error: bad_number.
[[nodiscard]] lab::Read<Duration> read_duration(const lab::YamlNode& node, Duration least,
                                                Duration most);
// "1%", "0.25%" to four digits behind the point, as millionths. Error: bad_number.
[[nodiscard]] lab::Read<std::uint64_t> read_share(const lab::YamlNode& node);
// "64kbit", "10Mbit", "1Gbit" a second. Error: bad_number.
[[nodiscard]] lab::Read<std::uint64_t> read_bandwidth(const lab::YamlNode& node);
// In the greatest unit that is exact: "90s", "2m".
[[nodiscard]] std::string duration_text(Duration duration);

}  // namespace ethnet::sim_file
