// Datagrams of nobody: Initials from forged addresses (attack 72), empty ones (attack 73).
#include "attackers.hpp"
#include "lab.hpp"

namespace ethnet::testing {
namespace {

using sim::HostId;

constexpr Duration kEvery = microseconds(10);  // 100,000 a second

// A server and peers that ask it for an echo, all the time.
class Besieged {
 public:
  Besieged(Lab& lab, std::size_t peers) : lab_{lab}, server{lab.add({})} {
    for (std::size_t i = 0; i < peers; ++i) {
      FloodPeerOptions options;
      options.echo_period = milliseconds(5);
      honest.push_back(lab.add(options));
      lab.dial(honest.back(), server);
      lab.run(milliseconds(20));  // all at once they would be a flood of their own
    }
    lab.run(seconds(2));
    EXPECT_EQ(lab.peer(server).sessions().session_count(), peers);
  }
  // Datagrams that `make` makes, one every kEvery, until that time; `each` after every event.
  void flood(Duration time, std::function<Bytes()> make, const std::function<bool()>& each) {
    make_ = std::move(make);
    flood_end_ = lab_.world.now() + time;
    forge_some();
    lab_.run(time, each);
  }
  [[nodiscard]] Percentiles asked(Instant from, Instant to) const {
    return lab_.asked_by(honest, from, to);
  }
  // That all is as it was before: sessions, and no handshake of a stranger.
  void expect_peace(std::size_t sessions) {
    const FloodPeer& peer = lab_.peer(server);
    EXPECT_EQ(peer.sessions().session_count(), sessions);
    EXPECT_TRUE(peer.ended().empty());
    EXPECT_EQ(peer.endpoint().half_open_count(), 0U);
    EXPECT_EQ(peer.endpoint().connection_count(), sessions);
  }

 private:
  // What comes in the next millisecond, so that no more is in memory.
  void forge_some() {
    for (Duration in{}; in < milliseconds(1); in = in + kEvery) {
      const Endpoint from = stranger(number_++, 4'000);
      lab_.world.forge(from, server, make_(), in);
    }
    if (lab_.world.now() + milliseconds(1) < flood_end_) {
      lab_.world.after(milliseconds(1), [this](sim::World&) { forge_some(); });
    }
  }

  Lab& lab_;
  std::function<Bytes()> make_;
  Instant flood_end_;
  std::uint32_t number_ = 0;

 public:
  const HostId server;
  std::vector<HostId> honest;
};

// 100,000 Initials a second, each from another address. In every run for a tenth of a second beside
// 4 live sessions; with ETHNET_FLOOD=full for 10 s beside 39. The bound: the 99th percentile of the
// round trips is at most twice that of the quiet second before. A newcomer dials meanwhile, and
// again while it has no session: of the Initials only so many are answered, and which is chance.
TEST(FloodOfInitials, atk_72_LiveSessionsAnswerInBoundedTimeAndStrangersGetThreeTimesTheirBytes) {
  in_lab(72, [](Lab& lab) {
    const auto peers = count<std::size_t>(4, session::Config{}.max_inbound - 1);
    const Duration time = count(milliseconds(100), seconds(10));
    Besieged besieged{lab, peers};
    const FloodPeer& server = lab.peer(besieged.server);
    const quic::EndpointConfig limits;

    const Instant quiet = lab.world.now();
    lab.run(seconds(1));
    const Instant begin = lab.world.now();
    sim::SeededSecureRng rng{lab.world.split("initials")};
    Initials initials{lab.world.split("forged")};
    initials.make_whole(lab.world.now_at(besieged.server), rng, 64);
    const HostId newcomer = lab.add({});
    const Instant dialled = lab.world.now_at(newcomer).mono + milliseconds(50);
    for (Duration in = milliseconds(50); in < time; in = in + seconds(6)) {
      lab.world.after(in, [&](sim::World&) {
        if (lab.peer(newcomer).opened().empty()) lab.dial(newcomer, besieged.server);
      });
    }
    const AllocationMeter meter;
    std::size_t most_half_open = 0;
    bool amplified = false;
    const Duration busy_before = lab.world.busy(besieged.server);
    besieged.flood(
        time, [&] { return initials.next(); },
        [&] {
          most_half_open = std::max(most_half_open, server.endpoint().half_open_count());
          amplified = amplified || server.stranger_bytes_out() > 3 * server.stranger_bytes_in();
          return true;
        });
    const Instant end = lab.world.now();
    const Duration busy = lab.world.busy(besieged.server) - busy_before;
    lab.run(seconds(10));  // unanswered questions, and handshakes that hang, end

    const Percentiles before = besieged.asked(quiet, begin);
    const Percentiles during = besieged.asked(begin, end);
    const auto& counters = server.endpoint().counters();
    fmt::print(
        "quiet: {}\nflood: {}\nInitials read {}, lost at the socket {}, accepted {}, retries {}, "
        "half open at most {}, bytes in {}, out {}, CPU {} % busy, memory at most {} KiB more\n",
        text(before), text(during), server.stranger_bytes_in() / 1'200,
        lab.world.stats().drops(sim::DropReason::receive_buffer), counters.accepted,
        counters.retries_sent, most_half_open, server.stranger_bytes_in(),
        server.stranger_bytes_out(), busy.ns * 100 / time.ns, meter.peak_growth() / 1'024);
    EXPECT_GE(counters.retries_sent, 100U);  // the flood is one
    EXPECT_LT(busy.ns, time.ns);             // and the CPU keeps up with it
    EXPECT_LE(most_half_open, limits.max_half_open);
    EXPECT_FALSE(amplified);
    EXPECT_EQ(during.unanswered, 0U);
    EXPECT_LE(during.p99, before.p99 * 2);
    EXPECT_LE(meter.peak_growth(), 16 << 20);
    ASSERT_EQ(lab.peer(newcomer).opened().size(), 1U);
    const Duration waited = lab.peer(newcomer).opened().front() - dialled;
    fmt::print("a newcomer waited {} ms\n", waited.ns / 1'000'000);
    EXPECT_LE(waited, count(seconds(6), seconds(12)));
    besieged.expect_peace(peers + 1);
  });
}

// 100,000 empty datagrams a second: a read gives no more of them than of others, nothing answers,
// and live sessions go on. 50 ms of it in every run, 5 s with ETHNET_FLOOD=full.
TEST(FloodOfEmptyDatagrams, atk_73_EachCountsAgainstTheBudgetOfARead) {
  in_lab(73, [](Lab& lab) {
    Besieged besieged{lab, 2};
    const FloodPeer& server = lab.peer(besieged.server);
    const Instant quiet = lab.world.now();
    lab.run(seconds(1));
    const Instant begin = lab.world.now();
    const std::uint64_t read_before = server.endpoint().counters().undecodable;
    const Duration time = count(milliseconds(50), seconds(5));
    const AllocationMeter meter;
    besieged.flood(time, [] { return Bytes{}; }, [] { return true; });
    const Instant end = lab.world.now();
    lab.run(seconds(2));
    const Percentiles before = besieged.asked(quiet, begin);
    const Percentiles during = besieged.asked(begin, end);
    fmt::print("quiet: {}\nflood: {}\n", text(before), text(during));
    EXPECT_EQ(server.endpoint().counters().undecodable - read_before,
              static_cast<std::uint64_t>(time.ns / kEvery.ns));
    EXPECT_LE(server.largest_batch(), kMaxDatagramBatch);
    EXPECT_EQ(server.stranger_bytes_out(), 0U);
    EXPECT_EQ(during.unanswered, 0U);
    EXPECT_LE(during.p99, before.p99 * 2);
    EXPECT_LE(meter.growth(), 256 << 10);
    besieged.expect_peace(2);
  });
}

}  // namespace
}  // namespace ethnet::testing
