#include "block_producer.hpp"

#include <algorithm>
#include <utility>

#include <chain/producer.hpp>
#include <chain/validation.hpp>
#include <fmt/format.h>
#include <types/hash_of.hpp>

namespace ethnet::node {
namespace {

constexpr std::uint64_t kBlocksBetweenForks = 4;
constexpr std::uint64_t kDeepestFork = 3;

}  // namespace

BlockProducer::BlockProducer(const ProducerConfig& config, std::string tag, Prng prng,
                             Instant start)
    : config_{config},
      tag_{std::move(tag)},
      prng_{prng},
      at_{config.enabled ? start + config.period : Instant::never()} {
  CHECK(config.period >= seconds(1));
}

void BlockProducer::stop() {
  at_ = Instant::never();
  behind_ = {};
}

std::vector<chain::HeaderInput> BlockProducer::seal(Now now, const chain::ChainManager& chain,
                                                    const crypto::SecretKey& key) {
  behind_ = {};
  if (at_ > now.mono) return {};
  at_ = now.mono + config_.period;
  const Hash32 tip = side_tip_.value_or(chain.pending_head().hash);
  const auto parent = chain.pending_header(tip);
  if (!parent) {  // a second branch that the chain has released
    side_tip_.reset();
    return {};
  }
  const UnixTime earliest = UnixTime::from_seconds(parent->timestamp + 1);
  if (earliest > now.wall + chain::kMaxFuture) {
    behind_ = earliest - now.wall;
    ++ahead_of_clock_;
    return {};
  }
  ++turns_;
  side_tip_.reset();
  std::vector<chain::HeaderInput> batch;
  if (config_.forks && turns_ % kBlocksBetweenForks == 0) {
    batch = seal_side_branch(chain, key);
  } else {
    batch.push_back(chain::seal_signed(chain.config(), *parent, now.wall.whole_seconds(), key,
                                       fmt::format("{} {}", tag_, turns_)));
  }
  headers_ += batch.size();
  return batch;
}

// As high as the head, from a few blocks below it.
std::vector<chain::HeaderInput> BlockProducer::seal_side_branch(const chain::ChainManager& chain,
                                                                const crypto::SecretKey& key) {
  const chain::BlockRef head = chain.pending_head();
  const auto& tree = chain.tree();
  const std::uint64_t depth =
      std::min<std::uint64_t>(1 + prng_.below(kDeepestFork), head.number - tree.root_number());
  if (depth == 0) return {};
  const auto fork = tree.ancestor(*tree.find(head.hash), head.number - depth);
  auto parent = chain.pending_header(tree.node(fork).hash);
  std::vector<chain::HeaderInput> batch;
  for (std::uint64_t i = 0; i < depth && parent; ++i) {
    batch.push_back(chain::seal_signed(chain.config(), *parent, parent->timestamp + 1, key,
                                       fmt::format("{} fork {}.{}", tag_, turns_, i)));
    auto sealed = Header::decode(batch.back().header);
    CHECK(sealed.has_value());
    parent = std::move(*sealed);
  }
  side_tip_ = hash_of(batch.back().header);
  return batch;
}

}  // namespace ethnet::node
