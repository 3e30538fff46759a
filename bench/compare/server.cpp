#include "server.hpp"

#include <atomic>
#include <iostream>
#include <stdexcept>
#include <thread>

#include <base/hex.hpp>
#include <discovery/v5/engine/engine.hpp>
#include <fmt/format.h>
#include <malloc.h>
#include <runtime/machine_loop.hpp>
#include <runtime/stop_signals.hpp>
#include <runtime/udp.hpp>

namespace ethnet::bench {
namespace {

const char* const kKey = "0707070707070707070707070707070707070707070707070707070707070707";

filter::FilterLimits no_limits() {
  constexpr filter::Rate kAll{.burst = 4'000'000'000, .per_second = 4'000'000'000};
  filter::FilterLimits out;
  out.address = kAll;
  out.lan = kAll;
  out.identity = kAll;
  out.strangers_curve = kAll;
  out.proven_curve = kAll;
  out.answers_curve = kAll;
  out.answers = kAll;
  return out;
}

Child start(const std::optional<std::string>& program) {
  if (program) return Child{{*program, "serve", kKey}, kServerCore};
  return Child::self({"serve", kKey}, kServerCore);
}

}  // namespace

Server::Server(const std::optional<std::string>& program) : child_{start(program)} {
  const std::string line = child_.line();
  if (!line.starts_with("record ")) throw std::runtime_error("a server said '" + line + "'");
  record_ = std::make_shared<const VerifiedEnr>(
      VerifiedEnr::decode(from_hex(line.substr(7)).value()).value());
}

std::uint64_t Server::resident_bytes() {
  child_.say("trim");
  (void)child_.line();
  return child_.resident_bytes();
}

int serve(const std::string& key_hex) {
  const auto key = std::make_shared<const crypto::SecretKey>(
      crypto::SecretKey::from_bytes(from_hex(key_hex).value()).value());
  runtime::OsEntropy entropy;
  runtime::UdpSocket socket{{IpAddress::loopback_v4(), 0}, {}};
  const auto record = std::make_shared<const VerifiedEnr>(
      EnrBuilder{1}.ip(socket.local().ip).udp(socket.local().port).sign(*key).value());
  kbucket::Table table{record->node_id()};
  filter::Filter filter{entropy, no_limits()};
  discv5::Engine engine{runtime::os_now(), key, record, table, filter, entropy, Prng{1}};
  runtime::MachineLoop<discv5::Engine> loop{engine, socket, [](const discv5::Event&) {}};
  fmt::print("record {}\n", to_hex(record->record().encoded()));
  std::fflush(stdout);
  // Lines are read beside the loop, which they do not touch; the end of them ends the process.
  std::thread{[] {
    for (std::string line; std::getline(std::cin, line);) {
      ::malloc_trim(0);
      fmt::print("ok\n");
      std::fflush(stdout);
    }
    std::_Exit(0);
  }}.detach();
  (void)loop.run([] { return false; }, Instant::never());
  return 0;
}

}  // namespace ethnet::bench
