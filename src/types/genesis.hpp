// Reads a genesis file in go-ethereum's format: the chain's configuration, and the genesis header
// and hash that follow from its fields and its accounts.
// https://geth.ethereum.org/docs/fundamentals/private-network (genesis.json)
//
// Numbers may be JSON numbers of any size, "0x…" or decimal text, as go-ethereum takes them.
// Unknown fields are ignored, with one exception: a fork that this program does not know (any
// "…Block" or "…Time" in config) is a fault, since its fork id and its headers would be wrong. A
// key given twice is a fault too: which of the two counts differs between programs. Threading: a
// pure function. Limits: kMaxGenesisBytes; a local file, never a peer's.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "chain_config.hpp"
#include "header.hpp"

namespace ethnet {

inline constexpr std::size_t kMaxGenesisBytes = 64 * 1024 * 1024;  // a local file, read whole

struct Genesis {
  ChainConfig config;
  Header header;
  Hash32 hash;
  std::size_t accounts = 0;

  [[nodiscard]] ForkSchedule fork_schedule() const {
    return config.fork_schedule(hash, header.timestamp);
  }
};

// What is wrong, and where: path "config.blobSchedule.cancun.max", reason "expected a number".
struct GenesisFault {
  std::string path;  // empty: the file as a whole
  std::string reason;
  [[nodiscard]] std::string message() const {
    return path.empty() ? "genesis: " + reason : "genesis: " + path + ": " + reason;
  }
  friend bool operator==(const GenesisFault&, const GenesisFault&) = default;
};

[[nodiscard]] std::expected<Genesis, GenesisFault> read_genesis(std::string_view json_text);

}  // namespace ethnet
