// When a producing node seals, and on what: every period one header on its head; with forks, now
// and then a second branch that first ties with the canonical one and then wins, so that everybody
// reorganises. One thread.
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
  BlockProducer(const ProducerConfig& config, std::string tag, Prng prng, Instant start);

  // What to import now, in order; empty when it is not time.
  [[nodiscard]] std::vector<chain::HeaderInput> seal(Now now, const chain::ChainManager& chain,
                                                     const crypto::SecretKey& key);
  void stop() { at_ = Instant::never(); }
  [[nodiscard]] Instant next_deadline() const { return at_; }

 private:
  [[nodiscard]] std::vector<chain::HeaderInput> seal_side_branch(const chain::ChainManager& chain,
                                                                 const crypto::SecretKey& key);

  ProducerConfig config_;
  std::string tag_;
  Prng prng_;
  Instant at_;
  std::uint64_t sealed_ = 0;
  std::optional<Hash32> side_tip_;  // ties with the head; the next block goes on top of it
};

}  // namespace ethnet::node
