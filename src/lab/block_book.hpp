// BlockBook: the blocks of a scenario as real headers, and their names.
// Threading: a value after it is made.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <chain/header_input.hpp>
#include <types/genesis.hpp>

#include "scenario.hpp"

namespace ethnet::lab {

struct LabBlock {
  BlockSpec spec;
  std::uint64_t number = 0;
  Hash32 hash;
  chain::HeaderInput input;
};

class BlockBook {
 public:
  // The blocks of every step, built on one another (chain::seal_header on chain::lab_genesis).
  explicit BlockBook(const Scenario& scenario);

  [[nodiscard]] const Genesis& genesis() const { return genesis_; }
  // Genesis first, then as they stand in the scenario.
  [[nodiscard]] const std::vector<LabBlock>& blocks() const { return blocks_; }
  // CHECK, both: it is one of these blocks.
  [[nodiscard]] const LabBlock& block(const std::string& name) const;
  [[nodiscard]] const std::string& name_of(const Hash32& hash) const;

 private:
  Genesis genesis_;
  std::vector<LabBlock> blocks_;
  std::map<std::string, std::size_t> by_name_;
  std::map<Hash32, std::size_t> by_hash_;
};

}  // namespace ethnet::lab
