// What watching costs a node: the CPU time of its thread for each header that it takes in, with the
// gRPC listener, a snapshot for each block of headers, and ten readers of all events, of which nine
// stall, beside the same node with nobody.
//
//   observers_bench [--pairs N]
//
// Headers come in batches as a sync brings them, and one by one: then each is stored by itself and
// moves the head, as many events as there can be. Both nodes are whole ones on sockets of their
// own, with a store that is always done; 15 interleaved pairs.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <base/check.hpp>
#include <chain/producer.hpp>
#include <fmt/format.h>
#include <node/node.hpp>
#include <observe/event_log.hpp>
#include <observe/grpc_server.hpp>
#include <observe/scope_client.hpp>
#include <runtime/node_runner.hpp>
#include <runtime/os.hpp>
#include <runtime/udp.hpp>

#include "support/paired.hpp"

namespace ethnet::bench {
namespace {

constexpr std::size_t kReaders = 10;
constexpr double kMostExtra = 0.05;
constexpr std::uint64_t kRetained = 4096;  // so that the tree does not grow with the run

std::uint64_t thread_cpu_ns() {
  timespec now{};
  CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

class QuietLog final : public Log {
 public:
  [[nodiscard]] bool enabled(LogLevel) const noexcept override { return false; }
  void handle(const LogRecord&) noexcept override {}
};

// Who is told of each event. All but the first stop at the first one.
class Readers {
 public:
  explicit Readers(std::uint16_t port) {
    for (std::size_t i = 0; i < kReaders; ++i)
      threads_.emplace_back([this, i, port] { read(i, port); });
  }
  ~Readers() {
    for (std::thread& thread : threads_) thread.join();
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;
  [[nodiscard]] std::uint64_t events_read() const { return read_; }
  // The server ends now, and with it all that is read.
  void let_go() {
    over_ = true;
    over_.notify_all();
  }

 private:
  void read(std::size_t which, std::uint16_t port) {
    observe::ScopeClient client{fmt::format("127.0.0.1:{}", port), seconds(10)};
    try {
      client.events({.after = 0, .only_new = false}, [&](const std::string&) {
        if (which == 0) {
          ++read_;
        } else {
          over_.wait(false);
        }
        return !over_;
      });
    } catch (const observe::ScopeError&) {
      CHECK(over_);  // the server ended first
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> read_{0};
  std::vector<std::thread> threads_;
};

// A node that takes in headers of a chain of its own.
class Station {
 public:
  explicit Station(bool watched) : genesis_{chain::dev_genesis()}, tip_{genesis_.header} {
    node::NodeConfig config;
    config.genesis = genesis_;
    config.chain.retention = kRetained;
    std::vector<std::unique_ptr<runtime::UdpSocket>> sockets;
    sockets.push_back(std::make_unique<runtime::UdpSocket>(Endpoint{IpAddress::loopback_v4(), 0},
                                                           runtime::UdpOptions{}));
    config.listen = {sockets.front()->local()};
    auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(entropy_));
    node_ = node::Node::make(runtime::os_now(), std::move(config), std::move(key), entropy_,
                             Prng{entropy_.next()}, log_)
                .value();
    if (watched) {
      server_.emplace(observe::GrpcConfig{.listen = {IpAddress::loopback_v4(), 0}}, events_);
    }
    runner_ = std::make_unique<runtime::NodeRunner>(
        *node_, std::move(sockets), [](const StoreOp& op) { return StoreResult{op.id, true, 0}; },
        [this](const node::NodeEvent& event) {
          if (server_) events_.append(runtime::os_now().wall, event);
        });
    runner_->input([](node::Node& node, Now now) { node.start(now); });
    publish();
  }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  void end_server() { server_.reset(); }

  std::uint64_t take_in(std::uint64_t headers, std::size_t batch) {
    std::vector<chain::HeaderInput> chain;
    while (chain.size() < headers) {
      tip_ = chain::seal_header(genesis_.config, tip_, tip_.timestamp + 1, {}, "bench");
      chain.push_back({tip_.encode(), {}});
    }
    const std::uint64_t start = thread_cpu_ns();
    for (std::span<const chain::HeaderInput> rest{chain}; !rest.empty();) {
      const auto next = rest.first(std::min(batch, rest.size()));
      rest = rest.subspan(next.size());
      runner_->input([&](node::Node& node, Now now) {
        CHECK(node.import_headers(now, next, {"bench", "batch"}).added == next.size());
      });
      CHECK(runner_->run_until([this] { return node_->chain().pending_batches() == 0; }));
    }
    publish();
    return thread_cpu_ns() - start;
  }

 private:
  void publish() {
    if (server_) {
      server_->publish(std::make_shared<const node::NodeSnapshot>(runner_->snapshot()));
    }
  }

  Genesis genesis_;
  Header tip_;
  QuietLog log_;
  runtime::OsEntropy entropy_;
  observe::EventLog events_;
  std::optional<observe::GrpcServer> server_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<runtime::NodeRunner> runner_;
};

void print_head() {
  fmt::print(
      "| CPU time of the node's thread for a header | with ten readers | alone | more by (95 %) "
      "| goal | verdict |\n|---|---|---|---|---|---|\n");
}

void print(std::size_t batch, const Comparison& c) {
  const auto percent = [](double ratio) { return (1 / ratio - 1) * 100; };
  fmt::print(
      "| in batches of {} | {:.0f} ns | {:.0f} ns | {:+.1f} % ({:+.1f} to {:+.1f}) | < {:.0f} % | "
      "{} |\n",
      batch, c.ours_ns, c.theirs_ns, percent(c.ratio), percent(c.high), percent(c.low),
      kMostExtra * 100, text(judge(c, 1 / (1 + kMostExtra))));
  std::fflush(stdout);
}

void run(std::size_t pairs) {
  Station watched{true};
  Station alone{false};
  Readers readers{watched.port()};
  print_head();
  for (const std::size_t batch : {std::size_t{256}, std::size_t{1}}) {
    const Side ours{"watched", [&](std::uint64_t items) { return watched.take_in(items, batch); }};
    const Side theirs{"alone", [&](std::uint64_t items) { return alone.take_in(items, batch); }};
    print(batch, compare(ours, theirs, {.pairs = pairs}));
  }
  CHECK(readers.events_read() > 0);
  readers.let_go();
  watched.end_server();
}

}  // namespace
}  // namespace ethnet::bench

int main(int argc, char** argv) {
  std::size_t pairs = 15;
  if (argc == 3 && std::string{argv[1]} == "--pairs") pairs = std::strtoul(argv[2], nullptr, 10);
  if ((argc != 1 && argc != 3) || pairs == 0) {
    fmt::print(stderr, "usage: observers_bench [--pairs N]\n");
    return 2;
  }
  ethnet::bench::run(pairs);
  return 0;
}
