// A peer for tests of who watches a node: an honest node whose canonical chain goes over to another
// branch, DEPTH blocks deep, each time that it reads a line.
//
//   flipping_peer PORT PEER DEPTH [CLIENT]      "ready" when its first chain is there; ends with
//                                               its input; CLIENT: the name that it gives itself
//
// It keeps nothing on a disk.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <apps/common/node_config.hpp>
#include <apps/common/peer_name.hpp>
#include <boost/asio/post.hpp>
#include <chain/producer.hpp>
#include <fmt/format.h>
#include <node/node.hpp>
#include <runtime/log_writer.hpp>
#include <runtime/node_runner.hpp>
#include <runtime/os.hpp>
#include <runtime/udp.hpp>

namespace ethnet {
namespace {

// One of the two branches above the genesis.
class Branch {
 public:
  Branch(const Genesis& genesis, std::string tag)
      : config_{genesis.config}, tip_{genesis.header}, tag_{std::move(tag)} {}

  // Its next headers, up to `height`.
  std::vector<chain::HeaderInput> grow_to(std::uint64_t height) {
    std::vector<chain::HeaderInput> out;
    while (tip_.number < height) {
      tip_ = chain::seal_header(config_, tip_, tip_.timestamp + 1, {}, tag_);
      out.push_back({tip_.encode(), {}});
    }
    return out;
  }

 private:
  ChainConfig config_;
  Header tip_;
  std::string tag_;
};

class Flipper {
 public:
  Flipper(const Genesis& genesis, std::uint64_t depth)
      : branches_{Branch{genesis, "one"}, Branch{genesis, "two"}}, height_{depth} {}

  // The other branch becomes the longer one.
  void flip(node::Node& node, Now now) {
    turn_ = 1 - turn_;
    const auto headers = branches_[turn_].grow_to(++height_);
    for (std::size_t at = 0; at < headers.size(); at += kBatch) {
      const std::span rest = std::span{headers}.subspan(at);
      (void)node.import_headers(now, rest.first(std::min(rest.size(), kBatch)), {"import", "flip"});
    }
  }

 private:
  static constexpr std::size_t kBatch = 256;

  std::array<Branch, 2> branches_;
  std::uint64_t height_;
  std::size_t turn_ = 1;
};

void run(std::uint16_t port, const std::string& peer, std::uint64_t depth, const char* client) {
  runtime::LogWriter log{runtime::LogFormat::terminal, 1,
                         [](const std::string& line) { std::fputs(line.c_str(), stderr); }};
  const Genesis genesis = chain::dev_genesis();
  node::NodeConfig config = app::make_config({}, genesis);
  config.peers = {app::parse_peer(peer)};
  config.discovery.reset();
  if (client != nullptr) config.client = client;
  std::vector<std::unique_ptr<runtime::UdpSocket>> sockets;
  sockets.push_back(std::make_unique<runtime::UdpSocket>(Endpoint{IpAddress::loopback_v4(), port},
                                                         runtime::UdpOptions{}));
  config.listen = {sockets.front()->local()};
  runtime::OsEntropy entropy;
  auto node = node::Node::make(
                  runtime::os_now(), std::move(config),
                  std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(entropy)),
                  entropy, Prng{entropy.next()}, log)
                  .value();
  runtime::NodeRunner runner{*node, std::move(sockets),
                             [](const StoreOp& op) { return StoreResult{op.id, true, 0}; },
                             [](const node::NodeEvent&) {}};
  Flipper flipper{genesis, depth};
  runner.input([&](node::Node& n, Now now) {
    flipper.flip(n, now);
    n.start(now);
  });
  fmt::print("ready\n");
  std::fflush(stdout);
  std::thread commands{[&] {
    for (std::string line; std::getline(std::cin, line);) {
      runner.post([&](node::Node& n, Now now) { flipper.flip(n, now); });
    }
    boost::asio::post(runner.io(), [&] { runner.stop(); });
  }};
  runner.run();
  commands.join();
}

}  // namespace
}  // namespace ethnet

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, "usage: flipping_peer PORT PEER DEPTH [CLIENT]\n");
    return 2;
  }
  ethnet::run(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2],
              static_cast<std::uint64_t>(std::atoll(argv[3])), argc == 5 ? argv[4] : nullptr);
  return 0;
}
