// What everybody knows of the public networks: where each begins, when it forks, and whom to ask
// first. Facts, each with its source in networks.cpp.
// Threading: constants. Limits: local, fixed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fork_id.hpp"
#include "hash.hpp"

namespace ethnet {

struct Network {
  std::string_view name;  // "mainnet"
  std::uint64_t chain_id = 0;
  std::string_view genesis_hash_text;  // "0x…"
  std::uint64_t genesis_time = 0;
  std::span<const std::uint64_t> fork_blocks;  // ascending; those that changed a rule
  std::span<const std::uint64_t> fork_times;
  std::span<const std::string_view> boot_nodes;  // records ("enr:…") and enode URLs
  // Records. discv5 is one network for all chains; these are of no use to discv4.
  std::span<const std::string_view> discv5_boot_nodes;
  std::string_view dns_tree;  // enrtree URL of all its nodes

  [[nodiscard]] Hash32 genesis_hash() const;
  [[nodiscard]] ForkSchedule fork_schedule() const;
};

// mainnet, sepolia, hoodi.
[[nodiscard]] std::span<const Network> networks();
// Null where no network has this name.
[[nodiscard]] const Network* find_network(std::string_view name);

}  // namespace ethnet
