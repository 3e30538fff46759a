// Which chunks are sampled: k distinct indices, every set of k equally likely. They come from a
// SecureRng, since a publisher that can predict them publishes exactly those. Where they come from
// is a parameter, so that a test can say what is drawn. Used from one thread. Limits: the caller's.
#pragma once

#include <cstdint>
#include <vector>

#include <base/secure_rng.hpp>

namespace ethnet::das {

class IndexSource {
 public:
  IndexSource() = default;
  IndexSource(const IndexSource&) = delete;
  IndexSource& operator=(const IndexSource&) = delete;
  virtual ~IndexSource() = default;

  // Uniform in [0, bound). bound > 0.
  [[nodiscard]] virtual std::uint32_t below(std::uint32_t bound) noexcept = 0;
};

class SecureIndexSource final : public IndexSource {
 public:
  explicit SecureIndexSource(SecureRng& rng) : rng_{rng} {}
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) noexcept override;

 private:
  SecureRng& rng_;
};

// min(k, total) distinct indices below `total`, in the order drawn; that many draws, whatever comes
// (Floyd's method). CHECK: what the source gives is below its bound.
[[nodiscard]] std::vector<std::uint32_t> draw_indices(IndexSource& source, std::uint32_t total,
                                                      std::uint32_t k);

}  // namespace ethnet::das
