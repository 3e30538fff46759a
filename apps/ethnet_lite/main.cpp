// EthNetLite PORT [HOST:PORT]: a node in one short line. See --help.
#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <apps/common/manual.hpp>
#include <apps/common/node_flags.hpp>
#include <apps/common/node_options.hpp>
#include <base/out_of_memory.hpp>
#include <base/printable.hpp>
#include <fmt/format.h>

namespace {

constexpr std::string_view kHelp =
    R"(usage: EthNetLite PORT [HOST:PORT]

Runs a MiniEthNet node on PORT/udp (QUIC), all interfaces, on the built-in development chain.
Without a peer it produces a block every 2 seconds; with one (HOST:PORT, enr:… or enode://…) it
connects, syncs and follows. Its data lie in ./EthNetLite-PORT.data. Stop it with Ctrl-C.

  EthNetLite 9001
  EthNetLite 9002 127.0.0.1:9001
  EthNetLite 9003 127.0.0.1:9001

The long form with all options is: ethnet node --help. Each of them is an environment variable
here too: ETHNET_VERBOSITY=4 EthNetLite 9001
)";

constexpr std::string_view kSummary =
    "a node of the Ethereum peer-to-peer network in one short line";

// The flags of a node, with what the short form says in place of the command line.
ethnet::app::NodeOptions parse(std::string_view text, const std::string& peer) {
  ethnet::app::NodeOptions options;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.port);
  if (error != std::errc{} || end != text.data() + text.size() || options.port == 0) {
    throw std::runtime_error(
        fmt::format("'{}' is not a port: expected a number from 1 to 65535", text));
  }
  options.datadir = fmt::format("EthNetLite-{}.data", options.port);
  CLI::App app;
  ethnet::app::NodeFlags flags{app, options};
  std::vector<std::string> words{fmt::format("--port={}", options.port)};
  if (!peer.empty()) words.push_back("--bootnodes=" + peer);
  app.parse(std::move(words));
  flags.complete();
  if (options.peers.empty()) options.produce = true;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  ethnet::make_out_of_memory_fatal();
  try {
    if (argc == 2 && (std::string_view{argv[1]} == "--help" || std::string_view{argv[1]} == "-h")) {
      std::fputs(std::string{kHelp}.c_str(), stdout);
      return 0;
    }
    if (argc == 2 && std::string_view{argv[1]} == "--man") {  // for the build, which makes the page
      const auto page = ethnet::app::manual_page("EthNetLite", kSummary, kHelp, "ethnet");
      std::fputs(page.c_str(), stdout);
      return 0;
    }
    if (argc < 2 || argc > 3) {
      throw std::runtime_error("expected PORT [HOST:PORT]; see EthNetLite --help");
    }
    return ethnet::app::run_node(parse(argv[1], argc == 3 ? argv[2] : ""));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "EthNetLite: %s\n", ethnet::printable(error.what()).c_str());
    return 1;
  }
}
