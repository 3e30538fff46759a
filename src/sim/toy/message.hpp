// Messages of the toy machines: fixed words of 64 bits and a checksum, since the simulated network
// flips bits and toys have no encryption.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <base/bytes.hpp>

namespace ethnet::sim::toy {

inline constexpr std::size_t kMaxWords = 128;  // words in a message of the toys

// At most kMaxWords words.
[[nodiscard]] Bytes encode_message(const std::vector<std::uint64_t>& words);
// Nothing when the size or the checksum is wrong.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> decode_message(ByteView bytes);

}  // namespace ethnet::sim::toy
