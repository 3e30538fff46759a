// For tests: a machine that asks one server or gateway, what it sent there and when, and what it
// told; the test answers.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <gtest/gtest.h>
#include <machine/concepts.hpp>
#include <types/endpoint.hpp>

namespace ethnet::nat::testing {

template <class Machine, class Event>
class AskerRig : public ::testing::Test {
 protected:
  template <class... Args>
  explicit AskerRig(const Endpoint& asked, Args&&... args)
      : asked_{asked}, client_{asked, std::forward<Args>(args)...} {}

  void start() {
    client_.start(now_);
    drain();
  }
  void pass(Duration time) {
    const Instant end = now_.mono + time;
    while (client_.next_deadline() <= end) {
      now_.mono = client_.next_deadline();
      client_.handle_deadline(now_);
      drain();
    }
    now_.mono = end;
  }
  void answer(const Bytes& bytes) { answer(bytes, asked_); }
  void answer(const Bytes& bytes, const Endpoint& from) {
    const Datagram datagram{{}, from, 0, bytes};
    client_.handle_datagrams(now_, std::span{&datagram, 1});
    drain();
  }
  void drain() {
    Bytes buffer(kTransmitBufferBytes);
    while (const auto transmit = client_.poll_transmit(now_, buffer)) {
      EXPECT_EQ(transmit->remote, asked_);
      packets_.push_back(to_bytes(ByteView{buffer}.first(transmit->size)));
      sent_.push_back((now_.mono - begun_).ns / milliseconds(1).ns);
    }
    while (const auto event = client_.poll_event()) events_.push_back(*event);
  }

  Endpoint asked_;
  Now now_{Instant{1'000'000'000}, UnixTime::from_seconds(1'700'000'000)};
  Instant begun_ = now_.mono;
  Machine client_;
  std::vector<Bytes> packets_;
  std::vector<std::int64_t> sent_;  // ms since the start
  std::vector<Event> events_;
};

}  // namespace ethnet::nat::testing
