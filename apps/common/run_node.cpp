#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <chain/fork_choice/rule_table.hpp>
#include <fmt/format.h>
#include <node/node.hpp>
#include <runtime/log_writer.hpp>
#include <runtime/node_runner.hpp>
#include <runtime/os.hpp>
#include <runtime/udp.hpp>
#include <store/posix_file_system.hpp>
#include <store/segment_store.hpp>
#include <types/chain_file.hpp>
#include <types/enode_url.hpp>
#include <types/enr.hpp>
#include <unistd.h>

#include "files.hpp"
#include "node_options.hpp"
#include "peer_name.hpp"

namespace ethnet::app {
namespace {

constexpr std::size_t kImportBatch = 1024;

// One line that is drawn over and over on a terminal, and a line now and then elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(bool enabled)
      : enabled_{enabled}, terminal_{::isatty(STDERR_FILENO) == 1} {}

  void show(const node::SyncMoved& moved) {
    if (!enabled_) return;
    const std::uint64_t percent = moved.target == 0 ? 100 : moved.imported * 100 / moved.target;
    if (!terminal_ && !moved.done && percent < next_percent_) return;
    next_percent_ = moved.done ? 0 : percent + 25;
    constexpr std::uint64_t kWidth = 30;
    const auto filled =
        static_cast<std::size_t>(std::min(percent, std::uint64_t{100}) * kWidth / 100);
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    std::fprintf(stderr, "%ssync [%s] %s/%s headers%s%s", terminal_ ? "\r" : "", bar.c_str(),
                 std::to_string(moved.imported).c_str(), std::to_string(moved.target).c_str(),
                 moved.done ? " done" : "", terminal_ && !moved.done ? "" : "\n");
  }

 private:
  bool enabled_;
  bool terminal_;
  std::uint64_t next_percent_ = 0;
};

std::shared_ptr<const crypto::SecretKey> load_or_make_key(const std::string& datadir) {
  const std::string path = datadir + "/nodekey";
  return std::filesystem::exists(path) ? read_key(path) : make_key(path);
}

std::unique_ptr<store::SegmentStore> open_store(store::FileSystem& files,
                                                const std::string& datadir, Log& log) {
  store::OpenReport report;
  auto opened = store::SegmentStore::open(files, datadir, report);
  if (!opened) {
    if (opened.error().is(store::FileError::locked)) {
      throw std::runtime_error(fmt::format("data directory {} is in use by another node", datadir));
    }
    throw std::runtime_error(fmt::format("{}: {}", report.file, opened.error().message()));
  }
  if (report.bytes_cut > 0) {
    log.write(runtime::os_now(), LogLevel::warn, "Cut a torn write off the header store",
              {{"bytes", report.bytes_cut}});
  }
  return std::move(*opened);
}

std::vector<std::unique_ptr<runtime::UdpSocket>> open_sockets(const NodeOptions& options) {
  const auto ip = IpAddress::parse(options.address);
  if (!ip) throw std::runtime_error(fmt::format("'{}' is not an address", options.address));
  std::vector<std::unique_ptr<runtime::UdpSocket>> sockets;
  const bool everywhere = !ip->is_v4() && ip->is_unspecified();
  if (everywhere && !std::filesystem::exists("/proc/net/if_inet6")) {
    sockets.push_back(
        std::make_unique<runtime::UdpSocket>(Endpoint{{}, options.port}, runtime::UdpOptions{}));
  } else {
    sockets.push_back(
        std::make_unique<runtime::UdpSocket>(Endpoint{*ip, options.port}, runtime::UdpOptions{}));
  }
  return sockets;
}

node::NodeConfig make_config(const NodeOptions& options,
                             const std::vector<std::unique_ptr<runtime::UdpSocket>>& sockets) {
  node::NodeConfig config;
  for (const auto& socket : sockets) config.listen.push_back(socket->local());
  config.genesis = load_genesis(options.genesis);
  config.fork_choice = options.fork_choice;
  config.chain.memory_bytes = options.memory_mib << 20;
  if (options.retention > 0) config.chain.retention = options.retention;
  config.max_peers = options.max_peers;
  if (options.peers.size() > node::kMaxStaticPeers) {
    throw std::runtime_error(fmt::format("more than {} peers", node::kMaxStaticPeers));
  }
  for (const std::string& peer : options.peers) config.peers.push_back(parse_peer(peer));
  config.producer.enabled = options.produce;
  config.producer.forks = options.produce_forks;
  config.producer.period = seconds(options.period_seconds);
  config.full_hashes = options.log_format == "json";
  config.client = "MiniEthNet/v" ETHNET_VERSION "/linux-x86_64/clang19";
  return config;
}

// The headers of a chain file; nothing is imported when one of them does not decode.
std::vector<chain::HeaderInput> read_chain_file(const std::string& path) {
  const Bytes bytes = read_binary_file(path);
  ChainFileReader reader{bytes};
  std::vector<chain::HeaderInput> headers;
  while (!reader.at_end()) {
    const auto block = reader.next();
    if (!block) throw std::runtime_error(fmt::format("{}: {}", path, block.error().message()));
    headers.push_back({to_bytes(block->header), {}});
  }
  return headers;
}

void import_file(const std::string& path, runtime::NodeRunner& runner, Log& log) {
  const std::vector<chain::HeaderInput> headers = read_chain_file(path);
  std::span<const chain::HeaderInput> rest{headers};
  std::size_t added = 0;
  while (!rest.empty()) {
    const auto batch = rest.first(std::min(rest.size(), kImportBatch));
    chain::ImportOutcome outcome;
    runner.input([&](node::Node& node, Now now) {
      outcome = node.import_headers(now, batch, {"import", "file"});
    });
    if (outcome.invalid) {
      const std::size_t index = headers.size() - rest.size() + outcome.invalid->index;
      throw std::runtime_error(fmt::format("{}: header {} of the file: {}", path, index,
                                           outcome.invalid->error.message()));
    }
    if (outcome.waiting + outcome.refused > 0) {
      throw std::runtime_error(
          fmt::format("{}: its headers do not link to the genesis of this node", path));
    }
    added += outcome.added;
    rest = rest.subspan(batch.size());
  }
  log.write(runtime::os_now(), LogLevel::info, "Imported a chain file",
            {{"headers", std::uint64_t{headers.size()}}, {"new", std::uint64_t{added}}});
}

void say_started(const node::Node& node, const NodeOptions& options, const crypto::SecretKey& key,
                 const runtime::UdpSocket& socket, Log& log) {
  const EnodeUrl self{.key = key.public_key(),
                      .ip = IpAddress::loopback_v4(),
                      .host_name = {},
                      .tcp = socket.local().port,
                      .udp = socket.local().port};
  const chain::BlockRef head = node.chain().head();
  log.write(runtime::os_now(), LogLevel::info, "Started P2P networking",
            {{"self", self.to_string()},
             {"port", std::uint64_t{socket.local().port}},
             {"datadir", options.datadir},
             {"head", head.hash.short_hex()},
             {"height", head.number},
             {"rule", node.chain().rule().name()},
             {"receive_buffer", static_cast<std::uint64_t>(socket.receive_buffer_bytes())},
             {"gso", socket.uses_gso()}});
}

void restore(store::ChainStore& store, node::Node& node, const std::string& datadir) {
  const auto replayed = store.replay([&](ByteView record) { return node.restore(record); });
  if (!replayed) {
    throw std::runtime_error(
        fmt::format("{}: stored headers do not fit the genesis of this node ({})", datadir,
                    replayed.error().message()));
  }
}

}  // namespace

int run_node(const NodeOptions& options) {
  const auto format =
      options.log_format == "json" ? runtime::LogFormat::json : runtime::LogFormat::terminal;
  runtime::LogWriter log{format, options.verbosity, runtime::stderr_sink()};
  std::error_code error;
  std::filesystem::create_directories(options.datadir, error);
  if (error) {
    throw std::runtime_error(fmt::format("cannot make {}: {}", options.datadir, error.message()));
  }
  store::PosixFileSystem files;
  const auto store = open_store(files, options.datadir, log);
  const auto key = load_or_make_key(options.datadir);
  auto sockets = open_sockets(options);
  const runtime::UdpSocket& first = *sockets.front();
  runtime::OsEntropy entropy;
  auto made = node::Node::make(runtime::os_now(), make_config(options, sockets), key, entropy,
                               Prng{entropy.next()}, log);
  if (!made) throw std::runtime_error(made.error().message());
  node::Node& node = **made;
  restore(*store, node, options.datadir);

  ProgressLine progress{options.progress && format == runtime::LogFormat::terminal};
  std::string fatal;
  std::unique_ptr<runtime::NodeRunner> runner;
  runner = std::make_unique<runtime::NodeRunner>(
      node, std::move(sockets),
      [&store](const StoreOp& op) {
        errno = 0;
        const auto written = store->append(op.records);
        return StoreResult{op.id, written.has_value(), written ? 0 : errno};
      },
      [&](const node::NodeEvent& event) {
        if (const auto* moved = std::get_if<node::SyncMoved>(&event)) progress.show(*moved);
        if (const auto* what = std::get_if<node::Fatal>(&event)) {
          fatal = what->what;
          runner->stop();
        }
      });
  runner->input([](node::Node& n, Now now) { n.start(now); });
  say_started(node, options, *key, first, log);
  if (!options.import_file.empty()) import_file(options.import_file, *runner, log);
  if (options.produce && options.produce_for_seconds > 0) {
    runner->after(seconds(options.produce_for_seconds), [&log](node::Node& n, Now now) {
      n.stop_producing();
      log.write(now, LogLevel::info, "Stopped producing");
    });
  }
  runner->run();
  if (!fatal.empty()) throw std::runtime_error(fatal);
  const chain::BlockRef head = node.chain().head();
  log.write(runtime::os_now(), LogLevel::info, "Stopped",
            {{"head", head.hash.hex()},
             {"height", head.number},
             {"reorgs", node.chain().counters().reorgs}});
  return 0;
}

}  // namespace ethnet::app
