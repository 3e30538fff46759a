// Hashes by number, for tests that need many different ones.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>
#include <types/hash.hpp>

namespace ethnet::chain {

inline Hash32 hash_of_number(std::uint32_t n) {
  Hash32 hash;
  store_be(MutByteView{hash.bytes}.first(4), n);
  return hash;
}

}  // namespace ethnet::chain
