// Internal to types: values of a genesis file, read by hand with the path of what is wrong.
// Included by genesis*.cpp only, since it brings in the JSON library.
#pragma once

#include <string>
#include <string_view>

#include <base/result.hpp>
#include <nlohmann/json.hpp>

#include "address.hpp"
#include "chain_config.hpp"
#include "genesis.hpp"
#include "uint256.hpp"

namespace ethnet::genesis_json {

using nlohmann::json;
template <class T>
using Read = std::expected<T, GenesisFault>;

[[nodiscard]] inline std::unexpected<GenesisFault> fault(std::string path, std::string reason) {
  return std::unexpected{GenesisFault{std::move(path), std::move(reason)}};
}
[[nodiscard]] inline std::string join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

// Containers inside each other. An account's storage lies four deep; other tools' fields are
// ignored, but must be read over.
inline constexpr std::size_t kMaxGenesisDepth = 64;

// The file as a tree of values. Stricter and more exact than the library's own reader: a key given
// twice is a fault, and a number that no 64-bit integer holds is kept as its text.
[[nodiscard]] Read<json> parse_document(std::string_view text);

// The member under `key`; nullptr where it is absent or null.
[[nodiscard]] const json* member(const json& object, const std::string& key);
[[nodiscard]] Read<void> need_object(const json& value, const std::string& path);

// A number, "0x…" or decimal text.
[[nodiscard]] Read<Uint256> read_uint256(const json& value, const std::string& path);
[[nodiscard]] Read<std::uint64_t> read_u64(const json& value, const std::string& path);
[[nodiscard]] Read<Bytes> read_bytes(const json& value, const std::string& path);
// Hex text of exactly out.size() bytes.
[[nodiscard]] Read<void> read_fixed(const json& value, const std::string& path, MutByteView out);
// Hex text of at most 32 bytes, as a 256-bit number.
[[nodiscard]] Read<Uint256> read_word(const std::string& text, const std::string& path);

// config: chain id, forks, blob schedule.
[[nodiscard]] Read<ChainConfig> read_config(const json& config);
// alloc: the state root of its accounts, and how many there are.
struct State {
  Hash32 root;
  std::size_t accounts = 0;
};
[[nodiscard]] Read<State> read_alloc(const json& alloc);

}  // namespace ethnet::genesis_json
