#include <algorithm>
#include <future>
#include <set>
#include <stdexcept>

#include <base/printable.hpp>
#include <base/prng.hpp>
#include <boost/asio/io_context.hpp>
#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <session/control.hpp>
#include <session/disconnect.hpp>

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

// Whoever names an IPv6 address cannot have us send to an IPv4 host of the same first bytes.
TEST(UdpAttacks, atk_38_NothingLeavesForAFamilyThatTheSocketDoesNotHave) {
  UdpSocket receiver{loopback(0), {}};
  UdpSocket sender{loopback(0), {}};
  const Endpoint like_it{IpAddress::parse("7f00:1:dead:beef::1").value(), receiver.local().port};
  const Bytes bytes(100);
  for (std::size_t segment : {100U, 25U}) {
    ASSERT_TRUE(sender.send({sender.local(), like_it, 1, bytes.size(), segment}, bytes));
  }
  ASSERT_TRUE(sender.send({sender.local(), receiver.local(), 0, 1, 1}, Bytes(1)));
  EXPECT_EQ(sender.counters().send_errors, 5U);
  EXPECT_EQ(sender.counters().datagrams_out, 1U);
  const auto got = read_all(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].bytes.size(), 1U) << "the first that came is the one to itself";
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
  EXPECT_EQ(sender.counters().bytes_out, burst.size());
  EXPECT_EQ(receiver.counters().bytes_in, burst.size());
  EXPECT_EQ(sender.counters().bytes_in + receiver.counters().bytes_out, 0U);
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

// GRO joins what one sender sends; a crowd comes in one system call, and one batch, all the same.
TEST(Udp, WhatManySendersSentIsOneBatch) {
  UdpSocket receiver{loopback(0), {}};
  std::vector<std::unique_ptr<UdpSocket>> senders;
  for (std::size_t i = 0; i < 12; ++i) {
    senders.push_back(std::make_unique<UdpSocket>(loopback(0), UdpOptions{}));
    const Bytes bytes(100 + i, static_cast<std::byte>(i));
    const Transmit one{senders[i]->local(), receiver.local(), 0, bytes.size(), bytes.size()};
    ASSERT_TRUE(senders[i]->send(one, bytes));
  }
  ASSERT_TRUE(wait_readable(receiver));
  std::size_t batches = 0;
  std::size_t next = 0;
  EXPECT_TRUE(receiver.receive([&](std::span<const Datagram> batch) {
    ++batches;
    for (const Datagram& datagram : batch) {
      ASSERT_LT(next, senders.size());
      EXPECT_EQ(datagram.remote, senders[next]->local());
      EXPECT_EQ(to_bytes(datagram.bytes), Bytes(100 + next, static_cast<std::byte>(next)));
      ++next;
    }
  }));
  EXPECT_EQ(batches, 1U);
  EXPECT_EQ(next, senders.size());
  EXPECT_EQ(receiver.counters().datagrams_in, senders.size());
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

// ESC and its kin in every disguise: as a byte, as C1 in UTF-8, in overlong forms, and cut short.
std::vector<std::string> hostile_texts() {
  std::vector<std::string> out{
      "\x1b[31mred\x1b[0m",
      std::string("nul\0l", 5),
      "two\nlines\r",
      "\x7f\b\t",
      "\x9b"
      "31m",  // CSI as one byte
      "\xc2\x9b"
      "31m",               // CSI in UTF-8
      "\xc0\x9b\xc1\xbf",  // ESC and DEL, overlong
      "\xe0\x80\x9b\xf0\x80\x80\x9b",
      "\xed\xa0\x80\xf4\x90\x80\x80\xff",  // a surrogate, too high, no byte of UTF-8
      "cut \xe2\x82",
      "\xe2\x80\xae"
      "desrever\xe2\x80\xa8",  // right to left, a line separator
      "\"}, {\"lvl\": \"error\", \"msg\": \"forged",
      std::string(1U << 20U, '\x1b')};
  Prng prng{7};
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (std::uint64_t n = prng.below(40); n > 0; --n) {
      text.push_back(static_cast<char>(prng.below(256)));
    }
    out.push_back(std::move(text));
  }
  return out;
}

// Judged by the other library: well-formed UTF-8 without a control character.
void expect_clean(const std::string& line) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  };
  ASSERT_TRUE(std::ranges::none_of(line, is_control)) << printable(line);
  ASSERT_EQ(line.find("\xc2\x9b"), std::string::npos);
  ASSERT_EQ(line.find("\xe2\x80\xae"), std::string::npos);
  ASSERT_NO_THROW((void)nlohmann::json(line).dump());  // throws on what is not UTF-8
}

TEST(LogWriter, atk_07_NoTextPutsAControlCharacterIntoALineOrForgesAField) {
  for (const std::string& text : hostile_texts()) {
    const std::initializer_list<LogField> fields{{"client", text}};
    const LogRecord record{{}, LogLevel::info, text, fields};
    expect_clean(format_record(record, LogFormat::terminal));
    const std::string line = format_record(record, LogFormat::json);
    expect_clean(line);
    const nlohmann::json read = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(read.is_object()) << line;
    EXPECT_EQ(read.size(), 4U);  // t, lvl, msg, client
    EXPECT_EQ(read["lvl"], "info");
    EXPECT_EQ(read["msg"], read["client"]);
    expect_clean(printable(text));
  }
  EXPECT_EQ(printable("a → b\x1b\xc2\x9b"), "a → b\\x1b\\xc2\\x9b") << "our own UTF-8 stays";
}

// The body of a Hello of this client and this capability, as they are.
Bytes hello_body(ByteView client, ByteView capability) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_bytes(client);
  const auto capabilities = out.begin_list();
  out.write_bytes(capability);
  out.end_list(capabilities);
  out.write_bytes(Hash32{}.view());
  ForkId{}.encode(out);
  out.write_bytes(Hash32{}.view());
  out.write_uint(std::uint64_t{0});
  out.write_bytes({});
  out.end_list(list);
  return std::move(out).take();
}

TEST(LogWriter, atk_07_WhatAPeerSaysOfItselfIsCleanInEveryOutputAndBounded) {
  const ByteView good = text_bytes("mini-sync/0.1");
  ASSERT_TRUE(session::decode_hello(hello_body(text_bytes("name"), good)));
  std::size_t taken = 0;
  for (const std::string& text : hostile_texts()) {
    const auto hello = session::decode_hello(hello_body(text_bytes(text), good));
    EXPECT_EQ(hello.has_value(), text.size() <= session::kMaxClientBytes);
    // What is no capability is passed over, or ends the session.
    const auto other = session::decode_hello(hello_body(text_bytes("name"), text_bytes(text)));
    if (other) EXPECT_TRUE(other->capabilities.empty());
    if (!hello) continue;
    ++taken;
    EXPECT_LE(hello->client.size(), session::kMaxClientBytes);
    for (const char c : hello->client) EXPECT_TRUE(c >= 0x20 && c < 0x7f);
    const std::initializer_list<LogField> fields{{"client", hello->client}};
    const LogRecord record{{}, LogLevel::info, "Session opened", fields};
    for (const LogFormat format : {LogFormat::terminal, LogFormat::json}) {
      expect_clean(format_record(record, format));
    }
  }
  EXPECT_GT(taken, 300U);
  for (std::uint64_t number = 0; number < 300; ++number) {
    rlp::Writer out;
    const auto list = out.begin_list();
    out.write_uint(number);
    out.end_list(list);
    const auto reason = session::decode_disconnect(out.view());
    if (reason) expect_clean(std::string{session::to_string(*reason)});
  }
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

TEST(Os, EntropyOfAnySizeIsNeverGivenTwice) {
  OsEntropy entropy;
  std::set<Bytes> seen;
  std::size_t given = 0;
  for (int round = 0; round < 200; ++round) {
    for (const std::size_t size : {8U, 12U, 16U, 31U, 32U, 100U, 700U}) {
      Bytes out(size);
      entropy.fill(out);
      for (std::size_t at = 0; at + 8 <= size; at += 8, ++given) {
        seen.insert(to_bytes(ByteView{out}.subspan(at, 8)));
      }
    }
  }
  EXPECT_EQ(seen.size(), given);
  EXPECT_EQ(seen.count(Bytes(8)), 0U);  // what was wiped
  entropy.fill({});
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
