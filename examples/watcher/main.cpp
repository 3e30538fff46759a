// A node in a program of one's own: it follows another node of the development chain and prints
// what happens to the chain, reorganisations above all. It keeps nothing on disk.
//
//   watcher IP:PORT [REORGS]     ends by itself after so many reorganisations
//
// To watch a node without being a peer there is EthScope: gRPC, proto/ethscope.proto.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <chain/producer.hpp>
#include <crypto/secp256k1.hpp>
#include <node/node.hpp>
#include <runtime/node_runner.hpp>
#include <runtime/os.hpp>
#include <runtime/udp.hpp>

namespace {

using namespace ethnet;

std::string list(const std::vector<Hash32>& hashes) {
  std::string out;
  for (const Hash32& hash : hashes) out += (out.empty() ? "" : ", ") + hash.short_hex();
  return "[" + out + "]";
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

class Watcher {
 public:
  explicit Watcher(std::size_t reorgs) : wanted_{reorgs} {}

  // True when it has seen enough.
  bool see(const node::NodeEvent& event) {
    if (const auto* up = std::get_if<node::SessionUp>(&event)) {
      say("peer   " + up->client + " at " + up->remote.to_string());
    } else if (const auto* down = std::get_if<node::SessionDown>(&event)) {
      say("gone   " + down->reason);
    } else if (const auto* head = std::get_if<node::HeadMoved>(&event)) {
      say("head   " + std::to_string(head->number) + " " + head->hash.short_hex());
    } else if (const auto* fork = std::get_if<node::ForkSeen>(&event)) {
      say("fork   from " + fork->fork_point.short_hex() + " to " + fork->branch_head.short_hex());
    } else if (const auto* reorg = std::get_if<node::Reorganised>(&event)) {
      say("reorg  depth " + std::to_string(reorg->removed.size()) + " at " +
          reorg->fork_point.short_hex() + ": removed " + list(reorg->removed) + ", added " +
          list(reorg->added));
      return ++seen_ == wanted_;
    } else if (const auto* fatal = std::get_if<node::Fatal>(&event)) {
      say("fatal  " + fatal->what);
      return true;
    }
    return false;
  }

 private:
  std::size_t wanted_;
  std::size_t seen_ = 0;
};

int watch(const std::string& address, std::size_t reorgs) {
  const auto remote = Endpoint::parse(address);
  if (!remote) throw std::runtime_error("not IP:PORT: " + address);
  std::vector<std::unique_ptr<runtime::UdpSocket>> sockets;
  sockets.push_back(
      std::make_unique<runtime::UdpSocket>(Endpoint{IpAddress{}, 0}, runtime::UdpOptions{}));
  node::NodeConfig config;
  config.listen = {sockets.front()->local()};
  config.client = "watcher/0.1";
  config.genesis = chain::dev_genesis();
  config.peers = {{.endpoint = *remote, .host = {}, .port = 0, .expected = std::nullopt}};
  runtime::OsEntropy entropy;
  NullLog log;
  auto key = std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(entropy));
  auto made = node::Node::make(runtime::os_now(), std::move(config), std::move(key), entropy,
                               Prng{entropy.next()}, log);
  if (!made) throw std::runtime_error(made.error().message());
  Watcher watcher{reorgs};
  std::unique_ptr<runtime::NodeRunner> runner;
  const auto forget = [](const StoreOp& op) { return StoreResult{op.id, true, 0}; };
  runner = std::make_unique<runtime::NodeRunner>(**made, std::move(sockets), forget,
                                                 [&](const node::NodeEvent& event) {
                                                   if (watcher.see(event)) runner->stop();
                                                 });
  runner->input([](node::Node& node, Now now) { node.start(now); });
  runner->run();  // until Ctrl-C, or stop()
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: watcher IP:PORT [REORGS]\n", stderr);
    return 1;
  }
  try {
    return watch(argv[1], argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "watcher: %s\n", error.what());
    return 1;
  }
}
