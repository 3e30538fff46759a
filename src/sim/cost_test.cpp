// Work that takes virtual time: what it delays, what it loses, and that nothing else moves.
#include <array>
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "world.hpp"

namespace ethnet::sim {
namespace {

// Answers each datagram with one of the same size, and counts a handshake for each.
struct Clerk {
  Endpoint local{};
  bool answers = true;
  std::deque<std::pair<Endpoint, Bytes>> outbox{};
  std::vector<Instant> heard{};  // when, by its own clock
  std::vector<std::size_t> batches{};
  std::vector<Instant> worked{};
  std::vector<Instant> stored{};
  std::vector<Instant> woken{};
  Instant deadline = Instant::never();
  std::deque<Job> jobs{};
  std::deque<StoreOp> ops{};
  Work done{};

  void handle_datagrams(Now now, std::span<const Datagram> in) noexcept {
    batches.push_back(in.size());
    for (const Datagram& datagram : in) {
      heard.push_back(now.mono);
      ++done.handshakes_begun;
      if (answers) outbox.emplace_back(datagram.remote, to_bytes(datagram.bytes));
    }
  }
  void handle_deadline(Now now) noexcept {
    if (now.mono < deadline) return;
    woken.push_back(now.mono);
    deadline = Instant::never();
  }
  void handle_job_done(Now now, const JobResult&) noexcept { worked.push_back(now.mono); }
  void handle_store_done(Now now, const StoreResult&) noexcept { stored.push_back(now.mono); }
  std::optional<Transmit> poll_transmit(Now, MutByteView out) {
    if (outbox.empty()) return std::nullopt;
    const auto [remote, bytes] = std::move(outbox.front());
    outbox.pop_front();
    copy_into(out, bytes);
    return Transmit{
        .local = local, .remote = remote, .size = bytes.size(), .segment_size = bytes.size()};
  }
  std::optional<Job> poll_job() { return take(jobs); }
  std::optional<StoreOp> poll_store() { return take(ops); }
  [[nodiscard]] Instant next_deadline() const { return deadline; }
  [[nodiscard]] Work work() const { return done; }

  template <class T>
  static std::optional<T> take(std::deque<T>& queue) {
    if (queue.empty()) return std::nullopt;
    std::optional<T> front{std::move(queue.front())};
    queue.pop_front();
    return front;
  }
};

// A caller that hears and does nothing, and a clerk whose time costs something.
struct CostTest : testing::Test {
  World world{1};
  HostId caller = add({.wake_max = {}}, false);
  HostId clerk = 0;

  HostId add(HostOptions options, bool answers = true) {
    HostSpec spec;
    spec.options = options;
    spec.factory = [answers](const HostEnv& env) {
      return make_machine_host<Clerk>(env, {}, Clerk{.local = env.local, .answers = answers});
    };
    const HostId host = world.add_host(std::move(spec));
    world.start(host);
    return host;
  }
  void add_clerk(const Costs& costs) {
    HostOptions options;
    options.wake_max = {};
    options.job_latency = options.job_jitter = {};
    options.costs = costs;
    clerk = add(options);
  }
  const Clerk& at(HostId host) { return *world.machine<Clerk>(host); }
  void call(std::size_t times) {
    world.input<Clerk>(caller, [&](Clerk& c) {
      for (std::size_t i = 0; i < times; ++i)
        c.outbox.emplace_back(world.endpoint(clerk), Bytes(100));
    });
  }
  void run(Duration time) { world.run_until(world.now() + time); }
};

TEST_F(CostTest, EachDatagramDelaysThoseBehindIt) {
  add_clerk({.datagram_received = milliseconds(1)});
  call(300);
  run(seconds(1));
  ASSERT_EQ(at(clerk).heard.size(), 300U);
  EXPECT_GT(at(clerk).batches.size(), 2U);
  const Instant first = at(clerk).heard.front();
  std::size_t before = 0;
  for (const std::size_t batch : at(clerk).batches) {
    EXPECT_EQ(at(clerk).heard[before], first + milliseconds(1) * static_cast<std::int64_t>(before));
    before += batch;
  }
  EXPECT_EQ(world.busy(clerk), milliseconds(300));
  EXPECT_EQ(world.busy(caller), Duration{});
  EXPECT_GT(world.stats().deferred, 0U);
}

TEST_F(CostTest, AnAnswerLeavesWhenTheWorkForItIsDone) {
  const Costs costs{.datagram_received = milliseconds(1),
                    .datagram_sent = milliseconds(2),
                    .handshake_begun = milliseconds(10)};
  add_clerk(costs);
  world.set_all_links({.latency = milliseconds(5)});
  const Instant begin = world.now_at(caller).mono;
  call(1);
  run(seconds(1));
  ASSERT_EQ(at(caller).heard.size(), 1U);
  EXPECT_EQ(at(caller).heard[0], begin + milliseconds(5 + 1 + 10 + 2 + 5));
}

// One that reads faster than they come loses none; one that does not loses what its socket cannot
// hold.
TEST_F(CostTest, TheReceiveBufferOfAHostAtWorkOverflows) {
  for (const Duration price : {microseconds(50), microseconds(400)}) {
    add_clerk({.datagram_received = price});
    world.set_link(caller, clerk, {.bits_per_second = 8'000'000, .queue_bytes = 1U << 30});
    const std::uint64_t before = world.stats().drops(DropReason::receive_buffer);
    call(800);  // 100 us each
    call(800);
    call(800);
    run(seconds(5));
    const std::uint64_t lost = world.stats().drops(DropReason::receive_buffer) - before;
    if (price < microseconds(100)) {
      EXPECT_EQ(lost, 0U);
    } else {
      // A quarter is read while they come, the buffer holds more, batches being what they are.
      EXPECT_GT(lost, 2'400U * 3 / 4 - kReceiveBuffer - kMaxDatagramBatch);
      EXPECT_LT(lost, 2'400U * 3 / 4 - kReceiveBuffer + kMaxDatagramBatch);
    }
    EXPECT_EQ(at(clerk).heard.size(), 2'400U - lost);
  }
}

TEST_F(CostTest, DeadlinesAndResultsWaitForTheCpu) {
  add_clerk({.datagram_received = milliseconds(100)});
  const Instant begin = world.now_at(clerk).mono;
  world.input<Clerk>(clerk, [&](Clerk& c) {
    c.deadline = begin + milliseconds(50);
    c.ops.push_back({.id = 1, .records = {}});
    c.jobs.push_back({.id = 1, .name = "", .work = {}});
  });
  world.set_all_links({.latency = {}});
  call(1);
  world.run_until(world.now() + milliseconds(99));
  EXPECT_EQ(at(clerk).heard, std::vector{begin});
  EXPECT_TRUE(at(clerk).woken.empty());
  EXPECT_TRUE(at(clerk).stored.empty());
  run(milliseconds(1));
  EXPECT_EQ(at(clerk).woken, std::vector{begin + milliseconds(100)});
  EXPECT_EQ(at(clerk).stored, std::vector{begin + milliseconds(100)});
}

TEST_F(CostTest, JobsAreDoneOneAfterTheOtherBesideTheCpu) {
  add_clerk({.job = milliseconds(10)});
  const Instant begin = world.now_at(clerk).mono;
  world.input<Clerk>(clerk, [](Clerk& c) {
    for (std::uint64_t id = 1; id <= 3; ++id) {
      c.jobs.push_back({.id = id, .name = "", .work = {}});
    }
  });
  run(seconds(1));
  EXPECT_EQ(at(clerk).worked, (std::vector{begin + milliseconds(10), begin + milliseconds(20),
                                           begin + milliseconds(30)}));
  EXPECT_EQ(world.busy(clerk), Duration{});
}

TEST_F(CostTest, ACrashEndsTheWork) {
  add_clerk({.handshake_begun = seconds(10), .job = seconds(10)});
  const auto begin_job = [&] {
    world.input<Clerk>(clerk,
                       [](Clerk& c) { c.jobs.push_back({.id = 1, .name = "", .work = {}}); });
  };
  begin_job();
  call(1);
  run(seconds(1));
  EXPECT_EQ(at(clerk).done.handshakes_begun, 1U);
  world.crash(clerk);
  world.start(clerk);
  begin_job();
  const Instant again = world.now_at(clerk).mono;
  run(seconds(11));
  EXPECT_EQ(at(clerk).worked, std::vector{again + seconds(10)});
  EXPECT_EQ(world.busy(clerk), seconds(10));
  call(1);  // counted from nothing again
  run(seconds(1));
  EXPECT_EQ(world.busy(clerk), seconds(20));
}

// Sends, answers, jobs, writes and full sockets on a bad network: everything that draws.
std::uint64_t trace_of(std::uint64_t seed, const Costs& costs) {
  World world{seed};
  LinkOptions link;
  link.jitter = milliseconds(2);
  link.loss_ppm = link.duplicate_ppm = link.reorder_ppm = link.corrupt_ppm = 50'000;
  world.set_default_link(link);
  HostOptions options;
  options.sink_full_ppm = 100'000;
  options.store.slow_ppm = 100'000;
  options.store.slow = milliseconds(100);
  options.costs = costs;
  std::array<HostId, 2> hosts{};
  for (HostId& host : hosts) {
    HostSpec spec;
    spec.options = options;
    const bool answers = &host == &hosts.back();
    spec.factory = [answers](const HostEnv& env) {
      return make_machine_host<Clerk>(env, {}, Clerk{.local = env.local, .answers = answers});
    };
    host = world.add_host(std::move(spec));
    world.start(host);
  }
  for (std::uint64_t round = 1; round <= 50; ++round) {
    for (const HostId host : hosts) {
      world.input<Clerk>(host, [&](Clerk& c) {
        c.outbox.emplace_back(world.endpoint(hosts[0] + hosts[1] - host), Bytes(200));
        c.jobs.push_back({.id = round, .name = "", .work = {}});
        c.ops.push_back({.id = round, .records = {Bytes(3)}});
        c.deadline = world.now_at(host).mono + milliseconds(7);
      });
    }
    if (round % 20 == 0) {
      world.crash(hosts[0]);
      world.start(hosts[0]);
    }
    world.run_until(world.now() + milliseconds(10));
  }
  return world.trace().hash();
}

TEST(Costs, ThePriceOfWorkThatIsNotDoneChangesNoTrace) {
  const Costs unused{.header_decoded = seconds(1), .lookup = seconds(1)};
  EXPECT_TRUE(unused.any());
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(trace_of(seed, unused), trace_of(seed, {})) << seed;
  }
}

TEST(Costs, TheSameSeedWithPricesGivesTheSameTrace) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::uint64_t first = trace_of(seed, measured_costs());
    EXPECT_EQ(first, trace_of(seed, measured_costs())) << seed;
    EXPECT_NE(first, trace_of(seed, {})) << seed;
  }
}

TEST(Costs, WorkIsPricedByItsDifference) {
  const Costs costs{.handshake_begun = nanoseconds(1),
                    .handshake_completed = nanoseconds(10),
                    .token = nanoseconds(100),
                    .header_decoded = nanoseconds(1'000),
                    .lookup = nanoseconds(10'000)};
  const Work before{.handshakes_begun = 5, .lookups = 5};
  const Work after{.handshakes_begun = 6,
                   .handshakes_completed = 2,
                   .tokens = 3,
                   .headers_decoded = 4,
                   .lookups = 10};
  EXPECT_EQ(costs.of(before, after), nanoseconds(54'321));
  EXPECT_EQ(costs.of(after, after), Duration{});
  EXPECT_FALSE(Costs{}.any());
}

}  // namespace
}  // namespace ethnet::sim
