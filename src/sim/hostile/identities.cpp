#include "identities.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <types/node_id.hpp>

#include "../seeded_secure_rng.hpp"

namespace ethnet::sim {
namespace {

constexpr std::uint64_t kRow = 32;  // which row of keys: any number would do
constexpr unsigned kIdBits = 256;

crypto::SecretKey first_of_row() {
  SeededSecureRng rng{Prng{kRow}};
  return crypto::SecretKey::generate(rng);
}

// So many steps along the row. A step is a 1 in each word of a key and not 1 alone, so that no two
// keys share a word: who hashes one of them by a word of it (interpose/memo.hpp) may take it for
// random, as he does with all other keys.
crypto::SecretKey steps(std::uint32_t value) {
  ByteArray<crypto::kSecretKeySize> bytes{};
  for (std::size_t word = 0; word < bytes.size(); word += 8) {
    store_be<std::uint64_t>(MutByteView{bytes}.subspan(word, 8), value);
  }
  return crypto::SecretKey::from_bytes(bytes).value();
}

// Of all ids that share with `from` the bits above the one of this distance, and not that one: the
// least, or (with `rest` all ones) the greatest.
NodeId bound(const NodeId& from, unsigned distance, std::byte rest) {
  NodeId out = from;
  const std::size_t octet = (kIdBits - distance) / 8;
  const unsigned bit = (distance - 1) % 8;
  const auto below = static_cast<std::byte>((1U << bit) - 1);
  std::byte& turned = out.bytes.at(octet);
  turned = ((turned ^ static_cast<std::byte>(1U << bit)) & ~below) | (rest & below);
  for (std::size_t i = octet + 1; i < out.bytes.size(); ++i) out.bytes[i] = rest;
  return out;
}

}  // namespace

Identities::Identities(std::size_t count) : first_{first_of_row()} {
  CHECK(count > 0 && count <= UINT32_MAX);
  of_rank_.reserve(count);
  const crypto::PublicKey step = steps(1).public_key();
  crypto::PublicKey key = first_.public_key();
  for (std::size_t place = 0; place < count; ++place) {
    if (place > 0) key = crypto::sum(key, step).value();
    of_rank_.push_back({.id = make_node_id(key), .place = static_cast<std::uint32_t>(place)});
  }
  std::ranges::sort(of_rank_, {}, &Identity::id);
}

crypto::SecretKey Identities::key(std::size_t rank) const {
  const std::uint32_t place = of_rank_.at(rank).place;
  auto key = place == 0 ? crypto::SecretKey::from_bytes(first_.reveal())
                        : crypto::sum(first_, steps(place));
  return std::move(key).value();
}

Identities::Range Identities::at_distance(const NodeId& from, unsigned distance) const {
  if (distance > kIdBits) return {};
  const bool itself = distance == 0;
  const NodeId least = itself ? from : bound(from, distance, std::byte{0});
  const NodeId greatest = itself ? from : bound(from, distance, std::byte{0xff});
  const auto first = std::ranges::lower_bound(of_rank_, least, {}, &Identity::id);
  const auto last = std::ranges::upper_bound(of_rank_, greatest, {}, &Identity::id);
  return {.first = static_cast<std::size_t>(first - of_rank_.begin()),
          .last = static_cast<std::size_t>(last - of_rank_.begin())};
}

// One for the process, though nothing else here is: to make them anew for each of a thousand seeds
// would take longer than some seeds do. It is a constant: it follows from no input, nobody can
// change it, and it is made once whichever thread asks first.
const Identities& siege_identities() {
  static const Identities all{kSiegeIdentities};
  return all;
}

}  // namespace ethnet::sim
