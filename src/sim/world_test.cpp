// A world with a machine that does what the test tells it: every fault, seen from both sides.
#include "world.hpp"

#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ethnet::sim {
namespace {

// Sends when told, and keeps what it receives.
struct Radio {
  struct Heard {
    Endpoint from;
    Endpoint to;
    Bytes bytes;
    Now at;
    std::size_t batch = 0;
  };
  Endpoint local{};
  std::vector<Bytes> records{};
  std::deque<std::pair<Endpoint, Bytes>> outbox{};
  std::size_t segment = 0;  // 0: one datagram a burst
  std::vector<Heard> heard{};
  std::vector<std::int64_t> deadlines{};
  Instant deadline = Instant::never();
  std::deque<Job> jobs{};
  std::deque<StoreOp> ops{};
  std::vector<StoreResult> stored{};
  std::vector<Bytes> worked{};

  void say(const Endpoint& to, std::size_t bytes = 100) { outbox.emplace_back(to, Bytes(bytes)); }

  void handle_datagrams(Now now, std::span<const Datagram> in) noexcept {
    for (const Datagram& d : in) {
      heard.push_back({d.remote, d.local, to_bytes(d.bytes), now, in.size()});
    }
  }
  void handle_deadline(Now now) noexcept {
    if (now.mono < deadline) return;
    deadlines.push_back(now.mono.ns);
    deadline = Instant::never();
  }
  void handle_job_done(Now, const JobResult& done) noexcept { worked.push_back(done.output); }
  void handle_store_done(Now, const StoreResult& done) noexcept { stored.push_back(done); }
  std::optional<Transmit> poll_transmit(Now, MutByteView out) {
    if (outbox.empty()) return std::nullopt;
    const auto [remote, bytes] = std::move(outbox.front());
    outbox.pop_front();
    copy_into(out, bytes);
    return Transmit{.local = local,
                    .remote = remote,
                    .size = bytes.size(),
                    .segment_size = segment == 0 ? bytes.size() : segment};
  }
  std::optional<Job> poll_job() { return take(jobs); }
  std::optional<StoreOp> poll_store() { return take(ops); }
  [[nodiscard]] Instant next_deadline() const { return deadline; }

  template <class T>
  static std::optional<T> take(std::deque<T>& queue) {
    if (queue.empty()) return std::nullopt;
    std::optional<T> front{std::move(queue.front())};
    queue.pop_front();
    return front;
  }
};

struct WorldTest : testing::Test {
  World world{1};

  HostId add(HostOptions options = {}) {
    HostSpec spec;
    spec.options = options;
    spec.factory = [](const HostEnv& env) {
      return make_machine_host<Radio>(env, {}, Radio{.local = env.local, .records = env.records});
    };
    const HostId host = world.add_host(std::move(spec));
    world.start(host);
    return host;
  }
  const Radio& radio(HostId host) { return *world.machine<Radio>(host); }
  void say(HostId from, const Endpoint& to, std::size_t times = 1, std::size_t bytes = 100) {
    world.input<Radio>(from, [&](Radio& r) {
      for (std::size_t i = 0; i < times; ++i) r.say(to, bytes);
    });
  }
  void run(Duration time) { world.run_until(world.now() + time); }
};

TEST_F(WorldTest, CarriesADatagramInTheLatencyOfItsLink) {
  const HostId a = add();
  const HostId b = add({.wake_max = {}});
  world.set_link(a, b, {.latency = milliseconds(30)});
  say(a, world.endpoint(b));
  run(milliseconds(29));
  EXPECT_TRUE(radio(b).heard.empty());
  run(milliseconds(1));
  ASSERT_EQ(radio(b).heard.size(), 1U);
  EXPECT_EQ(radio(b).heard[0].from, world.endpoint(a));
  EXPECT_EQ(radio(b).heard[0].to, world.endpoint(b));
  EXPECT_EQ(radio(b).heard[0].at.mono, world.now_at(b).mono);
}

TEST_F(WorldTest, AHostIsReachedAndAnswersAtEachOfItsAddresses) {
  const HostId a = add();
  const HostId b = add();
  const Endpoint second{IpAddress::loopback_v6(), 9001};
  world.add_address(b, second);
  say(a, second);
  run(seconds(1));
  ASSERT_EQ(radio(b).heard.size(), 1U);
  EXPECT_EQ(radio(b).heard[0].to, second);
  world.input<Radio>(b, [&](Radio& r) {
    r.local = second;
    r.say(world.endpoint(a));
  });
  run(seconds(1));
  ASSERT_EQ(radio(a).heard.size(), 1U);
  EXPECT_EQ(radio(a).heard[0].from, second);
}

TEST_F(WorldTest, AHostIsReachedAndAnswersAtEveryPortOfAnAddressThatIsAllItsOwn) {
  const HostId a = add();
  const HostId b = add();
  const IpAddress ip = IpAddress::v4({std::byte{70}, std::byte{7}, std::byte{7}, std::byte{7}});
  const Endpoint one{ip, 10'000};
  const Endpoint other{ip, 59'999};
  say(a, one);
  run(seconds(1));
  EXPECT_TRUE(radio(b).heard.empty());
  world.add_all_ports(b, ip);
  say(a, one);
  say(a, other);
  run(seconds(1));
  ASSERT_EQ(radio(b).heard.size(), 2U);
  EXPECT_EQ(radio(b).heard[0].to.ip, ip);
  EXPECT_NE(radio(b).heard[0].to.port, radio(b).heard[1].to.port);
  world.input<Radio>(b, [&](Radio& r) {
    r.local = other;
    r.say(world.endpoint(a));
  });
  run(seconds(1));
  ASSERT_EQ(radio(a).heard.size(), 1U);
  EXPECT_EQ(radio(a).heard[0].from, other);
}

TEST_F(WorldTest, AForgedDatagramComesFromNobodyAndMayBeEmpty) {
  const HostId a = add({.wake_max = {}});
  const Endpoint nobody{IpAddress::v4({std::byte{203}}), 7};
  world.forge(nobody, a, Bytes(3), milliseconds(2));
  world.forge(nobody, a, Bytes{}, milliseconds(1));
  run(seconds(1));
  ASSERT_EQ(radio(a).heard.size(), 2U);
  EXPECT_EQ(radio(a).heard[0].from, nobody);
  EXPECT_EQ(radio(a).heard[0].to, world.endpoint(a));
  EXPECT_TRUE(radio(a).heard[0].bytes.empty());
  EXPECT_EQ(radio(a).heard[1].at.mono - radio(a).heard[0].at.mono, milliseconds(1));
  say(a, nobody);
  EXPECT_EQ(world.stats().drops(DropReason::no_route), 1U);
}

TEST_F(WorldTest, ActsOnceWhileTheNextWriteIsInFlight) {
  const HostId a = add();
  std::vector<std::size_t> durable_when_called;
  world.at_next_write(
      a, [&](World& w) { durable_when_called.push_back(w.store(a).durable_operations()); });
  run(seconds(1));
  EXPECT_TRUE(durable_when_called.empty());
  for (std::uint64_t id = 1; id <= 2; ++id) {
    world.input<Radio>(a, [&](Radio& r) { r.ops.push_back({.id = id, .records = {Bytes(3)}}); });
    run(seconds(1));
  }
  EXPECT_EQ(durable_when_called, std::vector<std::size_t>{0});
  EXPECT_EQ(world.store(a).durable_operations(), 2U);
}

TEST_F(WorldTest, SplitsABurstIntoItsDatagrams) {
  const HostId a = add();
  const HostId b = add();
  world.input<Radio>(a, [&](Radio& r) {
    r.segment = 1'000;
    r.say(world.endpoint(b), 2'500);
  });
  run(seconds(1));
  ASSERT_EQ(radio(b).heard.size(), 3U);
  EXPECT_EQ(radio(b).heard[2].bytes.size(), 500U);
}

TEST_F(WorldTest, ReadsInBatchesOfDrawnSize) {
  const HostId a = add();
  const HostId b = add();
  say(a, world.endpoint(b), 500);
  run(seconds(1));
  std::size_t smallest = SIZE_MAX;
  std::size_t largest = 0;
  for (const Radio::Heard& heard : radio(b).heard) {
    smallest = std::min(smallest, heard.batch);
    largest = std::max(largest, heard.batch);
  }
  EXPECT_EQ(radio(b).heard.size(), 500U);
  EXPECT_GE(smallest, 1U);
  EXPECT_GT(largest, 30U);
  EXPECT_LE(largest, kMaxDatagramBatch);
}

TEST_F(WorldTest, ReceiveBuffersOverflow) {
  const HostId a = add();
  const HostId b = add();
  world.pause(b);
  say(a, world.endpoint(b), 1'000);
  say(a, world.endpoint(b), 100);
  run(seconds(1));
  EXPECT_EQ(world.stats().drops(DropReason::receive_buffer), 1'100 - kReceiveBuffer);
  world.unpause(b);
  run(seconds(1));
  EXPECT_EQ(radio(b).heard.size(), kReceiveBuffer);
}

TEST_F(WorldTest, FullSocketsDelayAndLoseNothing) {
  const HostId a = add({.sink_full_ppm = 300'000});
  const HostId b = add();
  say(a, world.endpoint(b), 200);
  run(seconds(5));
  EXPECT_GT(world.stats().sink_full, 20U);
  EXPECT_EQ(radio(b).heard.size(), 200U);
}

TEST_F(WorldTest, CutsOneWayAndPartitionsBoth) {
  const HostId a = add();
  const HostId b = add();
  const HostId c = add();
  world.cut(a, b);
  say(a, world.endpoint(b));
  say(b, world.endpoint(a));
  run(seconds(1));
  EXPECT_TRUE(radio(b).heard.empty());
  EXPECT_EQ(radio(a).heard.size(), 1U);
  world.mend();
  world.isolate(c);
  say(a, world.endpoint(b));
  say(a, world.endpoint(c));
  say(c, world.endpoint(a));
  run(seconds(1));
  EXPECT_EQ(radio(b).heard.size(), 1U);
  EXPECT_EQ(radio(a).heard.size(), 1U);
  EXPECT_TRUE(radio(c).heard.empty());
  EXPECT_EQ(world.stats().drops(DropReason::partition), 3U);
}

TEST_F(WorldTest, ARebindMovesTheHostToANewEndpoint) {
  const HostId a = add();
  const HostId b = add();
  const Endpoint before = world.endpoint(a);
  world.rebind(a);
  EXPECT_NE(world.endpoint(a), before);
  say(a, world.endpoint(b));
  say(b, before);
  say(b, world.endpoint(a));
  run(seconds(1));
  ASSERT_EQ(radio(b).heard.size(), 1U);
  EXPECT_EQ(radio(b).heard[0].from, world.endpoint(a));
  ASSERT_EQ(radio(a).heard.size(), 1U);
  EXPECT_EQ(radio(a).heard[0].to, before);  // inside, nothing has changed
  EXPECT_EQ(world.stats().drops(DropReason::no_route), 1U);
}

TEST_F(WorldTest, FiresADeadlineOnTheHostsOwnClock) {
  const HostId fast = add({.drift_ppm = 1'000});
  const HostId slow = add({.drift_ppm = -1'000});
  for (const HostId host : {fast, slow}) {
    world.input<Radio>(host, [&](Radio& r) { r.deadline = world.now_at(host).mono + seconds(10); });
  }
  run(seconds(10) - milliseconds(9));
  EXPECT_EQ(radio(fast).deadlines.size(), 1U);
  EXPECT_TRUE(radio(slow).deadlines.empty());
  run(milliseconds(20));
  EXPECT_EQ(radio(slow).deadlines.size(), 1U);
}

TEST_F(WorldTest, ADeadlineMayMoveBothWays) {
  const HostId a = add();
  const Instant start = world.now_at(a).mono;
  const auto set = [&](Duration in) {
    world.input<Radio>(a, [&](Radio& r) { r.deadline = start + in; });
  };
  set(seconds(5));
  set(seconds(2));
  set(seconds(3));
  run(seconds(10));
  EXPECT_EQ(radio(a).deadlines, std::vector<std::int64_t>{(start + seconds(3)).ns});
}

TEST_F(WorldTest, ACrashTakesWhatWasNotDurable) {
  const HostId a = add();
  const auto append = [&](std::uint64_t id) {
    world.input<Radio>(a, [&](Radio& r) { r.ops.push_back({.id = id, .records = {Bytes(id)}}); });
  };
  append(1);
  run(seconds(1));
  ASSERT_EQ(radio(a).stored.size(), 1U);
  append(2);
  world.crash(a);
  EXPECT_FALSE(world.is_up(a));
  EXPECT_EQ(world.machine<Radio>(a), nullptr);
  run(seconds(1));
  world.start(a);
  ASSERT_GE(radio(a).records.size(), 1U);
  ASSERT_LE(radio(a).records.size(), 2U);
  EXPECT_EQ(radio(a).records[0].size(), 1U);
  EXPECT_TRUE(radio(a).stored.empty());  // the result of the old life does not reach the new one
  EXPECT_EQ(world.incarnation(a), 1U);
}

TEST_F(WorldTest, WhatIsSentToADeadHostIsDropped) {
  const HostId a = add();
  const HostId b = add();
  world.crash(b);
  say(a, world.endpoint(b));
  run(seconds(1));
  EXPECT_EQ(world.stats().drops(DropReason::host_down), 1U);
}

TEST_F(WorldTest, APausedHostCatchesUp) {
  const HostId a = add();
  const HostId b = add();
  world.input<Radio>(b, [&](Radio& r) {
    r.deadline = world.now_at(b).mono + seconds(1);
    r.jobs.push_back({.id = 1, .name = "work", .work = [] { return Bytes(3); }});
    r.ops.push_back({.id = 1, .records = {}});
  });
  world.pause(b);
  say(a, world.endpoint(b));
  run(seconds(3));
  EXPECT_TRUE(radio(b).heard.empty());
  EXPECT_TRUE(radio(b).deadlines.empty());
  EXPECT_TRUE(radio(b).worked.empty());
  world.unpause(b);
  run(milliseconds(10));
  EXPECT_EQ(radio(b).heard.size(), 1U);
  EXPECT_EQ(radio(b).deadlines.size(), 1U);
  EXPECT_EQ(radio(b).worked, std::vector<Bytes>{Bytes(3)});
  EXPECT_EQ(radio(b).stored.size(), 1U);
}

TEST_F(WorldTest, JobsTakeVirtualTime) {
  const HostId a = add({.job_latency = seconds(2), .job_jitter = {}});
  world.input<Radio>(a, [&](Radio& r) {
    r.jobs.push_back({.id = 1, .name = "work", .work = [] { return Bytes(3); }});
  });
  run(seconds(2) - nanoseconds(1));
  EXPECT_TRUE(radio(a).worked.empty());
  run(nanoseconds(1));
  EXPECT_EQ(radio(a).worked.size(), 1U);
}

TEST_F(WorldTest, TheWallClockJumpsAndTheMonotonicOneDoesNot) {
  const HostId a = add();
  const Now before = world.now_at(a);
  world.jump_wall(a, seconds(-3'600));
  EXPECT_EQ(world.now_at(a).mono, before.mono);
  EXPECT_EQ(world.now_at(a).wall, before.wall + seconds(-3'600));
}

TEST_F(WorldTest, CorruptionFlipsOneBit) {
  const HostId a = add();
  const HostId b = add();
  world.set_link(a, b, {.corrupt_ppm = 1'000'000});
  say(a, world.endpoint(b));
  run(seconds(1));
  ASSERT_EQ(radio(b).heard.size(), 1U);
  int ones = 0;
  for (const std::byte byte : radio(b).heard[0].bytes) {
    ones += std::popcount(std::to_integer<unsigned>(byte));
  }
  EXPECT_EQ(ones, 1);
}

TEST_F(WorldTest, ActionsRunInOrderOfTimeAndThenOfRequest) {
  std::string order;
  world.after(seconds(2), [&](World&) { order += 'c'; });
  world.after(seconds(1), [&](World&) { order += 'a'; });
  world.after(seconds(1), [&](World&) { order += 'b'; });
  run(seconds(5));
  EXPECT_EQ(order, "abc");
}

}  // namespace
}  // namespace ethnet::sim
