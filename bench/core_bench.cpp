// The core's rows of docs/PERFORMANCE.md that have no peer: `./dev bench core [--dir PATH]` prints
// them as Markdown, each beside what this machine could do at most, measured in the same run.
// Work in memory is timed by the CPU time of this thread, so that a busy machine changes little;
// the disk is timed by the clock. Takes about a minute, half of it for the million headers.
#include <algorithm>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <chain/chain_manager.hpp>
#include <chain/fork_choice/longest.hpp>
#include <chain/producer.hpp>
#include <crypto/keccak.hpp>
#include <crypto/secp256k1.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <store/posix_file_system.hpp>
#include <store/segment_store.hpp>
#include <types/header_view.hpp>
#include <unistd.h>

#include "support/paired.hpp"
#include "support/probes.hpp"

namespace ethnet::bench {
namespace {

using chain::ChainManager;
using chain::HeaderInput;
using chain::HeaderTree;
using chain::NodeIndex;

const char* met(bool yes) { return yes ? "met" : "missed"; }

// What is done, how long it took (or how many a second), the limit of this machine, the goal.
void row(const std::string& what, const std::string& figure, const std::string& limit,
         const std::string& goal, const std::string& verdict) {
  fmt::print("| {} | {} | {} | {} | {} |\n", what, figure, limit, goal, verdict);
  std::fflush(stdout);
}

// Best of many short runs, CPU time: nanoseconds an item.
template <class Work>
double best_ns(std::size_t items, Work work) {
  double best = 1e18;
  for (int round = 0; round < 400; ++round) {
    const std::uint64_t start = cpu_ns();
    work();
    best = std::min(best, static_cast<double>(cpu_ns() - start) / static_cast<double>(items));
  }
  return best;
}

Header sample_header() {
  Header header = chain::dev_genesis().header;
  header.number = 19'000'000;
  header.gas_used = 12'345'678;
  header.timestamp = 1'700'000'000;
  header.extra_data = Bytes(32, std::byte{7});
  header.logs_bloom.fill(std::byte{0x5a});
  return header;
}

void bench_headers(const Probes& probes) {
  constexpr std::size_t kBatch = 192;
  const Bytes encoded = sample_header().encode();
  const std::size_t blocks = encoded.size() / crypto::kKeccakRate + 1;
  const std::vector<ByteView> many(kBatch, ByteView{encoded});
  std::vector<crypto::Digest32> hashes(kBatch);
  const double decode = best_ns(kBatch, [&] {
    for (const ByteView one : many) {
      auto view = HeaderView::decode(one);
      benchmark::DoNotOptimize(view);
    }
  });
  row(fmt::format("header of {} bytes: decode without a copy", encoded.size()),
      fmt::format("{:.0f} ns", decode), "", "100 ns", met(decode <= 100));
  const double copied = best_ns(kBatch, [&] {
    for (const ByteView one : many) {
      auto header = Header::decode(one);
      benchmark::DoNotOptimize(header);
    }
  });
  row("the same, every field copied", fmt::format("{:.0f} ns", copied), "", "", "");
  const double single = best_ns(kBatch, [&] {
    for (const ByteView one : many) {
      auto view = HeaderView::decode(one);
      auto hash = crypto::keccak256(one);
      benchmark::DoNotOptimize(view);
      benchmark::DoNotOptimize(hash);
    }
  });
  const double one_limit = probes.permutation_ns * static_cast<double>(blocks);
  row("header: decode and hash, one by one", fmt::format("{:.2f} M/s", 1e3 / single),
      fmt::format("{:.2f} M/s: {} permutations", 1e3 / one_limit, blocks), "0.7 M/s",
      met(single <= 1e3 / 0.7));
  const double batch = best_ns(kBatch, [&] {
    for (const ByteView one : many) {
      auto view = HeaderView::decode(one);
      benchmark::DoNotOptimize(view);
    }
    crypto::keccak256_many(many, hashes);
    benchmark::ClobberMemory();
  });
  const double batch_limit = probes.lane_permutation_ns * static_cast<double>(blocks);
  row("header: decode and hash, batches of 192", fmt::format("{:.2f} M/s", 1e3 / batch),
      fmt::format("{:.2f} M/s: {} permutations on lanes", 1e3 / batch_limit, blocks),
      crypto::cpu_features().avx512 ? "3 M/s" : "", met(batch <= 1e3 / 3.0));
}

// A chain in pieces, so that only the tree is in memory; one header in a hundred begins a branch.
class Generator {
 public:
  explicit Generator(std::size_t fork_every) : fork_every_{fork_every} {}
  std::vector<HeaderInput> next(std::size_t count) {
    std::vector<HeaderInput> out;
    while (out.size() < count) {
      const Header block = make("main");
      out.push_back({block.encode(), {}});
      if (fork_every_ != 0 && block.number % fork_every_ == 0) {
        out.push_back({make("fork").encode(), {}});
      }
      parent_ = block;
    }
    return out;
  }
  void fork_every(std::size_t headers) { fork_every_ = headers; }
  [[nodiscard]] const Genesis& genesis() const { return genesis_; }

 private:
  Header make(const char* tag) const {
    return chain::seal_header(genesis_.config, parent_, parent_.timestamp + 12, {}, tag);
  }
  std::size_t fork_every_;
  Genesis genesis_ = chain::dev_genesis();
  Header parent_ = genesis_.header;
};

constexpr Now kNow{{1}, UnixTime::from_seconds(4'000'000'000)};

constexpr std::size_t kImportBatch = 192;

// CPU nanoseconds for all of them, in batches as a download gives them.
std::uint64_t import_all(ChainManager& manager, std::span<const HeaderInput> all) {
  const std::uint64_t start = cpu_ns();
  for (std::size_t at = 0; at < all.size(); at += kImportBatch) {
    const auto outcome =
        manager.import_headers(kNow, all.subspan(at, std::min(kImportBatch, all.size() - at)),
                               {"bench", "file", NodeId{}});
    CHECK(!outcome.invalid && outcome.refused == 0 && outcome.waiting == 0);
    while (const auto op = manager.poll_store()) {
      manager.handle_store_done(kNow, {op->id, true, 0});
    }
    while (manager.poll_event()) {
    }
  }
  return cpu_ns() - start;
}

std::unique_ptr<ChainManager> manager_for(const Genesis& genesis) {
  auto manager = std::make_unique<ChainManager>(
      genesis, std::make_unique<chain::LongestChain>(),
      chain::ChainLimits{.memory_bytes = std::uint64_t{8} << 30, .retention = {}}, 7);
  manager->finish_restore();
  return manager;
}

std::uint64_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void bench_import(const Probes& probes) {
  constexpr std::size_t kHeaders = 1'000'000;
  constexpr std::size_t kPiece = 20'000;
  Generator generator{100};
  const auto manager = manager_for(generator.genesis());
  const std::uint64_t before = resident_bytes();
  std::uint64_t taken = 0;
  std::size_t bytes = 0;
  for (std::size_t n = 0; n < kHeaders; n += kPiece) {
    const auto piece = generator.next(kPiece);
    bytes = piece.front().header.size();
    taken += import_all(*manager, piece);
  }
  const HeaderTree& tree = manager->tree();
  const double ns = static_cast<double>(taken) / static_cast<double>(tree.size());
  const double blocks = static_cast<double>(bytes / crypto::kKeccakRate + 1);
  row(fmt::format("import of 1,000,000 headers of {} bytes, 1 % of them forks", bytes),
      fmt::format("{:.0f} k/s", 1e6 / ns),
      fmt::format("{:.0f} k/s: hashing alone", 1e6 / (blocks * probes.lane_permutation_ns)),
      "400 k/s", met(ns <= 2500));
  const auto size = static_cast<double>(tree.size());
  row("memory of each of them",
      fmt::format("{:.0f} bytes resident, {:.0f} counted",
                  static_cast<double>(resident_bytes() - before) / size,
                  static_cast<double>(tree.memory_bytes()) / size),
      fmt::format("{} bytes: its encoding", bytes), "", "");

  const NodeIndex head = *tree.find(manager->head().hash);
  struct Depth {
    std::uint64_t depth;
    double goal_ns;
  };
  for (const Depth d : {Depth{1, 100}, Depth{64, 100}, Depth{32'768, 1000}}) {
    // The fork nearest below that depth: an old leaf, and the head.
    const std::uint64_t number = manager->head().number - d.depth;
    NodeIndex side = tree.root();
    for (const NodeIndex leaf : tree.leaves()) {
      const std::uint64_t at = tree.node(leaf).number;
      if (leaf != head && at <= number && at > tree.node(side).number) side = leaf;
    }
    const NodeIndex trunk = tree.ancestor(head, tree.node(side).number + d.depth);
    const double each = best_ns(1000, [&] {
      for (int i = 0; i < 1000; ++i) {
        auto common = tree.common_ancestor(trunk, side);
        benchmark::DoNotOptimize(common);
      }
    });
    row(fmt::format("common ancestor, {} block{} deep", d.depth, d.depth == 1 ? "" : "s"),
        fmt::format("{:.0f} ns", each), "", fmt::format("{:.0f} ns", d.goal_ns),
        met(each <= d.goal_ns));
  }
}

// Headers that are imported again and again, onto the same tree: what they cost there.
struct ImportCase {
  Genesis genesis;
  std::vector<HeaderInput> before;
  std::vector<HeaderInput> more;
  std::vector<double> best;  // nanoseconds of each batch of `more`

  ImportCase(std::size_t fork_every_before, std::size_t fork_every) {
    constexpr std::size_t kHeaders = 20'000;
    Generator generator{fork_every_before};
    before = generator.next(kHeaders);
    generator.fork_every(fork_every);
    more = generator.next(kHeaders);
    genesis = generator.genesis();
  }
  void run() {
    const auto manager = manager_for(genesis);
    (void)import_all(*manager, before);
    const std::span<const HeaderInput> all{more};
    best.resize((all.size() + kImportBatch - 1) / kImportBatch, 1e18);
    for (std::size_t i = 0; i < best.size(); ++i) {
      const std::size_t at = i * kImportBatch;
      const auto batch = all.subspan(at, std::min(kImportBatch, all.size() - at));
      best[i] = std::min(best[i], static_cast<double>(import_all(*manager, batch)));
    }
  }
  [[nodiscard]] double each() const {
    double sum = 0;
    for (const double batch : best) sum += batch;
    return sum / static_cast<double>(more.size());
  }
};

// The same headers on a tree of one branch and on one of many: what a branch costs that is only
// there. Beside it what a header costs that begins one, which does not depend on how many there are
// either. Of each batch the best of the rounds, and the cases in turn: a busy machine says the
// same.
void bench_branches() {
  constexpr std::size_t kNoForks = 0;
  ImportCase trunk_few{kNoForks, kNoForks};
  ImportCase trunk_many{1, kNoForks};
  ImportCase forks_few{kNoForks, 2};
  ImportCase forks_many{1, 2};
  for (int round = 0; round < 12; ++round) {
    for (ImportCase* each : {&trunk_few, &trunk_many, &forks_few, &forks_many}) each->run();
  }
  const auto rows = [](const std::string& what, const ImportCase& few, const ImportCase& many) {
    row(what + ", to a tree of 1 branch", fmt::format("{:.0f} ns", few.each()), "", "", "");
    row("the same, to a tree of 10,000 branches", fmt::format("{:.0f} ns", many.each()), "",
        "as with one", met(many.each() <= 1.05 * few.each()));
  };
  rows("import of a header of the trunk", trunk_few, trunk_many);
  rows("import of headers of which a third begin branches", forks_few, forks_many);
}

void bench_store(const Probes& probes, const std::string& directory) {
  constexpr std::size_t kBatch = 1000;
  constexpr std::size_t kBatches = 40;
  Generator generator{0};
  std::vector<Bytes> records;
  for (const HeaderInput& input : generator.next(kBatch)) records.push_back(input.header);
  const std::string path = directory + "/ethnet-core-bench";
  std::filesystem::remove_all(path);
  std::vector<double> times;
  {
    store::PosixFileSystem files;
    store::OpenReport report;
    auto opened = store::SegmentStore::open(files, path, report);
    CHECK(opened.has_value());
    for (std::size_t i = 0; i < kBatches; ++i) {
      const std::uint64_t start = wall_ns();
      CHECK((*opened)->append(records).has_value());
      times.push_back(static_cast<double>(wall_ns() - start));
    }
  }
  std::filesystem::remove_all(path);
  const double each = median(times);
  row("store: append of 1,000 headers and fdatasync",
      fmt::format("{:.1f} ms, {:.0f} k headers/s", each / 1e6, 1e6 * kBatch / each),
      fmt::format("{:.1f} ms: one write of as much and fdatasync", probes.sync_ns / 1e6), "", "");
}

std::string cpu_model() {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

void run(const std::string& directory) {
  const auto features = crypto::cpu_features();
  fmt::print("CPU: {} (AVX2 {}, AVX-512 {})\n\n", cpu_model(), features.avx2 ? "yes" : "no",
             features.avx512 ? "yes" : "no");
  const Probes probes = measure_probes(directory);
  fmt::print("| limit of this machine | figure |\n|---|---|\n");
  fmt::print("| one Keccak permutation | {:.0f} ns |\n", probes.permutation_ns);
  fmt::print("| one of a batch on lanes | {:.0f} ns |\n", probes.lane_permutation_ns);
  fmt::print("| secp256k1: one verification | {:.1f} µs |\n", probes.verify_ns / 1e3);
  fmt::print("| UDP of 1,200 bytes to loopback, one a call | {:.0f} k/s |\n", 1e6 / probes.udp_ns);
  fmt::print("| the same, 32 a call by GSO | {} |\n",
             probes.udp_gso_ns > 0 ? fmt::format("{:.0f} k/s", 1e6 / probes.udp_gso_ns)
                                   : std::string{"not offered"});
  fmt::print("| write of 600 kB and fdatasync | {:.1f} ms |\n\n", probes.sync_ns / 1e6);
  fmt::print("| what | figure | limit | goal | verdict |\n|---|---|---|---|---|\n");
  bench_headers(probes);
  bench_import(probes);  // first: what others have freed would hide its memory
  bench_branches();
  bench_store(probes, directory);
}

}  // namespace
}  // namespace ethnet::bench

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const bool named = words.size() == 2 && words[0] == "--dir";
    if (!words.empty() && !named) {
      fmt::print(stderr, "usage: core_bench [--dir PATH]  (PATH: on the disk to be measured)\n");
      return 1;
    }
    ethnet::bench::run(named ? words[1] : ".");
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "core_bench: {}\n", error.what());
    return 1;
  }
}
