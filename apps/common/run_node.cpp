#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include <base/printable.hpp>
#include <fmt/format.h>
#include <node/node.hpp>
#include <node/own_record.hpp>
#include <runtime/log_writer.hpp>
#include <runtime/node_runner.hpp>
#include <runtime/os.hpp>
#include <runtime/stop_signals.hpp>
#include <runtime/udp.hpp>
#include <store/posix_file_system.hpp>
#include <store/segment_store.hpp>
#include <types/chain_file.hpp>
#include <types/enr.hpp>

#include "boot_node.hpp"
#include "files.hpp"
#include "kept_file.hpp"
#include "key_file.hpp"
#include "listeners.hpp"
#include "nat.hpp"
#include "nat_service.hpp"
#include "network_choice.hpp"
#include "node_config.hpp"
#include "node_options.hpp"
#include "nodes_file.hpp"
#include "progress_line.hpp"

namespace ethnet::app {
namespace {

// Each waits until the one before is durable: what is reported was stored.
constexpr std::size_t kImportBatch = 256;

// Together with the goodbye to the peers: well below the 10 s in which a stopped node has to end.
constexpr Duration kStorePatience = seconds(5);
// Who was met a moment ago is there after a crash too; that those were seen again may be lost.
constexpr Duration kSaveNewNodesEvery = seconds(5);
constexpr Duration kSaveOwnNamesEvery = seconds(1);  // written where they have changed
constexpr Duration kSaveNodesEvery = seconds(60);
constexpr Duration kPublishEvery = seconds(1);

// Ends the process without waiting for the thread that hangs in the disk or in a look-up. Nothing
// is lost: what the store has not confirmed was never reported, and the next start cuts it off.
[[noreturn]] void give_up(const std::string& why, int status) {
  if (!why.empty()) {
    fmt::print(stderr, "{}: {}\n", ::program_invocation_short_name, printable(why));
  }
  std::fflush(nullptr);
  std::_Exit(status);
}

void make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw std::runtime_error(fmt::format("cannot make {}: {}", path, error.message()));
}

std::shared_ptr<const crypto::SecretKey> load_or_make_key(const std::string& datadir) {
  const std::string path = datadir + "/nodekey";
  return std::filesystem::exists(path) ? read_key(path) : make_key(path);
}

std::unique_ptr<store::SegmentStore> open_store(store::FileSystem& files,
                                                const std::string& datadir, Log& log) {
  store::OpenReport report;
  errno = 0;
  auto opened = store::SegmentStore::open(files, datadir, report);
  if (!opened) {
    const int os_error = errno;
    if (opened.error().is(store::FileError::locked)) {
      throw std::runtime_error(fmt::format("data directory {} is in use by another node", datadir));
    }
    if (os_error != 0 && opened.error().domain() == "file") {
      throw std::runtime_error(
          fmt::format("{}: {}: {}", report.file, opened.error().what(), std::strerror(os_error)));
    }
    // Only corruption is somewhere in the file.
    const bool has_offset = opened.error().is(store::StoreError::corrupt);
    throw std::runtime_error(
        fmt::format("{}: {}", report.file,
                    has_offset ? opened.error().message() : std::string{opened.error().what()}));
  }
  if (report.bytes_cut > 0) {
    log.write(runtime::os_now(), LogLevel::warn, "Cut a torn write off the header store",
              {{"bytes", report.bytes_cut}});
  }
  log.write(runtime::os_now(), LogLevel::debug, "Verified the header store",
            {{"segments", std::uint64_t{report.segments}},
             {"batches", report.batches},
             {"records", report.records}});
  return std::move(*opened);
}

std::vector<std::unique_ptr<runtime::UdpSocket>> open_sockets(const NodeOptions& options) {
  const auto ip = IpAddress::parse(options.address);
  if (!ip) {
    throw std::runtime_error(fmt::format("--addr: '{}': {}", options.address, ip.error().what()));
  }
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

// Beside those of QUIC, and after them.
void open_discovery_socket(const NodeOptions& options, node::UdpDiscoveryConfig& config,
                           std::vector<std::unique_ptr<runtime::UdpSocket>>& sockets) {
  const Endpoint& first = sockets.front()->local();
  const std::uint16_t port = discovery_port(options.discovery_port, options.port, first.port);
  sockets.push_back(
      std::make_unique<runtime::UdpSocket>(Endpoint{first.ip, port}, runtime::UdpOptions{}));
  config.listen.push_back(sockets.back()->local());
}

// `sockets`: those of QUIC.
void listen(node::NodeConfig& config, const std::string& nat,
            const std::vector<std::unique_ptr<runtime::UdpSocket>>& sockets) {
  for (const auto& socket : sockets) config.listen.push_back(socket->local());
  const NatChoice choice = parse_nat(nat);
  if (const auto* const ip = std::get_if<IpAddress>(&choice)) {
    const Endpoint external{*ip, sockets.front()->local().port};
    if (config.discovery) config.discovery->external = external;
    if (config.udp_discovery) config.udp_discovery->external = external;
  }
  for (const node::StaticPeer& peer : config.peers) {
    const IpAddress& local = sockets.front()->local().ip;
    if (!peer.endpoint || runtime::can_reach(local, peer.endpoint->ip)) continue;
    throw std::runtime_error(fmt::format("peer {} cannot be reached from {} (see --addr)",
                                         peer.endpoint->to_string(), local.to_string()));
  }
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

// One batch of a chain file, and its way to the disk. The rest of the node goes on meanwhile. False
// when the node was told to stop.
bool import_batch(const std::string& path, std::size_t at,
                  std::span<const chain::HeaderInput> batch, runtime::NodeRunner& runner,
                  std::size_t& added) {
  chain::ImportOutcome outcome;
  const node::Node* imported = nullptr;
  runner.input([&](node::Node& node, Now now) {
    outcome = node.import_headers(now, batch, {"import", "file"});
    imported = &node;
  });
  if (outcome.invalid) {
    throw std::runtime_error(fmt::format("{}: header {} of the file: {}", path,
                                         at + outcome.invalid->index,
                                         outcome.invalid->error.message()));
  }
  if (outcome.waiting + outcome.refused > 0) {
    throw std::runtime_error(
        fmt::format("{}: its headers do not link to the genesis of this node", path));
  }
  added += outcome.added;
  return runner.run_until([&] { return imported->chain().pending_batches() == 0; });
}

bool import_file(const std::string& path, const std::vector<chain::HeaderInput>& headers,
                 runtime::NodeRunner& runner, ProgressLine& progress, Log& log) {
  std::span<const chain::HeaderInput> rest{headers};
  std::size_t added = 0;
  while (!rest.empty()) {
    const auto batch = rest.first(std::min(rest.size(), kImportBatch));
    if (!import_batch(path, headers.size() - rest.size(), batch, runner, added)) return false;
    rest = rest.subspan(batch.size());
    progress.show("import", headers.size() - rest.size(), headers.size(), rest.empty());
  }
  log.write(runtime::os_now(), LogLevel::info, "Imported a chain file",
            {{"headers", std::uint64_t{headers.size()}}, {"new", std::uint64_t{added}}});
  return true;
}

void say_started(const node::Node& node, const NodeOptions& options,
                 const runtime::UdpSocket& socket, Log& log) {
  const chain::BlockRef head = node.chain().head();
  const node::UdpDiscovery* const udp = node.udp_discovery();
  log.write(runtime::os_now(), LogLevel::info, "Started P2P networking",
            {{"self", node.local_enode()},
             {"port", std::uint64_t{socket.local().port}},
             {"discovery_port", std::uint64_t{udp == nullptr ? 0U : udp->port()}},
             {"datadir", options.datadir},
             {"head", head.hash.short_hex()},
             {"height", head.number},
             {"rule", node.chain().rule().name()},
             {"receive_buffer", static_cast<std::uint64_t>(socket.receive_buffer_bytes())},
             {"gso", socket.uses_gso()}});
}

// On the store's thread.
StoreResult append_to(store::SegmentStore& store, const StoreOp& op) {
  errno = 0;
  const std::uint64_t before = store.segments_postponed();
  const auto written = store.append(op.records);
  if (!written) return {op.id, false, errno};
  return {op.id, true, store.segments_postponed() > before ? EMFILE : 0};
}

// False when the node was told to stop meanwhile.
bool restore(store::ChainStore& store, node::Node& node, const std::string& datadir,
             const runtime::StopSignals& signals) {
  bool stopped = false;
  const auto replayed = store.replay([&](ByteView record) -> Result<void> {
    stopped = signals.pending();
    if (stopped) return fail(chain::ChainError::stopped);
    return node.restore(record);
  });
  if (!replayed && !stopped) {
    if (replayed.error().is(chain::TreeError::memory_limit)) {
      throw std::runtime_error(
          fmt::format("{}: the stored headers need more than --memory.headers gives", datadir));
    }
    const std::string_view domain = replayed.error().domain();
    if (domain == "file" || domain == "store") {
      throw std::runtime_error(fmt::format("{}: {}", datadir, replayed.error().message()));
    }
    throw std::runtime_error(
        fmt::format("{}: stored headers do not fit the genesis of this node ({})", datadir,
                    replayed.error().message()));
  }
  return !stopped;
}

void say_stopped(const runtime::NodeRunner& runner, const node::Node& node, Log& log) {
  for (const node::Counter& counter : runner.counters()) {
    if (counter.value == 0) continue;
    log.write(runtime::os_now(), LogLevel::debug, "Counter",
              {{"name", counter.name}, {"value", counter.value}});
  }
  const chain::BlockRef head = node.chain().head();
  log.write(runtime::os_now(), LogLevel::info, "Stopped",
            {{"head", head.hash.hex()},
             {"height", head.number},
             {"reorgs", node.chain().counters().reorgs}});
}

// Who watches the node: null where it is switched off. All read one log of its events.
struct Observers {
  std::unique_ptr<observe::EventLog> log;
  std::unique_ptr<observe::HttpServer> http;
  std::unique_ptr<observe::GrpcServer> grpc;
  const control::ControlServer* control = nullptr;  // tells its counters

  void publish(node::NodeSnapshot snapshot) const {
    if (grpc) {
      const auto theirs = grpc->counters();
      snapshot.counters.insert(snapshot.counters.end(), theirs.begin(), theirs.end());
    }
    if (control != nullptr) {
      const auto theirs = control->counters();
      snapshot.counters.insert(snapshot.counters.end(), theirs.begin(), theirs.end());
    }
    const auto shared = std::make_shared<const node::NodeSnapshot>(std::move(snapshot));
    if (grpc) grpc->publish(shared);
    if (http) http->publish(shared);
  }
  void tell(const node::NodeEvent& event) const {
    if (grpc || http) log->append(runtime::os_now().wall, event);
  }
  void drain() const {
    if (grpc) grpc->drain();
    if (http) http->drain();
  }
};

Observers open_observers(const NodeOptions& options, std::uint16_t node_port) {
  Observers out;
  out.log = std::make_unique<observe::EventLog>();
  out.http = open_http(options, node_port, *out.log);
  out.grpc = open_grpc(options, node_port, *out.log);
  return out;
}

// The node's thread leaves its state where observers read it, and goes on.
void watch(runtime::NodeRunner& runner, const Observers& observers, const NodeOptions& options,
           Log& log) {
  if (!observers.http && !observers.grpc) return;
  const auto publish = [&runner, &observers](const node::Node&, Now) {
    observers.publish(runner.snapshot());
  };
  // Twice: the second one lets go of the first. Under the sanitizers what is done for the first
  // time takes a file descriptor, and a node whose descriptors are used up later has none.
  runner.input(publish);
  runner.input(publish);
  runner.every(kPublishEvery, publish);
  runner.on_stop([&observers] { observers.drain(); });
  if (observers.http) {
    log.write(runtime::os_now(), LogLevel::info, "Answering over HTTP",
              {{"addr", options.http_address}, {"port", std::uint64_t{observers.http->port()}}});
  }
  if (observers.grpc) {
    log.write(runtime::os_now(), LogLevel::info, "Answering over gRPC",
              {{"addr", options.grpc_address}, {"port", std::uint64_t{observers.grpc->port()}}});
  }
}

// What a run leaves to the next one, in a file for each kind of it: whom discovery knew, our own
// record, and the numbers of lists in the DNS.
class KnownNodes {
 public:
  KnownNodes(const std::string& datadir, Log& log)
      : nodes_{datadir, log},
        udp_nodes_{datadir, log, "udp-nodes"},
        own_record_{datadir + "/own-record", "The file of our own record", node::kMaxOwnRecordFile,
                    log},
        lists_{datadir + "/dns-lists", "The file of lists in the DNS", node::kMaxKnownListsFile,
               log} {}

  void read(node::NodeConfig& config) {
    if (config.discovery) config.discovery->saved = nodes_.read(runtime::os_now());
    if (config.udp_discovery) config.udp_discovery->saved = udp_nodes_.read(runtime::os_now());
    config.own_record = own_record_.read(runtime::os_now());
    if (!config.dns_trees.empty()) config.known_lists = lists_.read(runtime::os_now());
  }
  void keep(runtime::NodeRunner& runner) {
    // Before anybody hears of it, or a moment later: a number that others know must not be lost.
    const auto write_own = [this](const node::Node& n, Now now) { write_own_names(n, now); };
    runner.input(write_own);
    runner.every(kSaveOwnNamesEvery, write_own);
    runner.every(kSaveNodesEvery, [this](const node::Node& n, Now now) { write(n, now); });
    runner.every(kSaveNewNodesEvery, [this](const node::Node& n, Now now) {
      if (n.discovery() != nullptr) nodes_.write_news(n.saved_nodes(), now);
      if (n.udp_discovery() != nullptr) udp_nodes_.write_news(n.saved_udp_nodes(), now);
    });
  }
  void write(const node::Node& n, Now now) {
    if (n.discovery() != nullptr) nodes_.write(n.saved_nodes(), now);
    if (n.udp_discovery() != nullptr) udp_nodes_.write(n.saved_udp_nodes(), now);
    write_own_names(n, now);
  }

 private:
  void write_own_names(const node::Node& n, Now now) {
    own_record_.write_news(n.own_record(), now);
    if (n.dns() != nullptr) lists_.write_news(n.known_lists(), now);
  }

  NodesFile nodes_;
  NodesFile udp_nodes_;
  KeptFile own_record_;
  KeptFile lists_;
};

// Why the node cannot go on; empty: it can.
std::string describe(const node::Fatal& fatal) {
  return fatal.os_error == 0 ? fatal.what
                             : fmt::format("{}: {}", fatal.what, std::strerror(fatal.os_error));
}

// What follows the start: the import, then producing.
void work(runtime::NodeRunner& runner, const NodeOptions& options,
          std::vector<chain::HeaderInput> to_import, ProgressLine& progress, Log& log) {
  if (!options.import_file.empty()) {
    if (!import_file(options.import_file, to_import, runner, progress, log)) return;
    to_import = {};
    if (options.produce) {
      runner.input([](node::Node& n, Now now) { n.start_producing(now); });
    }
  }
  if (options.produce && options.produce_for_seconds > 0) {
    runner.after(seconds(options.produce_for_seconds), [&log](node::Node& n, Now now) {
      n.stop_producing();
      log.write(now, LogLevel::info, "Stopped producing");
    });
  }
}

}  // namespace

int run_node(const NodeOptions& options) {
  runtime::StopSignals signals;
  runtime::ignore_file_size_signal();
  const auto format =
      options.log_format == "json" ? runtime::LogFormat::json : runtime::LogFormat::terminal;
  runtime::Console console{options.log_output == "stdout" ? STDOUT_FILENO : STDERR_FILENO};
  runtime::LogWriter log{format, options.verbosity,
                         [&console](const std::string& line) { console.line(line); }};
  node::NodeConfig config = make_config(options, choose_genesis(options));
  std::vector<chain::HeaderInput> to_import;
  if (!options.import_file.empty()) to_import = read_chain_file(options.import_file);
  make_directory(options.datadir);
  store::PosixFileSystem files;
  const auto store = open_store(files, options.datadir, log);
  const auto key = load_or_make_key(options.datadir);
  auto sockets = open_sockets(options);
  const runtime::UdpSocket& first = *sockets.front();
  Observers observers = open_observers(options, first.local().port);
  runtime::OsEntropy entropy;
  listen(config, options.nat, sockets);
  if (config.udp_discovery) open_discovery_socket(options, *config.udp_discovery, sockets);
  KnownNodes known_nodes{options.datadir, log};
  known_nodes.read(config);
  auto made = node::Node::make(runtime::os_now(), std::move(config), key, entropy,
                               Prng{entropy.next()}, log);
  if (!made) throw std::runtime_error(made.error().message());
  node::Node& node = **made;
  if (!restore(*store, node, options.datadir, signals)) return 0;

  ProgressLine progress{console, options.progress && format == runtime::LogFormat::terminal,
                        "headers"};
  std::string fatal;
  control::Desk desk;
  std::unique_ptr<runtime::NodeRunner> runner;
  runner = std::make_unique<runtime::NodeRunner>(
      node, std::move(sockets), [&store](const StoreOp& op) { return append_to(*store, op); },
      [&](const node::NodeEvent& event) {
        observers.tell(event);
        desk.tell(event);
        if (const auto* moved = std::get_if<node::SyncMoved>(&event)) {
          progress.show("sync", moved->imported, moved->target, moved->done);
        }
        if (const auto* what = std::get_if<node::Fatal>(&event)) {
          fatal = describe(*what);
          runner->stop();
        }
      });
  if (!options.dns_trees.empty()) runner->ask_dns({.server = options.dns_server});
  const NatService nat{options, *runner, first.local().port, log};
  const auto control = open_control(options, *runner, desk);
  observers.control = control.get();
  const HttpLine http_line{observers.http.get(), *runner};
  signals.release();
  runner->input([](node::Node& n, Now now) { n.start(now); });
  say_started(node, options, first, log);
  known_nodes.keep(*runner);
  watch(*runner, observers, options, log);
  work(*runner, options, std::move(to_import), progress, log);
  runner->run();
  if (const std::size_t hung = runner->finish_store(kStorePatience); hung > 0) {
    give_up(fmt::format("the header store does not answer: {} writes were not confirmed", hung), 1);
  }
  if (!fatal.empty()) throw std::runtime_error(fatal);
  known_nodes.write(node, runtime::os_now());
  say_stopped(*runner, node, log);
  if (runner->looks_up()) give_up("", 0);
  return 0;
}

}  // namespace ethnet::app
