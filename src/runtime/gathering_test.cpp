// What leaves as one burst: the gathering alone, and queue() and flush() of a socket of the
// loopback interface, by what the kernel is asked and by what arrives.
#include "gathering.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>

#include <base/log.hpp>
#include <chain/producer.hpp>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include "machine_loop.hpp"
#include "node_runner.hpp"
#include "udp.hpp"

namespace ethnet::runtime {
namespace {

Endpoint loopback(std::uint16_t port = 0) { return {IpAddress::loopback_v4(), port}; }

// A datagram of a test: the number says which one it is.
struct Item {
  Transmit transmit;
  Bytes bytes;
};
Item item(const Endpoint& from, const Endpoint& to, std::size_t size, std::size_t number) {
  return {{from, to, 0, size, size}, Bytes(size, static_cast<std::byte>(number))};
}

bool add(Gathering& gathering, const Item& one) { return gathering.add(one.transmit, one.bytes); }

TEST(Gathering, TakesEquallyLongOnesOfOnePathAndAShorterOneLast) {
  const Endpoint a = loopback(1);
  const Endpoint b = loopback(2);
  Gathering gathering;
  EXPECT_TRUE(gathering.empty());
  EXPECT_DEATH((void)gathering.burst(), "count_ > 0");
  ASSERT_TRUE(add(gathering, item(a, b, 100, 1)));
  EXPECT_FALSE(add(gathering, item(a, b, 101, 9))) << "longer";
  EXPECT_FALSE(add(gathering, item(a, a, 100, 9))) << "another peer";
  EXPECT_FALSE(add(gathering, item(b, b, 100, 9))) << "from another address";
  Item marked = item(a, b, 100, 9);
  marked.transmit.ecn = 1;
  EXPECT_FALSE(add(gathering, marked)) << "another mark";
  ASSERT_TRUE(add(gathering, item(a, b, 100, 2)));
  ASSERT_TRUE(add(gathering, item(a, b, 40, 3)));
  EXPECT_FALSE(add(gathering, item(a, b, 40, 9))) << "behind a shorter one";
  EXPECT_FALSE(add(gathering, item(a, b, 100, 9))) << "behind a shorter one";
  EXPECT_EQ(gathering.burst().size, 240U);
  EXPECT_EQ(gathering.burst().segment_size, 100U);
  EXPECT_EQ(gathering.burst().local, a);
  EXPECT_EQ(gathering.burst().remote, b);
  Bytes expected(100, std::byte{1});
  append(expected, Bytes(100, std::byte{2}));
  append(expected, Bytes(40, std::byte{3}));
  EXPECT_EQ(to_bytes(gathering.bytes()), expected);
  gathering.clear();
  EXPECT_TRUE(gathering.empty());
  ASSERT_TRUE(add(gathering, marked));
  EXPECT_EQ(gathering.burst().size, 100U);
  EXPECT_EQ(gathering.burst().ecn, 1U);
}

TEST(Gathering, TakesNoBurstNoNothingAndNoMoreThanTheKernelDoes) {
  const Endpoint a = loopback(1);
  Gathering gathering;
  Item burst = item(a, a, 200, 1);
  burst.transmit.segment_size = 100;
  EXPECT_FALSE(add(gathering, burst));
  EXPECT_FALSE(add(gathering, item(a, a, 0, 1)));
  EXPECT_FALSE(add(gathering, item(a, a, kMaxGatheredBytes + 1, 1)));
  for (std::size_t i = 0; i < kMaxSegments; ++i) ASSERT_TRUE(add(gathering, item(a, a, 10, i)));
  EXPECT_FALSE(add(gathering, item(a, a, 10, 9)));
  gathering.clear();
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(add(gathering, item(a, a, kMaxGatheredBytes / 2, i)));
  }
  EXPECT_FALSE(add(gathering, item(a, a, 2, 9)));
  EXPECT_TRUE(add(gathering, item(a, a, 1, 9)));
  EXPECT_EQ(gathering.bytes().size(), kMaxGatheredBytes);
}

// What the kernel was asked: bytes, and of how many each (0: one datagram).
struct Call {
  std::size_t size = 0;
  std::size_t segment = 0;
  bool operator==(const Call&) const = default;
};
Call call_of(const msghdr& message) {
  Call out{.size = message.msg_iov[0].iov_len, .segment = 0};
  // The kernel's macros want a structure that is not const; nothing is written.
  msghdr copy = message;
  for (auto* h = CMSG_FIRSTHDR(&copy); h != nullptr; h = CMSG_NXTHDR(&copy, h)) {
    if (h->cmsg_level != IPPROTO_UDP || h->cmsg_type != UDP_SEGMENT) continue;
    std::uint16_t segment = 0;
    std::memcpy(&segment, CMSG_DATA(h), sizeof segment);
    out.segment = segment;
  }
  return out;
}

// A sender whose calls are seen, and may fail instead, and two receivers.
class Queue : public testing::Test {
 protected:
  using Error = std::function<int(const Call&)>;  // 0: the kernel's turn

  UdpOptions watched() {
    UdpOptions out;
    out.sendmsg = [this](int fd, const msghdr* message, int flags) -> ssize_t {
      const Call call = call_of(*message);
      calls_.push_back(call);
      errno = error_ ? error_(call) : 0;
      return errno != 0 ? -1 : ::sendmsg(fd, message, flags);
    };
    return out;
  }
  bool queue(const Endpoint& to, std::size_t size, std::size_t number) {
    const Item one = item(sender_.local(), to, size, number);
    return sender_.queue(one.transmit, one.bytes);
  }
  // Sizes and numbers of what came; waits for `count` of them, and for no more.
  using Arrived = std::vector<std::pair<std::size_t, std::size_t>>;
  static Arrived arrived(UdpSocket& at, std::size_t count) {
    Arrived out;
    pollfd readable{at.fd(), POLLIN, 0};
    while (out.size() < count && ::poll(&readable, 1, 5000) == 1) {
      at.receive([&](std::span<const Datagram> batch) {
        for (const Datagram& datagram : batch) {
          out.emplace_back(datagram.bytes.size(),
                           std::to_integer<std::size_t>(datagram.bytes.back()));
        }
      });
    }
    return out;
  }

  std::vector<Call> calls_;
  Error error_;
  UdpSocket one_{loopback(), {}};
  UdpSocket two_{loopback(), {}};
  UdpSocket sender_{loopback(), watched()};
};

TEST_F(Queue, ABurstToOnePeerIsOneCallAndArrivesInOrder) {
  for (std::size_t i = 0; i < 10; ++i) ASSERT_TRUE(queue(one_.local(), i < 9 ? 120 : 60, i));
  EXPECT_TRUE(calls_.empty());
  EXPECT_EQ(sender_.counters().datagrams_out, 0U) << "it did not leave yet";
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(calls_, (std::vector<Call>{{9 * 120 + 60, 120}}));
  EXPECT_EQ(sender_.counters().datagrams_out, 10U);
  EXPECT_EQ(sender_.counters().bytes_out, 9U * 120 + 60);
  Arrived expected;
  for (std::size_t i = 0; i < 10; ++i) expected.emplace_back(i < 9 ? 120 : 60, i);
  EXPECT_EQ(arrived(one_, 10), expected);
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(calls_.size(), 1U) << "sent twice";
}

TEST_F(Queue, OneAloneIsAPlainCall) {
  ASSERT_TRUE(queue(one_.local(), 120, 7));
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(calls_, (std::vector<Call>{{120, 0}}));
  EXPECT_EQ(arrived(one_, 1), (Arrived{{120, 7}}));
}

TEST_F(Queue, AnotherLengthAndAnotherPeerSplitIt) {
  ASSERT_TRUE(queue(one_.local(), 100, 1));
  ASSERT_TRUE(queue(one_.local(), 100, 2));
  ASSERT_TRUE(queue(one_.local(), 130, 3));
  ASSERT_TRUE(queue(two_.local(), 130, 4));
  ASSERT_TRUE(queue(one_.local(), 130, 5));
  ASSERT_TRUE(queue(one_.local(), 130, 6));
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(calls_, (std::vector<Call>{{200, 100}, {130, 0}, {130, 0}, {260, 130}}));
  EXPECT_EQ(arrived(one_, 5), (Arrived{{100, 1}, {100, 2}, {130, 3}, {130, 5}, {130, 6}}));
  EXPECT_EQ(arrived(two_, 1), (Arrived{{130, 4}}));
}

TEST_F(Queue, ABurstThatComesAsOneGoesBehindWhatIsQueued) {
  ASSERT_TRUE(queue(one_.local(), 50, 1));
  Item burst = item(sender_.local(), one_.local(), 300, 2);
  burst.transmit.segment_size = 100;
  ASSERT_TRUE(sender_.queue(burst.transmit, burst.bytes));
  EXPECT_EQ(calls_, (std::vector<Call>{{50, 0}, {300, 100}}));
  EXPECT_EQ(arrived(one_, 4), (Arrived{{50, 1}, {100, 2}, {100, 2}, {100, 2}}));
}

TEST_F(Queue, MoreThanTheKernelTakesIsSeveralBursts) {
  for (std::size_t i = 0; i < 2 * kMaxSegments + 1; ++i) ASSERT_TRUE(queue(one_.local(), 30, i));
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(calls_, (std::vector<Call>{{30 * 64, 30}, {30 * 64, 30}, {30, 0}}));
  EXPECT_EQ(arrived(one_, 2 * kMaxSegments + 1).size(), 2 * kMaxSegments + 1);
  calls_.clear();
  constexpr std::size_t kHalf = kMaxGatheredBytes / 2;
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(queue(one_.local(), kHalf, i));
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(calls_, (std::vector<Call>{{2 * kHalf, kHalf}, {kHalf, 0}}));
  EXPECT_EQ(arrived(one_, 3), (Arrived{{kHalf, 0}, {kHalf, 1}, {kHalf, 2}}));
}

TEST_F(Queue, AKernelThatRefusesBurstsIsAskedOnceAndNothingWaitsAnyMore) {
  for (const int refusal : {EIO, EINVAL, ENOPROTOOPT}) {
    UdpSocket sender{loopback(), watched()};
    calls_.clear();
    error_ = [&](const Call& call) { return call.segment != 0 ? refusal : 0; };
    for (std::size_t i = 0; i < 4; ++i) {
      const Item one = item(sender.local(), one_.local(), 100, i);
      ASSERT_TRUE(sender.queue(one.transmit, one.bytes));
      if (i == 1) ASSERT_TRUE(sender.flush());
    }
    EXPECT_EQ(calls_, (std::vector<Call>{{200, 100}, {100, 0}, {100, 0}, {100, 0}, {100, 0}}));
    EXPECT_FALSE(sender.uses_gso());
    EXPECT_EQ(sender.counters().gso_refused, 1U);
    EXPECT_EQ(sender.counters().datagrams_out, 4U);
    EXPECT_EQ(arrived(one_, 4), (Arrived{{100, 0}, {100, 1}, {100, 2}, {100, 3}}));
  }
}

// EINVAL, of newer kernels EMSGSIZE, is also what a burst gets of which one is longer than the path
// takes: no reason to make no bursts to anybody any more.
TEST_F(Queue, DatagramsThatAreTooLongForThePathSayNothingOfBursts) {
  for (const int refusal : {EINVAL, EMSGSIZE}) {
    const UdpCounters before = sender_.counters();
    error_ = [&](const Call& call) {
      if (call.segment > 1000) return refusal;
      return call.size > 1000 && call.segment == 0 ? EMSGSIZE : 0;
    };
    for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(queue(one_.local(), i < 2 ? 1001 : 1000, i));
    ASSERT_TRUE(sender_.flush());
    EXPECT_TRUE(sender_.uses_gso());
    EXPECT_EQ(sender_.counters().send_errors, before.send_errors + 2);
    EXPECT_EQ(sender_.counters().datagrams_out, before.datagrams_out + 1);
    EXPECT_EQ(sender_.counters().bytes_out, before.bytes_out + 1000);
    EXPECT_EQ(arrived(one_, 1), (Arrived{{1000, 2}})) << "each has its own fate";
  }
}

TEST_F(Queue, WhatCannotReachItsPeerIsCountedByDatagramAndHoldsNobodyUp) {
  error_ = [](const Call& call) { return call.size == 300 ? ENETUNREACH : 0; };
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(queue(two_.local(), 100, i));
  ASSERT_TRUE(queue(one_.local(), 100, 3));
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(sender_.counters().send_errors, 3U);
  EXPECT_EQ(sender_.counters().datagrams_out, 1U);
  EXPECT_TRUE(sender_.uses_gso());
  EXPECT_EQ(arrived(one_, 1), (Arrived{{100, 3}}));
}

TEST_F(Queue, AFullSocketKeepsWhatIsQueuedAndTakesNothingThatDoesNotFitBehindIt) {
  for (const int full : {EAGAIN, ENOBUFS}) {
    const std::uint64_t before = sender_.counters().datagrams_out;
    error_ = [&](const Call&) { return full; };
    ASSERT_TRUE(queue(one_.local(), 100, 1));
    ASSERT_TRUE(queue(one_.local(), 100, 2));
    EXPECT_FALSE(sender_.flush());
    EXPECT_FALSE(queue(two_.local(), 100, 3));
    EXPECT_TRUE(queue(one_.local(), 100, 4)) << "it belongs to what waits";
    EXPECT_EQ(sender_.counters().datagrams_out, before);
    error_ = {};
    ASSERT_TRUE(queue(two_.local(), 100, 3));  // offered again
    ASSERT_TRUE(sender_.flush());
    EXPECT_EQ(sender_.counters().datagrams_out, before + 4);
    EXPECT_EQ(arrived(one_, 3), (Arrived{{100, 1}, {100, 2}, {100, 4}}));
    EXPECT_EQ(arrived(two_, 1), (Arrived{{100, 3}}));
    EXPECT_EQ(sender_.counters().send_errors, 0U);
  }
}

// Refused as a burst, and full in the middle of what goes one by one: no datagram twice, none lost.
TEST_F(Queue, ABurstThatStoppedInTheMiddleGoesOnThere) {
  std::size_t singles = 0;
  error_ = [&](const Call& call) {
    if (call.segment != 0) return EIO;
    return ++singles == 1 || singles == 4 ? EAGAIN : 0;  // before any left, and after two
  };
  for (std::size_t i = 0; i < 5; ++i) ASSERT_TRUE(queue(one_.local(), 100, i));
  EXPECT_FALSE(sender_.flush());
  EXPECT_TRUE(sender_.uses_gso()) << "no datagram left yet: it may be the path";
  EXPECT_FALSE(sender_.flush());
  EXPECT_FALSE(sender_.uses_gso());
  ASSERT_TRUE(queue(one_.local(), 100, 5));
  ASSERT_TRUE(sender_.flush());
  EXPECT_EQ(sender_.counters().gso_refused, 1U);
  EXPECT_EQ(sender_.counters().datagrams_out, 6U);
  EXPECT_EQ(arrived(one_, 6),
            (Arrived{{100, 0}, {100, 1}, {100, 2}, {100, 3}, {100, 4}, {100, 5}}));
}

// A machine that has datagrams to send: so many to each of two peers in turns of five.
struct Talker {
  std::array<Item, 2> peers;
  std::size_t left = 0;
  std::size_t given = 0;

  void handle_datagrams(Now, std::span<const Datagram>) noexcept {}
  void handle_deadline(Now) noexcept {}
  [[nodiscard]] Instant next_deadline() const { return Instant::never(); }
  std::optional<Transmit> poll_transmit(Now, MutByteView out) {
    if (left == 0) return std::nullopt;
    --left;
    const Item& item = peers.at(given / 5 % 2);
    std::ranges::copy(item.bytes, out.begin());
    out[item.bytes.size() - 1] = static_cast<std::byte>(given++);
    return item.transmit;
  }
  std::optional<int> poll_event() { return std::nullopt; }
};

// The whole way: the pump gathers, the loop waits for a socket that is full, and nothing is left
// behind at the end of a turn.
TEST_F(Queue, ALoopSendsAllOfItWithAFullSocketNowAndThen) {
  constexpr std::size_t kCount = 200;
  std::size_t asked = 0;
  error_ = [&](const Call&) { return ++asked % 3 == 0 ? EAGAIN : 0; };
  Talker machine{.peers = {item(sender_.local(), one_.local(), 90, 0),
                           item(sender_.local(), two_.local(), 90, 0)},
                 .left = 0,
                 .given = 0};
  MachineLoop<Talker> loop{machine, sender_, [](int) {}};
  loop.input([](Talker& talker, Now) { talker.left = 7; });
  EXPECT_EQ(sender_.counters().datagrams_out, 7U) << "a turn leaves nothing behind";
  loop.input([](Talker& talker, Now) { talker.left = kCount - 7; });
  EXPECT_LT(sender_.counters().datagrams_out, kCount) << "it was never full";
  const auto done = [&] { return sender_.counters().datagrams_out == kCount; };
  EXPECT_EQ(loop.run(done, os_now().mono + seconds(20)), LoopEnd::done);
  Arrived expected_one;
  Arrived expected_two;
  for (std::size_t i = 0; i < kCount; ++i) {
    (i / 5 % 2 == 0 ? expected_one : expected_two).emplace_back(90, i);
  }
  EXPECT_EQ(arrived(one_, kCount / 2), expected_one);
  EXPECT_EQ(arrived(two_, kCount / 2), expected_two);
  EXPECT_LT(calls_.size(), kCount / 2) << "they were not gathered";
}

// A node that says nothing, on two sockets: what they are asked to send, and in which order.
class TwoSockets : public Queue {
 protected:
  TwoSockets() {
    std::vector<std::unique_ptr<UdpSocket>> sockets;
    for (Endpoint& local : local_) {
      sockets.push_back(std::make_unique<UdpSocket>(loopback(), watched()));
      local = sockets.back()->local();
    }
    node::NodeConfig config;
    config.listen = {local_[0], local_[1]};
    config.genesis = chain::dev_genesis();
    node_ = *node::Node::make(os_now(), config, key_, entropy_, Prng{7}, log_);
    runner_ = std::make_unique<NodeRunner>(
        *node_, std::move(sockets), [](const StoreOp& op) { return StoreResult{op.id, true, 0}; },
        [](const node::NodeEvent&) {});
  }
  bool transmit(std::size_t from, std::size_t size, std::size_t number) {
    const Item one = item(local_.at(from), one_.local(), size, number);
    return runner_->transmit(one.transmit, one.bytes);
  }

  OsEntropy entropy_;
  NullLog log_;
  std::shared_ptr<const crypto::SecretKey> key_ =
      std::make_shared<const crypto::SecretKey>(crypto::SecretKey::generate(entropy_));
  std::array<Endpoint, 2> local_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<NodeRunner> runner_;
};

TEST_F(TwoSockets, WhatLeavesByOneIsNotOvertakenByWhatLeavesByTheOther) {
  ASSERT_TRUE(runner_->flush());
  ASSERT_TRUE(transmit(0, 50, 1));
  ASSERT_TRUE(transmit(0, 50, 2));
  EXPECT_TRUE(calls_.empty());
  ASSERT_TRUE(transmit(1, 60, 3));
  EXPECT_EQ(calls_, (std::vector<Call>{{100, 50}}));
  ASSERT_TRUE(transmit(0, 70, 4));
  ASSERT_TRUE(runner_->flush());
  EXPECT_EQ(calls_, (std::vector<Call>{{100, 50}, {60, 0}, {70, 0}}));
  EXPECT_EQ(arrived(one_, 4), (Arrived{{50, 1}, {50, 2}, {60, 3}, {70, 4}}));
}

TEST_F(TwoSockets, TheOneThatIsFullIsWaitedForAndGoesOnByItself) {
  bool full = true;
  error_ = [&](const Call&) { return full ? EAGAIN : 0; };
  ASSERT_TRUE(transmit(1, 50, 1));
  ASSERT_TRUE(transmit(1, 50, 2));
  EXPECT_FALSE(transmit(0, 60, 3)) << "it would overtake them";
  EXPECT_FALSE(runner_->flush());
  // Full until the first turn has ended: then the node waits for that socket, and for nothing else.
  calls_.clear();
  ASSERT_TRUE(runner_->run_until([&] { return !calls_.empty(); }));
  full = false;
  calls_.clear();
  runner_->after(seconds(5), [&](node::Node&, Now) { runner_->stop(); });
  ASSERT_TRUE(runner_->run_until([&] { return !calls_.empty(); })) << "nobody waits for it";
  EXPECT_EQ(arrived(one_, 2), (Arrived{{50, 1}, {50, 2}}));
  EXPECT_EQ(calls_, (std::vector<Call>{{100, 50}}));
}

}  // namespace
}  // namespace ethnet::runtime
