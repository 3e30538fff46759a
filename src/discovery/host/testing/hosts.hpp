// Hosts on a virtual wire where every datagram takes 20 ms, and whatever else a test says to them.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <discovery/v4/testing/packets.hpp>
#include <gtest/gtest.h>

#include "../host.hpp"

namespace ethnet::discovery::testing {

using discv4::testing::key_of;
using discv4::testing::TestRng;

inline constexpr Duration kLatency = milliseconds(20);

// From kLan on: on one LAN.
inline constexpr std::uint64_t kLan = 200;
inline Endpoint at(std::uint64_t number, std::uint16_t port = 30'303) {
  if (number >= kLan) {
    return {IpAddress::parse("10.0.0." + std::to_string(number - kLan)).value(), port};
  }
  return {IpAddress::parse("60." + std::to_string(number) + ".1.1").value(), port};
}

struct Options {
  bool v4 = true;
  bool v5 = true;
  bool has_address = true;
  std::optional<Endpoint> named{};  // the address of its record, if it is another one
  bool keeps_table = true;
  std::optional<IpAddress> fixed{};
};

struct Station {
  Station(std::uint64_t number_, Now now, const Options& options)
      : number{number_},
        rng{number_},
        host{now,
             {.key = key_of(number_),
              .local_record = record(number_, options),
              .local = {at(number_)},
              .v4 = options.v4,
              .v5 = options.v5,
              .keeps_table = options.keeps_table,
              .fixed = options.fixed},
             rng,
             Prng{number_}} {}

  static EnrPtr record(std::uint64_t number, const Options& options) {
    EnrBuilder builder{1};
    const Endpoint named = options.named.value_or(at(number));
    if (options.has_address) builder.ip(named.ip).udp(named.port);
    return std::make_shared<const VerifiedEnr>(builder.sign(*key_of(number)).value());
  }
  [[nodiscard]] kbucket::RecordPtr node() const {
    return kbucket::NodeRecord::of(record(number, {}), kbucket::RecordPort::udp);
  }
  [[nodiscard]] discv4::V4Node v4_node() const {
    return discv4::V4Node::of(key_of(number)->public_key(),
                              {at(number).ip, at(number).port, at(number).port});
  }
  template <class Kind, class E>
  [[nodiscard]] const E* told() const {
    for (const Event& event : events) {
      const auto* const of_kind = std::get_if<Kind>(&event);
      if (of_kind == nullptr) continue;
      if (const auto* const it = std::get_if<E>(of_kind)) return it;
    }
    return nullptr;
  }
  [[nodiscard]] std::size_t records_changed() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events, [](const Event& e) { return std::holds_alternative<RecordChanged>(e); }));
  }

  std::uint64_t number;
  TestRng rng;
  Host host;
  std::vector<Event> events;
};

class Hosts : public ::testing::Test {
 protected:
  Station& add(std::uint64_t number, const Options& options = {}) {
    stations_.push_back(std::make_unique<Station>(number, now_, options));
    return *stations_.back();
  }
  void run(Duration time) {
    const Instant until = now_.mono + time;
    for (;;) {
      for (const auto& station : stations_) drain(*station);
      Instant next = until;
      if (!wire_.empty()) next = std::min(next, wire_.front().due);
      for (const auto& station : stations_) next = std::min(next, station->host.next_deadline());
      now_.wall.ns += std::max<std::int64_t>(0, (next - now_.mono).ns);
      now_.mono = std::max(now_.mono, next);
      if (now_.mono >= until) return;
      while (!wire_.empty() && wire_.front().due <= now_.mono) deliver();
      for (const auto& station : stations_) {
        if (station->host.next_deadline() <= now_.mono) station->host.handle_deadline(now_);
      }
    }
  }
  // From now on nothing arrives anywhere.
  void unplug() { unplugged_ = true; }
  void say(Station& to, const Endpoint& from, ByteView bytes) {
    const Datagram datagram{.local = at(to.number), .remote = from, .ecn = 0, .bytes = bytes};
    to.host.handle_datagrams(now_, std::span{&datagram, 1});
  }

  Now now_{Instant{seconds(1'000).ns}, UnixTime::from_seconds(1'700'000'000)};

 private:
  struct UnderWay {
    Instant due;
    Endpoint from;
    Endpoint to;
    Bytes bytes;
  };
  void drain(Station& station) {
    for (bool busy = true; busy;) {
      busy = false;
      while (const auto sent = station.host.poll_transmit(now_, buffer_)) {
        busy = true;
        wire_.push_back({now_.mono + kLatency, at(station.number), sent->remote,
                         to_bytes(ByteView{buffer_}.first(sent->size))});
      }
      while (auto event = station.host.poll_event()) {
        busy = true;
        station.events.push_back(std::move(*event));
      }
      while (const auto job = station.host.poll_job()) {
        busy = true;
        station.host.handle_job_done(now_, {job->id, job->work()});
      }
    }
  }
  void deliver() {
    const UnderWay one = std::move(wire_.front());
    wire_.pop_front();
    for (const auto& station : stations_) {
      if (!unplugged_ && at(station->number) == one.to) say(*station, one.from, one.bytes);
    }
  }

  Bytes buffer_ = Bytes(kTransmitBufferBytes);
  std::vector<std::unique_ptr<Station>> stations_;
  std::deque<UnderWay> wire_;
  bool unplugged_ = false;
};

}  // namespace ethnet::discovery::testing
