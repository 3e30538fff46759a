#include "checked.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "pump.hpp"

namespace ethnet {
namespace {

Now at(std::int64_t ns) { return {Instant{ns}, UnixTime{ns}}; }

// Keeps the contract; each switch breaks one rule of it.
struct Obedient {
  std::size_t events = 0;
  std::size_t event_every_polls = 0;  // breaks: silent once drained
  std::size_t polls = 0;
  bool endless = false;         // breaks: a drain ends
  bool deadline_stays = false;  // breaks: the deadline advances
  Instant deadline = Instant::never();
  std::size_t segment_size = 100;
  std::size_t burst_size = 0;
  std::uint64_t job_id = 0;
  std::size_t jobs = 0;
  std::size_t store_ops = 0;
  std::uint64_t next_store_id = 1;
  bool is_closed = false;
  bool over_limit = false;

  void handle_datagrams(Now, std::span<const Datagram> in) noexcept { events += in.size(); }
  void handle_deadline(Now) noexcept {
    if (!deadline_stays) deadline = Instant::never();
  }
  void handle_job_done(Now, const JobResult&) noexcept {}
  void handle_store_done(Now, const StoreResult&) noexcept {}
  std::optional<Transmit> poll_transmit(Now, MutByteView) {
    if (burst_size == 0) return std::nullopt;
    Transmit transmit;
    transmit.size = std::exchange(burst_size, 0);
    transmit.segment_size = segment_size;
    return transmit;
  }
  std::optional<int> poll_event() {
    ++polls;
    if (endless) return 0;
    if (event_every_polls > 0 && polls % event_every_polls == 0) return 0;
    if (events == 0) return std::nullopt;
    --events;
    return 0;
  }
  std::optional<Job> poll_job() {
    if (jobs == 0) return std::nullopt;
    --jobs;
    return Job{.id = job_id, .name = "test", .work = {}};
  }
  std::optional<StoreOp> poll_store() {
    if (store_ops == 0) return std::nullopt;
    --store_ops;
    return StoreOp{.id = next_store_id++, .records = {}};
  }
  [[nodiscard]] Instant next_deadline() const { return deadline; }
  [[nodiscard]] bool closed() const { return is_closed; }
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const {
    if (over_limit) return "pending requests";
    return std::nullopt;
  }
};

struct NullSink {
  bool transmit(const Transmit&, ByteView) { return true; }
  void event(int) {}
  void job(const Job&) {}
  void store(const StoreOp&) {}
};

struct CheckedTest : testing::Test {
  Checked<Obedient> checked;
  Obedient& machine = checked.machine();
  NullSink sink;
  Bytes buffer = Bytes(kTransmitBufferBytes);
  Pump<Checked<Obedient>, NullSink> pump{checked, sink, buffer};
};
using CheckedDeathTest = CheckedTest;

TEST_F(CheckedTest, LetsAnObedientMachinePass) {
  machine.deadline = Instant{5};
  machine.jobs = 1;
  machine.store_ops = 3;
  machine.burst_size = 6'400;
  pump.handle_datagrams(at(3), std::vector<Datagram>(10));
  EXPECT_TRUE(checked.drained());
  EXPECT_EQ(pump.next_deadline(), Instant{5});
  pump.handle_deadline(at(5));
  pump.handle_job_done(at(5), JobResult{.id = 0, .output = {}});
  for (std::uint64_t id = 1; id <= 3; ++id) pump.handle_store_done(at(6), StoreResult{.id = id});
  pump.input(at(7), [](Checked<Obedient>& c) { c.machine().is_closed = true; });
  pump.handle_datagrams(at(8), {});
  EXPECT_EQ(pump.stats().events, 10U);
}

TEST_F(CheckedDeathTest, TimeMustNotGoBack) {
  pump.handle_deadline(at(5));
  EXPECT_DEATH(pump.handle_deadline(at(4)), "time_is_monotone");
  EXPECT_DEATH((void)checked.poll_transmit(at(4), buffer), "time_is_monotone");
}

TEST_F(CheckedDeathTest, ADrainedMachineMustStaySilent) {
  machine.event_every_polls = 3;
  pump.handle_datagrams(at(1), {});
  ASSERT_TRUE(checked.drained());
  EXPECT_DEATH(
      {
        (void)checked.poll_event();
        (void)checked.poll_event();
      },
      "drained_machine_is_silent");
}

TEST_F(CheckedDeathTest, ADrainMustEnd) {
  machine.endless = true;
  EXPECT_DEATH(while (checked.poll_event()){}, "drain_is_bounded");
}

TEST_F(CheckedDeathTest, NoDeadlineMayLieInThePastAfterItWasHandled) {
  machine.deadline_stays = true;
  machine.deadline = Instant{4};
  EXPECT_DEATH(
      {
        pump.handle_deadline(at(5));
        (void)pump.next_deadline();
      },
      "deadline_is_not_in_the_past");
}

TEST_F(CheckedDeathTest, ADeadlineMustAdvanceInTheEnd) {
  machine.deadline_stays = true;
  machine.deadline = Instant{5};
  EXPECT_DEATH(
      {
        for (int i = 0; i < 100; ++i) pump.handle_deadline(at(5));
      },
      "deadline_advances");
}

TEST_F(CheckedDeathTest, ABurstMustFit) {
  machine.burst_size = 6'401;  // 65 segments of 100
  EXPECT_DEATH(pump.resume(at(1)), "segments_are_within_limit");
  machine.burst_size = kTransmitBufferBytes + 1;
  EXPECT_DEATH(pump.resume(at(1)), "burst_fits_buffer");
}

TEST_F(CheckedDeathTest, JobIdsMustBeUnique) {
  machine.jobs = 2;
  EXPECT_DEATH(pump.resume(at(1)), "job_id_is_unique");
}

TEST_F(CheckedDeathTest, TheDriverMustAnswerOutstandingJobsOnly) {
  EXPECT_DEATH(pump.handle_job_done(at(1), JobResult{.id = 7, .output = {}}), "job_is_outstanding");
}

TEST_F(CheckedDeathTest, TheDriverMustAnswerStoreOperationsInOrder) {
  machine.store_ops = 2;
  pump.resume(at(1));
  EXPECT_DEATH(pump.handle_store_done(at(2), StoreResult{.id = 2}), "oldest_store_op_is_answered");
}

TEST_F(CheckedDeathTest, NothingMayComeAfterClose) {
  machine.is_closed = true;
  machine.events = 1;
  pump.resume(at(1));  // the last drain
  machine.events = 1;
  EXPECT_DEATH(pump.handle_datagrams(at(2), {}), "closed_machine_is_silent");
  machine.events = 0;
  machine.deadline = Instant{9};
  EXPECT_DEATH((void)pump.next_deadline(), "no_deadline_after_close");
  machine.deadline = Instant::never();
  machine.is_closed = false;
  EXPECT_DEATH(pump.handle_datagrams(at(3), {}), "close_is_final");
}

TEST_F(CheckedDeathTest, QueuesMustStayWithinTheirLimits) {
  machine.over_limit = true;
  EXPECT_DEATH(pump.resume(at(1)), "queues_are_within_limits");
}

}  // namespace
}  // namespace ethnet
