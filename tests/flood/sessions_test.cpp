// Peers that have a session and abuse it: pings without end (attack 5), one protocol that drowns
// another (attack 17), one that does not read (attack 18).
#include <session/control.hpp>

#include "lab.hpp"

namespace ethnet::testing {
namespace {

using session::DisconnectReason;
using sim::HostId;

constexpr std::size_t kMiB = 1024 * 1024;

// A million pings from one who reads nothing any more and comes again each time it is thrown out.
// The whole count in every run: what a connection does not take costs nobody anything.
TEST(FloodOfPings, atk_05_AMillionPingsWithoutReadingCostLittleAndEndEachSession) {
  in_lab(5, [](Lab& lab) {
    const HostId server = lab.add({});
    FloodPeerOptions asks;
    asks.echo_period = milliseconds(5);
    const HostId honest = lab.add(asks);
    FloodPeerOptions hears_nothing;
    hears_nothing.deaf_once_open = true;
    const HostId flooder = lab.add(hears_nothing);
    lab.dial(honest, server);
    lab.run(seconds(2));
    const FloodPeer& peer = lab.peer(server);
    const Instant quiet = lab.world.now();
    lab.run(seconds(2));
    const Instant begin = lab.world.now();

    Bytes pings;
    constexpr std::size_t kAtOnce = 10'000;
    for (std::size_t i = 0; i < kAtOnce; ++i) append(pings, session::encode_ping());
    std::size_t offered = 0;
    std::size_t taken = 0;
    std::int64_t most = 0;
    std::size_t most_accounted = 0;
    const AllocationMeter meter;
    while (offered < 1'000'000) {
      const FloodPeer& attacker = lab.peer(flooder);
      const bool is_out = attacker.sessions().session_count() == 0;
      if (is_out && !attacker.sessions().is_dialing(lab.world.endpoint(server))) {
        lab.dial(flooder, server);
      }
      if (!is_out) {
        const Now now = lab.world.now_at(flooder);
        lab.world.input<FloodPeer>(flooder,
                                   [&](FloodPeer& f) { taken += f.write_on_control(now, pings); });
        offered += kAtOnce;
      }
      lab.run(milliseconds(2));
      most = std::max(most, meter.growth());
      most_accounted = std::max(most_accounted, peer.sessions().snapshot().memory_bytes);
    }
    const Instant end = lab.world.now();
    lab.run(seconds(5));
    const Percentiles before = lab.asked_by({honest}, quiet, begin);
    const Percentiles during = lab.asked_by({honest}, begin, end);
    fmt::print(
        "{} pings offered, {} taken, {} sessions ended\nquiet: {}\nflood: {}\nmemory at most "
        "{} KiB more, accounted {} KiB\n",
        offered, taken / session::encode_ping().size(), peer.ended().size(), text(before),
        text(during), most / 1'024, most_accounted / 1'024);
    EXPECT_GT(peer.ended().size(), 3U);
    for (const FloodPeer::Ended& ended : peer.ended()) {
      EXPECT_EQ(ended.reason, DisconnectReason::ping_flood);
    }
    EXPECT_LE(most, std::int64_t{kMiB});
    EXPECT_LE(most_accounted, kMiB);
    EXPECT_EQ(during.unanswered, 0U);
    EXPECT_LT(during.p99, before.p99 * 2);
    EXPECT_EQ(lab.peer(honest).ended().size(), 0U);
  });
}

// One protocol has bulk without end, in either direction or in both, over a line of 50 Mbit/s; the
// other asks and answers on the same session. For a second in every run, for a minute with
// ETHNET_FLOOD=full.
class OneProtocolFloods : public ::testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(OneProtocolFloods, atk_17_AnotherOnTheSameSessionIsServedInLessThanThreeTimesTheIdleTime) {
  const auto [asker_floods, answerer_floods] = GetParam();
  in_lab(17, [asks_floods = asker_floods, answers_floods = answerer_floods](Lab& lab) {
    const HostId server = lab.add({});
    FloodPeerOptions options;
    options.echo_period = milliseconds(5);
    const HostId asker = lab.add(options);
    sim::LinkOptions line;
    line.latency = milliseconds(10);
    line.bits_per_second = 50'000'000;
    line.queue_bytes = 64 * 1024;
    lab.world.set_all_links(line);
    lab.dial(asker, server);
    lab.run(seconds(2));
    const Instant idle = lab.world.now();
    lab.run(seconds(1));
    const Instant begin = lab.world.now();
    const AllocationMeter meter;
    const auto flood = [&](HostId host) {
      const Now now = lab.world.now_at(host);
      lab.world.input<FloodPeer>(host, [&](FloodPeer& f) { f.begin_bulk(now); });
    };
    if (asks_floods) flood(asker);
    if (answers_floods) flood(server);
    std::size_t most = 0;
    const Duration time = count(seconds(1), seconds(60));
    const Instant begin_of_bulk = lab.world.now();
    while (lab.world.now() < begin_of_bulk + time) {
      lab.run(milliseconds(1));
      for (const HostId host : {asker, server}) {
        most = std::max(most, lab.peer(host).sessions().snapshot().memory_bytes);
      }
    }
    const Instant end = lab.world.now();
    for (const HostId host : {asker, server}) {
      lab.world.input<FloodPeer>(host, [](FloodPeer& f) { f.end_bulk(); });
    }
    lab.run(seconds(5));
    const Percentiles before = lab.asked_by({asker}, idle, begin);
    const Percentiles during = lab.asked_by({asker}, begin, end);
    const std::uint64_t bulk = lab.peer(asker).bulk_bytes_in() + lab.peer(server).bulk_bytes_in();
    fmt::print(
        "idle: {}\nflood: {}\n{} KiB of bulk, session memory at most {} KiB, allocated at "
        "most {} KiB more\n",
        text(before), text(during), bulk / 1'024, most / 1'024, meter.peak_growth() / 1'024);
    EXPECT_GT(bulk, static_cast<std::uint64_t>(time.ns) / 1'000 * 50 / 8 / 2);  // half the line
    EXPECT_EQ(during.unanswered, 0U);
    EXPECT_LT(during.p99, before.p99 * 3);
    EXPECT_LE(most, 64 * kMiB);
    EXPECT_LE(meter.peak_growth(), static_cast<std::int64_t>(64 * kMiB));
    EXPECT_EQ(lab.peer(server).sessions().session_count(), 1U);
  });
}

INSTANTIATE_TEST_SUITE_P(Directions, OneProtocolFloods,
                         ::testing::Values(std::tuple{true, false}, std::tuple{false, true},
                                           std::tuple{true, true}));

TEST(DeafPeer, atk_18_IsDroppedAfterTwentySecondsAndHoldsTwelveMebibytesAtMost) {
  in_lab(18, [](Lab& lab) {
    const HostId server = lab.add({});
    FloodPeerOptions asks;
    asks.echo_period = milliseconds(20);
    const HostId honest = lab.add(asks);
    FloodPeerOptions hears_nothing;
    hears_nothing.deaf = true;
    const HostId deaf = lab.add(hears_nothing);
    lab.dial(honest, server);
    lab.dial(deaf, server);
    lab.run(seconds(2));
    const FloodPeer& peer = lab.peer(server);
    ASSERT_EQ(peer.sessions().session_count(), 2U);
    const Instant begin = lab.world.now();
    const Instant begin_there = lab.world.now_at(server).mono;
    const AllocationMeter meter;
    const Now now = lab.world.now_at(server);
    const Endpoint to = lab.world.endpoint(deaf);
    lab.world.input<FloodPeer>(server, [&](FloodPeer& f) { f.begin_bulk(now, to); });
    std::size_t most = 0;
    while (lab.world.now() < begin + seconds(25)) {
      lab.run(milliseconds(5));
      most = std::max(most, peer.sessions().snapshot().memory_bytes);
    }
    const Instant end = lab.world.now();
    lab.run(seconds(5));
    const Percentiles during = lab.asked_by({honest}, begin, end);
    ASSERT_EQ(peer.ended().size(), 1U);
    fmt::print(
        "ended after {} ms, memory at most {} KiB, allocated at most {} KiB more\nhonest: {}\n",
        (peer.ended().front().at - begin_there).ns / 1'000'000, most / 1'024,
        meter.peak_growth() / 1'024, text(during));
    EXPECT_EQ(peer.ended().front().reason, DisconnectReason::write_timeout);
    EXPECT_LE(peer.ended().front().at - begin_there, milliseconds(20'500));
    EXPECT_LE(most, 12 * kMiB);
    EXPECT_LE(meter.peak_growth(), static_cast<std::int64_t>(12 * kMiB));
    EXPECT_EQ(during.unanswered, 0U);
    EXPECT_LE(during.p99, milliseconds(40));
    EXPECT_EQ(lab.peer(honest).ended().size(), 0U);
  });
}

}  // namespace
}  // namespace ethnet::testing
