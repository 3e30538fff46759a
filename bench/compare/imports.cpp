// Headers into a persistent store: decoded, judged by their rules, kept, and on disk before the
// next batch begins. Ours: ChainManager and SegmentStore (fdatasync). geth's: HeaderChain on Pebble
// with SyncKeyValue, its write-ahead log on disk (fdatasync too).
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include <base/hex.hpp>
#include <chain/chain_manager.hpp>
#include <chain/fork_choice/longest.hpp>
#include <chain/producer.hpp>
#include <fmt/format.h>
#include <store/posix_file_system.hpp>
#include <store/segment_store.hpp>
#include <types/genesis.hpp>
#include <unistd.h>

#include "../support/child.hpp"
#include "compare.hpp"

namespace ethnet::bench {
namespace {

constexpr std::size_t kBatch = 1000;  // headers on disk at once; a peer sends up to 1024
constexpr Now kNow{{1}, UnixTime::from_seconds(4'000'000'000)};

struct Took {
  double cpu_ns = 0;
  double wall_ns = 0;
  std::string head{};
};

// What both import: the genesis of chain_amsterdam, and headers that obey its schedule.
struct Input {
  Bytes genesis_json;
  Genesis genesis;
  std::vector<Bytes> headers;
};

Input make_input(const Compare& compare, std::size_t count) {
  Input out{.genesis_json = read_file(compare.vectors + "/chain_amsterdam/genesis.json"),
            .genesis = {},
            .headers = {}};
  std::string text;
  for (const std::byte b : out.genesis_json) text.push_back(static_cast<char>(b));
  out.genesis = read_genesis(text).value();
  Header parent = out.genesis.header;
  for (std::size_t i = 0; i < count; ++i) {
    parent = chain::seal_header(out.genesis.config, parent, parent.timestamp + 12, {}, "bench");
    out.headers.push_back(parent.encode());
  }
  return out;
}

// An empty folder that goes with it.
class Folder {
 public:
  explicit Folder(const std::string& in)
      : path_{fmt::format("{}/ethnet-compare-{}", in, ::getpid())} {
    std::filesystem::remove_all(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void import_batch(chain::ChainManager& manager, store::SegmentStore& store,
                  std::span<const Bytes> encoded) {
  std::vector<chain::HeaderInput> inputs;
  inputs.reserve(encoded.size());
  for (const Bytes& one : encoded) inputs.push_back({one, {}});
  const auto outcome = manager.import_headers(kNow, inputs, {"bench", "file", NodeId{}});
  CHECK(!outcome.invalid && outcome.added == encoded.size());
  while (const auto op = manager.poll_store()) {
    CHECK(store.append(op->records).has_value());
    manager.handle_store_done(kNow, {op->id, true, 0});
  }
  while (manager.poll_event()) {
  }
}

Took import_ours(const Input& input, const std::string& directory) {
  const Folder folder{directory};
  store::PosixFileSystem files;
  store::OpenReport report;
  const auto store = store::SegmentStore::open(files, folder.path(), report).value();
  chain::ChainManager manager{input.genesis, std::make_unique<chain::LongestChain>(),
                              chain::ChainLimits{.retention = {}}, 7};
  manager.finish_restore();
  const std::uint64_t cpu = thread_cpu_ns();
  const std::uint64_t wall = steady_clock()();
  const std::span<const Bytes> all{input.headers};
  for (std::size_t at = 0; at < all.size(); at += kBatch) {
    import_batch(manager, *store, all.subspan(at, std::min(kBatch, all.size() - at)));
  }
  const auto count = static_cast<double>(all.size());
  return {static_cast<double>(thread_cpu_ns() - cpu) / count,
          static_cast<double>(steady_clock()() - wall) / count, to_hex(manager.head().hash.view())};
}

Took import_geth(PeerProcess& geth, const Input& input, const std::string& directory) {
  std::istringstream answer{
      geth.ask(fmt::format("import genesis headers {} {}", kBatch, directory))};
  Took out;
  answer >> out.cpu_ns >> out.wall_ns >> out.head;
  const auto count = static_cast<double>(input.headers.size());
  out.cpu_ns /= count;
  out.wall_ns /= count;
  return out;
}

// Headers a second.
std::string rate(double ns) { return fmt::format("{:.0f} k/s", 1e6 / ns); }

}  // namespace

void import_rows(const Compare& compare) {
  const std::string what = "import of headers into a store, 1,000 a sync";
  if (!compare.wants(what)) return;
  if (!std::filesystem::is_directory(compare.vectors)) {
    print(Row{.what = what, .ours = "not run: no shared/vectors", .peer = "geth HeaderChain"});
    return;
  }
  const Input input = make_input(compare, compare.count(20'000, 300));
  if (compare.geth) {
    Bytes all;
    for (const Bytes& header : input.headers) append(all, header);
    compare.geth->load("genesis", input.genesis_json);
    compare.geth->load("headers", all);
  }
  std::vector<double> ours_cpu;
  std::vector<double> ours_wall;
  std::vector<double> geth_cpu;
  std::vector<double> geth_wall;
  const auto take_ours = [&] {
    const Took took = import_ours(input, compare.directory);
    ours_cpu.push_back(took.cpu_ns);
    ours_wall.push_back(took.wall_ns);
    return took.head;
  };
  const auto take_geth = [&] {
    if (!compare.geth) return std::string{};
    const Took took = import_geth(*compare.geth, input, compare.directory);
    geth_cpu.push_back(took.cpu_ns);
    geth_wall.push_back(took.wall_ns);
    return took.head;
  };
  for (std::size_t pair = 0; pair < compare.options.pairs; ++pair) {
    const bool first = pair % 2 == 0;
    const std::string a = first ? take_ours() : take_geth();
    const std::string b = first ? take_geth() : take_ours();
    if (compare.geth) must_agree("head after the import", first ? a : b, first ? b : a);
  }
  const Row row{
      .what = what + ", by the clock", .ours = {}, .peer = "geth HeaderChain on Pebble", .goal = 4};
  print_pairs(row, ours_wall, geth_wall, compare.options.resamples, rate);
  print_pairs({.what = "the same, by CPU time", .ours = {}, .peer = row.peer}, ours_cpu, geth_cpu,
              compare.options.resamples, rate);
}

}  // namespace ethnet::bench
