#include <future>
#include <set>
#include <stdexcept>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <poll.h>

#include "log_writer.hpp"
#include "os.hpp"
#include "udp.hpp"
#include "worker.hpp"

namespace ethnet::runtime {
namespace {

Endpoint loopback(std::uint16_t port) { return {IpAddress::loopback_v4(), port}; }

bool wait_readable(const UdpSocket& socket) {
  pollfd poll{socket.fd(), POLLIN, 0};
  return ::poll(&poll, 1, 5000) == 1;
}

struct Received {
  Endpoint local;
  Endpoint remote;
  std::uint8_t ecn = 0;
  Bytes bytes;
};

// Reads until `count` datagrams have come, waiting at most 5 s for each.
std::vector<Received> read_all(UdpSocket& socket, std::size_t count) {
  std::vector<Received> out;
  while (out.size() < count && wait_readable(socket)) {
    socket.receive([&](std::span<const Datagram> batch) {
      EXPECT_LE(batch.size(), kMaxDatagramBatch);
      for (const Datagram& d : batch) {
        out.push_back({d.local, d.remote, d.ecn, to_bytes(d.bytes)});
      }
    });
  }
  return out;
}

// A burst of 40 datagrams, the last one shorter, arrives as sent: with GSO and without.
void send_burst(bool gso) {
  UdpSocket receiver{loopback(0), {}};
  UdpOptions options;
  options.gso = gso;
  UdpSocket sender{loopback(0), options};
  constexpr std::size_t kSegment = 1200;
  Bytes burst(39 * kSegment + 700);
  for (std::size_t i = 0; i < burst.size(); ++i) burst[i] = static_cast<std::byte>(i / kSegment);
  const Transmit transmit{sender.local(), receiver.local(), 2, burst.size(), kSegment};
  ASSERT_TRUE(sender.send(transmit, burst));
  const auto got = read_all(receiver, 40);
  ASSERT_EQ(got.size(), 40U);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].bytes.size(), i < 39 ? kSegment : 700);
    EXPECT_EQ(got[i].bytes.front(), static_cast<std::byte>(i));
    EXPECT_EQ(got[i].remote, sender.local());
    EXPECT_EQ(got[i].ecn, 2);
  }
  EXPECT_EQ(sender.counters().datagrams_out, 40U);
  EXPECT_EQ(sender.counters().send_errors, 0U);
}

TEST(Udp, ABurstArrivesAsSentWithSegmentationOffload) { send_burst(true); }
TEST(Udp, ABurstArrivesAsSentWithoutIt) { send_burst(false); }

TEST(Udp, AWildcardSocketTellsWhichAddressWasReachedAndAnswersFromIt) {
  for (const Endpoint any : {Endpoint{IpAddress{}, 0}, Endpoint{IpAddress::v6({}), 0}}) {
    UdpSocket server{any, {}};
    UdpSocket client{{*IpAddress::parse("127.0.0.1"), 0}, {}};
    const Bytes hello(10, std::byte{1});
    const Endpoint target{*IpAddress::parse("127.0.0.2"), server.local().port};
    ASSERT_TRUE(client.send({client.local(), target, 0, 10, 10}, hello));
    const auto asked = read_all(server, 1);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].local, target);
    ASSERT_TRUE(server.send({asked[0].local, asked[0].remote, 0, 10, 10}, hello));
    const auto answer = read_all(client, 1);
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].remote, target);
  }
}

TEST(Udp, AnEmptyDatagramIsADatagram) {
  UdpSocket receiver{loopback(0), {}};
  UdpSocket sender{loopback(0), {}};
  // send() has no burst of nothing; the kernel call is what an attacker makes.
  const Bytes one(1);
  ASSERT_TRUE(sender.send({sender.local(), receiver.local(), 0, 1, 1}, one));
  EXPECT_EQ(read_all(receiver, 1).size(), 1U);
  EXPECT_FALSE(receiver.receive([](std::span<const Datagram>) { ADD_FAILURE(); }));
}

TEST(Udp, APortInUseIsOneClearLine) {
  const UdpSocket first{loopback(0), {}};
  try {
    const UdpSocket second{first.local(), {}};
    FAIL() << "two sockets on one port";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string{error.what()},
              "port " + std::to_string(first.local().port) + "/udp is in use");
  }
}

// The receive buffer takes a few datagrams; the kernel drops the rest and says so with the next.
TEST(Udp, WhatTheKernelDropsForAFullBufferIsCounted) {
  UdpOptions small;
  small.buffer_bytes = 1;  // the least that the kernel gives
  small.gro = false;
  UdpSocket receiver{loopback(0), small};
  UdpSocket sender{loopback(0), {}};
  constexpr std::uint64_t kSent = 100;
  const Bytes bytes(1000);
  const Transmit one{sender.local(), receiver.local(), 0, bytes.size(), bytes.size()};
  for (std::uint64_t i = 0; i < kSent; ++i) ASSERT_TRUE(sender.send(one, bytes));
  std::uint64_t received = 0;
  const auto count = [&](std::span<const Datagram> batch) { received += batch.size(); };
  while (receiver.receive(count)) {
  }
  ASSERT_LT(received, kSent);
  ASSERT_TRUE(sender.send(one, bytes));
  while (receiver.receive(count)) {
  }
  EXPECT_EQ(receiver.counters().receive_overflow, kSent + 1 - received);
  ASSERT_TRUE(sender.send(one, bytes));
  while (receiver.receive(count)) {
  }
  EXPECT_EQ(receiver.counters().receive_overflow, kSent + 2 - received) << "counted twice";
}

TEST(Workers, AStoreThatHangsIsGivenUpAndOneThatAnswersIsNot) {
  boost::asio::io_context io{1};
  std::promise<void> disk;
  const std::shared_future<void> answer{disk.get_future()};
  Workers workers{io, 1,
                  [answer](const StoreOp& op) {
                    answer.wait();
                    return StoreResult{op.id, true, 0};
                  },
                  [](const JobResult&) {}, [](StoreResult) {}};
  EXPECT_EQ(workers.finish_store(seconds(60)), 0U) << "nothing was begun";
  workers.run(StoreOp{1, {}});
  workers.run(StoreOp{2, {}});
  EXPECT_EQ(workers.finish_store(milliseconds(1)), 2U);
  disk.set_value();
  EXPECT_EQ(workers.finish_store(seconds(60)), 0U);
}

TEST(Workers, EveryJobAndStoreOperationIsAnsweredTheLatterInOrder) {
  boost::asio::io_context io{1};
  std::set<std::uint64_t> jobs;
  std::vector<std::uint64_t> stored;
  {
    Workers workers{io, 2, [](const StoreOp& op) { return StoreResult{op.id, op.id != 7, 0}; },
                    [&](const JobResult& done) {
                      EXPECT_EQ(done.output, Bytes(done.id));
                      jobs.insert(done.id);
                    },
                    [&](StoreResult done) {
                      EXPECT_EQ(done.ok, done.id != 7);
                      stored.push_back(done.id);
                    }};
    for (std::uint64_t i = 0; i < 50; ++i) {
      workers.run(Job{i, "test", [i] { return Bytes(i); }});
      workers.run(StoreOp{i, {}});
    }
  }
  io.run();
  EXPECT_EQ(jobs.size(), 50U);
  ASSERT_EQ(stored.size(), 50U);
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(stored[i], i);
}

TEST(LogWriter, WritesLinesForTerminalsAndForMachinesWithoutControlCharacters) {
  const Now now{{}, UnixTime{1'787'407'381'123'000'000}};  // 2026-08-22 14:03:01.123 UTC
  const std::initializer_list<LogField> fields{
      {"peer", "a\x1b[31m\"b"}, {"n", std::uint64_t{7}}, {"ok", true}};
  const LogRecord record{now, LogLevel::info, "Session opened", fields};
  EXPECT_EQ(format_record(record, LogFormat::terminal),
            "INFO  [08-22|14:03:01.123] Session opened                           "
            "peer=a\\x1b[31m\"b n=7 ok=true");
  EXPECT_EQ(format_record(record, LogFormat::json),
            R"({"t":"2026-08-22T14:03:01.123Z","lvl":"info","msg":"Session opened",)"
            R"("peer":"a\u001b[31m\"b","n":7,"ok":true})");
  const LogRecord own{now, LogLevel::warn, "[FORK] 0xa3 → 0xb4", {}};
  EXPECT_EQ(format_record(own, LogFormat::terminal),
            "WARN  [08-22|14:03:01.123] [FORK] 0xa3 → 0xb4");
}

TEST(LogWriter, KeepsQuietAboveItsVerbosity) {
  std::vector<std::string> lines;
  LogWriter log{LogFormat::terminal, 2, [&](const std::string& line) { lines.push_back(line); }};
  log.write({}, LogLevel::warn, "heard");
  log.write({}, LogLevel::info, "not heard");
  EXPECT_EQ(lines.size(), 1U);
}

TEST(Os, EntropyDiffersAndTimeGoesOn) {
  OsEntropy entropy;
  EXPECT_NE(entropy.next(), entropy.next());
  const Now a = os_now();
  const Now b = os_now();
  EXPECT_LE(a.mono, b.mono);
}

}  // namespace
}  // namespace ethnet::runtime
