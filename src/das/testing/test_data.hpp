// Data for tests: bytes that differ at every place, and a source of indices that says what is
// drawn.
#pragma once

#include <deque>
#include <initializer_list>

#include <base/check.hpp>
#include <base/prng.hpp>

#include "../dataset.hpp"
#include "../sampler.hpp"

namespace ethnet::das::testing {

inline Bytes test_bytes(std::size_t size, std::uint64_t seed = 1) {
  Prng prng{seed};
  Bytes out(size);
  for (std::byte& b : out) b = static_cast<std::byte>(prng.below(256));
  return out;
}

inline DataSet test_data(std::uint32_t chunks, std::uint32_t chunk_size, std::uint64_t seed = 1) {
  return DataSet::make(test_bytes(std::size_t{chunks} * chunk_size, seed), chunk_size).value();
}

inline VerifiedChunk chunk_of(const DataSet& data, std::uint32_t index) {
  return verify_chunk(data.key(), index, to_bytes(data.chunk(index)), data.proof(index)).value();
}

// Draws what it was told, then nothing more.
class ScriptedSource final : public IndexSource {
 public:
  ScriptedSource(std::initializer_list<std::uint32_t> draws) : draws_{draws} {}
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) noexcept override {
    CHECK(!draws_.empty() && draws_.front() < bound);
    const std::uint32_t drawn = draws_.front();
    draws_.pop_front();
    return drawn;
  }

 private:
  std::deque<std::uint32_t> draws_;
};

}  // namespace ethnet::das::testing
