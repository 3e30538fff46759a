// Crowds that connect and do not become sessions: those that trickle (attack 8), those that come
// and go (attack 9).
#include "attackers.hpp"
#include "lab.hpp"

namespace ethnet::testing {
namespace {

using sim::HostId;

template <class M, class Options>
HostId add_attacker(Lab& lab, const Options& options) {
  sim::HostSpec spec;
  spec.options.costs = sim::measured_costs();
  spec.factory = [options](const sim::HostEnv& env) {
    return sim::make_machine_host<M>(env, {}, env, options);
  };
  return lab.world.add_host(std::move(spec));
}

// Strangers, each from an address of its own.
void slow_handshakes(Lab& lab, std::uint32_t n, Duration deaf_for) {
  const HostId server = lab.add({});
  const HostId honest = lab.add({});
  SlowStrangers::Options options;
  options.victim = lab.world.endpoint(server);
  options.deaf_for = deaf_for;
  for (std::uint32_t i = 0; i < n; ++i) options.addresses.push_back(stranger(i * 256, 4'000));
  const HostId crowd = add_attacker<SlowStrangers>(lab, options);
  for (const Endpoint& address : options.addresses) lab.world.add_address(crowd, address);
  const AllocationMeter meter;
  lab.world.start(crowd);
  const FloodPeer& peer = lab.peer(server);
  const session::Config limits;
  std::size_t most_pending = 0;
  std::size_t most_half_open = 0;
  const auto watch = [&] {
    if (lab.world.touched() != server) return true;
    const auto snapshot = peer.sessions().snapshot();
    most_pending = std::max(most_pending, snapshot.handshaking + snapshot.proven);
    most_half_open = std::max(most_half_open, peer.endpoint().half_open_count());
    return true;
  };
  // In the middle of it, an honest one.
  lab.run(deaf_for + milliseconds(800), watch);
  lab.dial(honest, server);
  const Instant dialled = lab.world.now_at(honest).mono;
  lab.run(seconds(12), watch);

  ASSERT_EQ(lab.peer(honest).opened().size(), 1U);
  EXPECT_LE(lab.peer(honest).opened().front() - dialled, seconds(6));
  EXPECT_TRUE(lab.peer(honest).failed_dials().empty());
  EXPECT_LE(most_pending, limits.max_pending_inbound);
  const auto& strangers = lab.world.machine<SlowStrangers>(crowd)->strangers();
  std::size_t opened = 0;
  Duration longest;
  for (const SlowStrangers::Stranger& one : strangers) {
    if (!one.opened) continue;  // it never had a place: not even its Initial was taken
    ++opened;
    ASSERT_TRUE(one.closed);
    longest = std::max(longest, *one.closed - one.begins);
  }
  fmt::print(
      "{} strangers, {} opened, pending at most {}, half open at most {}, the longest lasted "
      "{} ms, memory at most {} KiB more\n",
      n, opened, most_pending, most_half_open, longest.ns / 1'000'000, meter.peak_growth() / 1'024);
  EXPECT_GT(opened, n / 2);
  EXPECT_LE(longest, milliseconds(5'500));
  EXPECT_EQ(peer.sessions().snapshot().handshaking, 0U);
  EXPECT_EQ(peer.endpoint().connection_count(), 1U);
}

// 2,000 with ETHNET_FLOOD=full; in every run 220, more than there are places (max_pending_inbound).
TEST(SlowHandshakes, atk_08_ACrowdThatTricklesIsClosedInTimeAndAnHonestDialSucceeds) {
  in_lab(8, [](Lab& lab) { slow_handshakes(lab, count<std::uint32_t>(220, 2'000), {}); });
}

// The transport's handshake is stretched first, and then the session's: one deadline holds for
// both. So few that none is asked to prove its address first, which would begin its time anew.
TEST(SlowHandshakes, atk_08_TheTransportsHandshakeCountsAgainstTheSameDeadline) {
  in_lab(80, [](Lab& lab) { slow_handshakes(lab, 20, milliseconds(4'000)); });
}

// 100,000 with ETHNET_FLOOD=full; 400 in every run.
void come_and_go(Lab& lab, Duration latency, std::size_t at_once, std::size_t max_connections) {
  FloodPeerOptions small;
  small.quic.max_connections = max_connections;
  const HostId server = lab.add(small);
  Closer::Options options;
  options.victim = lab.world.endpoint(server);
  options.at_once = at_once;
  options.total = count<std::uint64_t>(400, 100'000);
  const HostId closer = add_attacker<Closer>(lab, options);
  sim::LinkOptions link;
  link.latency = latency;
  lab.world.set_link(closer, server, link);
  lab.world.set_link(server, closer, link);
  const HostId honest = lab.add({});
  lab.world.start(closer);
  const Closer& attack = *lab.world.machine<Closer>(closer);
  const FloodPeer& peer = lab.peer(server);
  lab.world.input<Closer>(closer, [&](Closer& c) { c.begin(lab.world.now_at(closer)); });
  const auto dialled = [&](std::uint64_t n) { return [&, n] { return attack.dialled() < n; }; };
  lab.run(seconds(10'000), dialled(options.total / 4));  // what libraries and tables keep is there
  const AllocationMeter meter;
  std::size_t most = 0;
  lab.run(seconds(10'000), [&] {
    most = std::max(most, peer.endpoint().connection_count());
    return attack.dialled() < options.total;
  });
  // While the last of them are there.
  lab.dial(honest, server);
  const Instant begin = lab.world.now_at(honest).mono;
  lab.run(seconds(8));
  ASSERT_EQ(lab.peer(honest).opened().size(), 1U);
  EXPECT_LE(lab.peer(honest).opened().front() - begin, seconds(1));
  EXPECT_TRUE(lab.peer(honest).failed_dials().empty());
  lab.run(seconds(60));
  fmt::print(
      "{} came, {} finished their handshake, {} connections at most, memory {} KiB more at "
      "the end, {} KiB at most\n",
      attack.dialled(), attack.completed(), most, meter.growth() / 1'024,
      meter.peak_growth() / 1'024);
  EXPECT_TRUE(attack.done());
  EXPECT_GT(attack.completed(), options.total / 4);
  EXPECT_LE(meter.growth(), 5 << 20);
  EXPECT_LE(meter.peak_growth(), 5 << 20);
  EXPECT_EQ(peer.endpoint().connection_count(), 1U);
  EXPECT_EQ(peer.sessions().session_count(), 1U);
}

TEST(ComeAndGo, atk_09_MemoryStaysFlatAndTheNextHonestHandshakeSucceedsAtOnce) {
  // No more at once than one host may have half open: nearly all of them finish.
  in_lab(9, [](Lab& lab) { come_and_go(lab, milliseconds(10), 16, 1'024); });
}

// From far away: more connections are in their closing period than the table has places.
TEST(ComeAndGo, atk_09_ThoseThatAreOverTakeNobodysPlace) {
  in_lab(90, [](Lab& lab) { come_and_go(lab, milliseconds(150), 64, 64); });
}

}  // namespace
}  // namespace ethnet::testing
