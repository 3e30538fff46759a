// When a producing node seals, and on what: every period one header on its head; with forks, now
// and then a second branch that first ties with the canonical one and then wins, so that everybody
// reorganises. A head that is ahead of our clock (the clock was set back) is not built upon before
// its time comes: nobody would take the child, and each period would make another. One thread.
#pragma once

#include <optional>
#include <vector>

#include <base/prng.hpp>
#include <chain/chain_manager.hpp>
#include <crypto/secp256k1.hpp>

#include "config.hpp"

namespace ethnet::node {

class BlockProducer {
 public:
  // Begins at `start` when the configuration says so.
  BlockProducer(const ProducerConfig& config, std::string tag, Prng prng, Instant start);

  // What to import now, in order; empty when it is not time.
  [[nodiscard]] std::vector<chain::HeaderInput> seal(Now now, const chain::ChainManager& chain,
                                                     const crypto::SecretKey& key);
  // The first header comes a period from now.
  void start(Now now) { at_ = now.mono + config_.period; }
  void stop();
  [[nodiscard]] Instant next_deadline() const { return at_; }

  // How far the head was ahead of our clock when the last seal() was due; 0: it was not.
  [[nodiscard]] Duration behind() const { return behind_; }
  [[nodiscard]] std::uint64_t sealed() const { return headers_; }
  // Seals that were left out for it.
  [[nodiscard]] std::uint64_t ahead_of_clock() const { return ahead_of_clock_; }

 private:
  [[nodiscard]] std::vector<chain::HeaderInput> seal_side_branch(const chain::ChainManager& chain,
                                                                 const crypto::SecretKey& key);

  ProducerConfig config_;
  std::string tag_;
  Prng prng_;
  Instant at_;
  std::uint64_t turns_ = 0;  // seals that were due
  std::uint64_t headers_ = 0;
  std::uint64_t ahead_of_clock_ = 0;
  Duration behind_;
  std::optional<Hash32> side_tip_;  // ties with the head; the next block goes on top of it
};

}  // namespace ethnet::node
