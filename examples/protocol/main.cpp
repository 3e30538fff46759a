// Two nodes in virtual time, over real QUIC and TLS, on a link that loses one datagram in ten: they
// agree on tally/0.1 and count to ten. The same seed prints the same lines on every machine.
//
//   tally [SEED]
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sim/world.hpp>

#include "tally_node.hpp"

namespace {

using namespace ethnet;

sim::HostSpec host(const std::string& name, const tally::TallyNode::Setup& setup) {
  sim::HostSpec spec;
  spec.name = name;
  spec.factory = [=](const sim::HostEnv& env) {
    const auto print = [=](Now now, const std::string& line) {
      const double seconds = static_cast<double>(now.mono.ns % 1'000'000'000'000) / 1e9;
      std::printf("%6.3f s  %s %s\n", seconds, name.c_str(), line.c_str());
      return line;  // into the trace
    };
    return sim::make_machine_host<tally::TallyNode>(env, print, env, setup);
  };
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  sim::World world{argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1};
  world.set_default_link({.latency = milliseconds(30), .loss_ppm = 100'000});
  // The second also speaks what the first does not: the two agree on the highest common version.
  const auto alice =
      world.add_host(host("alice", {.offers = {"tally/0.1"}, .dials = std::nullopt}));
  const auto bob = world.add_host(host(
      "bob", {.offers = {"tally/0.1", "tally/0.2", "gossip/1"}, .dials = world.endpoint(alice)}));
  // GnuTLS takes its entropy and its clock from this world.
  const sim::VirtualOsScope scope{world};
  world.start(alice);
  world.start(bob);
  const auto reached = [&](sim::HostId id) {
    return world.machine<tally::TallyNode>(id)->reached();
  };
  world.run_until(world.now() + seconds(60),
                  [&] { return reached(alice) < tally::kLast || reached(bob) < tally::kLast; });
  const bool done = reached(alice) == tally::kLast && reached(bob) == tally::kLast;
  std::printf("%s: %llu datagrams sent, %llu lost\n", done ? "done" : "not done",
              static_cast<unsigned long long>(world.stats().sent),
              static_cast<unsigned long long>(world.stats().drops(sim::DropReason::loss)));
  return done ? 0 : 1;
}
