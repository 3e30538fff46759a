#include "pump.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ethnet {
namespace {

Now at(std::int64_t ns) { return {Instant{ns}, UnixTime{ns}}; }

// Yields what the test put into it, and remembers what it was asked at which time.
struct ScriptedMachine {
  std::vector<std::string> inputs;
  std::vector<std::int64_t> poll_times;
  std::size_t bursts = 0;
  std::size_t events = 0;
  std::size_t jobs = 0;
  std::size_t ops = 0;
  Instant deadline = Instant::never();
  Instant deadline_after = Instant::never();
  std::uint8_t serial = 0;

  void handle_datagrams(Now, std::span<const Datagram> in) noexcept {
    inputs.push_back("datagrams " + std::to_string(in.size()));
    bursts += in.size();
  }
  void handle_deadline(Now now) noexcept {
    inputs.push_back("deadline " + std::to_string(now.mono.ns));
    deadline = deadline_after;
  }
  void handle_job_done(Now, const JobResult& done) noexcept {
    inputs.push_back("job " + std::to_string(done.id));
    ++events;
  }
  void handle_store_done(Now, const StoreResult& done) noexcept {
    inputs.push_back("store " + std::to_string(done.id));
    ++bursts;
  }
  std::optional<Transmit> poll_transmit(Now now, MutByteView out) {
    poll_times.push_back(now.mono.ns);
    if (bursts == 0) return std::nullopt;
    --bursts;
    out[0] = std::byte{++serial};
    Transmit transmit;
    transmit.size = 1;
    transmit.segment_size = 1;
    return transmit;
  }
  std::optional<int> poll_event() {
    if (events == 0) return std::nullopt;
    --events;
    ++jobs;  // an output may make another ready
    return 1;
  }
  std::optional<Job> poll_job() {
    if (jobs == 0) return std::nullopt;
    --jobs;
    ++ops;
    return Job{.id = 9, .name = "test", .work = {}};
  }
  std::optional<StoreOp> poll_store() {
    if (ops == 0) return std::nullopt;
    --ops;
    return StoreOp{.id = 4, .records = {}};
  }
  [[nodiscard]] Instant next_deadline() const { return deadline; }
};

struct RecordingSink {
  std::vector<std::uint8_t> sent;
  std::size_t room = SIZE_MAX;
  int events = 0;
  int jobs = 0;
  int ops = 0;

  bool transmit(const Transmit&, ByteView bytes) {
    if (room == 0) return false;
    --room;
    sent.push_back(std::to_integer<std::uint8_t>(bytes.front()));
    return true;
  }
  void event(int) { ++events; }
  void job(const Job&) { ++jobs; }
  void store(const StoreOp&) { ++ops; }
};

struct PumpTest : testing::Test {
  ScriptedMachine machine;
  RecordingSink sink;
  Bytes buffer = Bytes(kTransmitBufferBytes);
  Pump<ScriptedMachine, RecordingSink> pump{machine, sink, buffer};
};

TEST_F(PumpTest, DrainsEveryOutputAtTheTimeOfTheInput) {
  machine.events = 3;
  const std::vector<Datagram> batch(5);
  pump.handle_datagrams(at(17), batch);
  EXPECT_EQ(sink.sent.size(), 5U);
  EXPECT_EQ(sink.events, 3);
  EXPECT_EQ(sink.jobs, 3);  // made ready by the events
  EXPECT_EQ(sink.ops, 3);   // made ready by the jobs
  EXPECT_FALSE(pump.needs_drain());
  for (const std::int64_t time : machine.poll_times) EXPECT_EQ(time, 17);
}

TEST_F(PumpTest, HandlesADueDeadlineOnceMoreInTheSameTurn) {
  machine.deadline = Instant{10};
  machine.deadline_after = Instant{10};  // still due: the timer's business, not this turn's
  pump.handle_datagrams(at(10), {});
  EXPECT_EQ(machine.inputs, (std::vector<std::string>{"datagrams 0", "deadline 10"}));
  EXPECT_EQ(pump.next_deadline(), Instant{10});
  EXPECT_EQ(pump.stats().deadlines_repeated, 1U);
}

TEST_F(PumpTest, LeavesALaterDeadlineAlone) {
  machine.deadline = Instant{11};
  pump.handle_datagrams(at(10), {});
  EXPECT_EQ(machine.inputs.size(), 1U);
  EXPECT_EQ(pump.next_deadline(), Instant{11});
}

TEST_F(PumpTest, KeepsTheTransmitThatAFullSinkRefused) {
  sink.room = 2;
  machine.events = 1;
  pump.handle_datagrams(at(1), std::vector<Datagram>(4));
  EXPECT_TRUE(pump.waits_for_writable());
  EXPECT_EQ(sink.sent, (std::vector<std::uint8_t>{1, 2}));
  EXPECT_EQ(sink.events, 1);  // the other outputs went on
  EXPECT_EQ(machine.bursts, 1U);

  pump.handle_datagrams(at(2), {});  // still full: nothing is polled or offered
  EXPECT_EQ(machine.bursts, 1U);

  sink.room = 10;
  pump.handle_writable(at(3));
  EXPECT_FALSE(pump.waits_for_writable());
  EXPECT_EQ(sink.sent, (std::vector<std::uint8_t>{1, 2, 3, 4}));
}

TEST_F(PumpTest, ADueDeadlineWaitsWhileTheSinkIsFull) {
  sink.room = 0;
  machine.deadline = Instant{5};
  pump.handle_datagrams(at(5), std::vector<Datagram>(1));
  EXPECT_TRUE(pump.next_deadline().is_never());
  sink.room = 1;
  pump.handle_writable(at(6));
  EXPECT_EQ(machine.inputs.back(), "deadline 6");
}

TEST_F(PumpTest, StopsAtItsBudgetAndGoesOn) {
  Pump<ScriptedMachine, RecordingSink> small{machine, sink, buffer, {.drain_budget = 3}};
  small.handle_datagrams(at(1), std::vector<Datagram>(7));
  EXPECT_TRUE(small.needs_drain());
  EXPECT_EQ(sink.sent.size(), 3U);
  small.resume(at(2));
  EXPECT_EQ(sink.sent.size(), 6U);
  small.resume(at(3));
  EXPECT_EQ(sink.sent.size(), 7U);
  EXPECT_FALSE(small.needs_drain());
  EXPECT_EQ(small.stats().budget_spent, 2U);
}

TEST_F(PumpTest, NoKindStarvesAnother) {
  Pump<ScriptedMachine, RecordingSink> small{
      machine, sink, buffer, {.drain_budget = 2 * kItemsPerKindAndPass}};
  machine.bursts = 10 * kItemsPerKindAndPass;
  machine.events = 1;
  small.resume(at(1));
  EXPECT_TRUE(small.needs_drain());
  EXPECT_EQ(sink.events, 1);
}

TEST_F(PumpTest, JobAndStoreResultsAndCommandsAreInputsToo) {
  pump.handle_job_done(at(1), JobResult{.id = 9, .output = {}});
  pump.handle_store_done(at(2), StoreResult{.id = 4});
  pump.input(at(3), [](ScriptedMachine& m) { m.bursts += 2; });
  EXPECT_EQ(machine.inputs, (std::vector<std::string>{"job 9", "store 4"}));
  EXPECT_EQ(sink.events, 1);
  EXPECT_EQ(sink.sent.size(), 3U);
}

TEST_F(PumpTest, RefusesABatchBeyondTheContract) {
  const std::vector<Datagram> batch(kMaxDatagramBatch + 1);
  EXPECT_DEATH(pump.handle_datagrams(at(1), batch), "batch.size\\(\\) <= kMaxDatagramBatch");
}

// Keeps up to three, as a socket that sends several at once.
struct GatheringSink : RecordingSink {
  std::vector<std::uint8_t> kept;
  std::vector<std::string> steps;

  bool transmit(const Transmit&, ByteView bytes) {
    if (kept.size() == 3 && !flush()) return false;
    kept.push_back(std::to_integer<std::uint8_t>(bytes.front()));
    return true;
  }
  bool flush() {
    if (kept.empty()) return true;
    if (room == 0) return false;
    --room;
    steps.push_back("sent " + std::to_string(kept.size()));
    sent.insert(sent.end(), kept.begin(), kept.end());
    kept.clear();
    return true;
  }
  void event(int) { steps.emplace_back("event"); }
};

struct PumpAndFlush : testing::Test {
  ScriptedMachine machine;
  GatheringSink sink;
  Bytes buffer = Bytes(kTransmitBufferBytes);
  Pump<ScriptedMachine, GatheringSink> pump{machine, sink, buffer};
};

TEST_F(PumpAndFlush, WhatASinkGatheredLeavesBeforeAnythingElseHasItsTurn) {
  machine.events = 1;
  pump.handle_datagrams(at(1), std::vector<Datagram>(4));
  EXPECT_EQ(sink.steps, (std::vector<std::string>{"sent 3", "sent 1", "event"}));
  EXPECT_FALSE(pump.waits_for_writable());
}

TEST_F(PumpAndFlush, ASinkThatIsFullWhenItShallFlushIsWaitedFor) {
  sink.room = 1;
  machine.deadline = Instant{1};
  pump.handle_datagrams(at(1), std::vector<Datagram>(5));
  EXPECT_TRUE(pump.waits_for_writable());
  EXPECT_EQ(pump.stats().sink_full, 1U);
  EXPECT_EQ(sink.kept, (std::vector<std::uint8_t>{4, 5}));
  EXPECT_TRUE(pump.next_deadline().is_never());
  pump.handle_datagrams(at(2), std::vector<Datagram>(1));  // still full: nothing is asked of it
  EXPECT_EQ(machine.bursts, 1U);
  EXPECT_EQ(pump.stats().sink_full, 1U);
  pump.handle_writable(at(3));  // it was not, after all
  EXPECT_TRUE(pump.waits_for_writable());
  sink.room = 1;
  pump.handle_writable(at(4));
  EXPECT_FALSE(pump.waits_for_writable());
  EXPECT_EQ(sink.sent, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(PumpAndFlush, WhatDoesNotFitBehindAFullSinkIsOfferedAgain) {
  sink.room = 0;
  pump.handle_datagrams(at(1), std::vector<Datagram>(5));
  EXPECT_EQ(sink.kept.size(), 3U);
  EXPECT_EQ(machine.bursts, 1U);  // the fourth is the pump's
  sink.room = 2;
  pump.handle_writable(at(2));
  EXPECT_EQ(sink.sent, (std::vector<std::uint8_t>{1, 2, 3, 4, 5}));
}

// A machine may have only part of the contract, and the sink then needs only that part.
struct TimerOnlyMachine {
  int fired = 0;
  void handle_deadline(Now) noexcept { ++fired; }
  [[nodiscard]] Instant next_deadline() const { return fired < 3 ? Instant{0} : Instant::never(); }
};
struct EmptySink {};

TEST(Pump, DrivesAMachineThatHasOnlyADeadline) {
  TimerOnlyMachine machine;
  EmptySink sink;
  Bytes buffer(kTransmitBufferBytes);
  Pump pump{machine, sink, MutByteView{buffer}};
  pump.handle_deadline(at(1));
  EXPECT_EQ(machine.fired, 2);  // once, and once more because it was still due
}

struct CallingBackSink {
  Pump<ScriptedMachine, CallingBackSink>* pump = nullptr;
  bool transmit(const Transmit&, ByteView) { return true; }
  void event(int) { pump->resume(at(1)); }
  void job(const Job&) {}
  void store(const StoreOp&) {}
};

TEST(PumpDeathTest, ASinkMustNotCallBack) {
  ScriptedMachine machine;
  machine.events = 1;
  CallingBackSink sink;
  Bytes buffer(kTransmitBufferBytes);
  Pump<ScriptedMachine, CallingBackSink> pump{machine, sink, buffer};
  sink.pump = &pump;
  EXPECT_DEATH(pump.resume(at(1)), "!in_turn_");
}

}  // namespace
}  // namespace ethnet
