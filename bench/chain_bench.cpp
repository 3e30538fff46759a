// Headers a second through ChainManager::import_headers, encoded as they come from a peer: decoded,
// hashed, judged, stored, acknowledged. One header in a hundred begins a fork.
#include <algorithm>
#include <memory>
#include <span>

#include <benchmark/benchmark.h>
#include <chain/chain_manager.hpp>
#include <chain/fork_choice/longest.hpp>
#include <chain/producer.hpp>

namespace ethnet::chain {
namespace {

constexpr std::size_t kHeaders = 40'000;
constexpr std::size_t kBatch = 192;
constexpr std::size_t kForkEvery = 100;

const std::vector<HeaderInput>& headers() {
  static const std::vector<HeaderInput> made = [] {
    const Genesis genesis = dev_genesis();
    std::vector<HeaderInput> out;
    Header parent = genesis.header;
    for (std::size_t i = 0; out.size() < kHeaders; ++i) {
      const Header next = seal_header(genesis.config, parent, parent.timestamp + 12, {}, "main");
      out.push_back({next.encode(), {}});
      if (i % kForkEvery == 0) {
        const Header fork = seal_header(genesis.config, parent, parent.timestamp + 12, {}, "fork");
        out.push_back({fork.encode(), {}});
      }
      parent = next;
    }
    return out;
  }();
  return made;
}

void import_all(benchmark::State& state, std::uint64_t memory) {
  const Genesis genesis = dev_genesis();
  const Now now{{1}, UnixTime::from_seconds(1'800'000'000)};
  const std::span<const HeaderInput> all{headers()};
  for (auto _ : state) {
    ChainManager manager{
        genesis, std::make_unique<LongestChain>(), {.memory_bytes = memory, .retention = {}}, 7};
    manager.finish_restore();
    for (std::size_t at = 0; at < all.size(); at += kBatch) {
      const auto batch = all.subspan(at, std::min(kBatch, all.size() - at));
      (void)manager.import_headers(now, batch, {"bench", "file"});
      while (const auto op = manager.poll_store()) {
        manager.handle_store_done(now, {op->id, true, 0});
      }
      while (manager.poll_event()) {
      }
    }
    benchmark::DoNotOptimize(manager.head());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(all.size()));
}

void import_in_memory(benchmark::State& state) { import_all(state, std::uint64_t{1} << 30); }
BENCHMARK(import_in_memory)->Unit(benchmark::kMillisecond);

// Every header pushes an older one out.
void import_at_the_memory_limit(benchmark::State& state) {
  import_all(state, std::uint64_t{2} << 20);
}
BENCHMARK(import_at_the_memory_limit)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ethnet::chain
