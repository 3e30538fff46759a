// What is wrong with a node's place in the network, and what to do about it: a pure function of
// what EthScope tells (proto/ethscope.proto).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ethnet::app {

enum class Finding : std::uint8_t { good, note, bad };

// One thing looked at.
struct Check {
  std::string name;  // "reachable"
  Finding finding = Finding::good;
  std::string what;    // one sentence
  std::string advice;  // what to do; empty where nothing is to be done
};

// Of what `ethnet scope summary|peers|refusals --json` print.
[[nodiscard]] std::vector<Check> examine(std::string_view summary, std::string_view peers,
                                         std::string_view refusals);

}  // namespace ethnet::app
