// A header as it comes to the chain: canonical RLP and, where its producer signed, 65 bytes
// r‖s‖v over the header hash (else empty). Whoever gives a signature to the chain has judged it
// (mini-sync does so in a job) or made it: what the chain holds is passed on.
#pragma once

#include <optional>

#include <base/bytes.hpp>
#include <types/hash.hpp>

namespace ethnet::chain {

struct HeaderInput {
  Bytes header;
  Bytes signature;
  std::optional<Hash32> hash = std::nullopt;  // Keccak-256 of `header`, from who has computed it
  friend bool operator==(const HeaderInput&, const HeaderInput&) = default;
};

}  // namespace ethnet::chain
