// For tests: a crawler and hosts on a virtual wire where every datagram takes 10 ms.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <discovery/v4/testing/packets.hpp>
#include <gtest/gtest.h>
#include <machine/checked.hpp>

#include "../crawler.hpp"

namespace ethnet::crawl::testing {

using discv4::testing::id_of;
using discv4::testing::key_of;
using discv4::testing::place_of;
using discv4::testing::TestRng;

inline std::shared_ptr<const VerifiedEnr> enr_of(std::uint64_t number, const Endpoint& at,
                                                 std::uint64_t seq = 1) {
  EnrBuilder builder{seq};
  builder.ip(at.ip).udp(at.port);
  return std::make_shared<const VerifiedEnr>(builder.sign(*key_of(number)).value());
}
inline RecordPtr record_of(std::uint64_t number, const Endpoint& at, std::uint64_t seq = 1) {
  return kbucket::NodeRecord::of(enr_of(number, at, seq), kbucket::RecordPort::udp);
}
inline RecordPtr record_of(std::uint64_t number) { return record_of(number, place_of(number)); }

class CrawlNet : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kCrawler = 9'000;
  static constexpr Duration kLatency = milliseconds(10);

  void add_host(std::uint64_t number, Protocol protocol) {
    add_host(number, protocol, enr_of(number, place_of(number)));
  }
  void add_host(std::uint64_t number, Protocol protocol,
                std::shared_ptr<const VerifiedEnr> local_record) {
    rngs_.push_back(std::make_unique<TestRng>(number));
    const Endpoint at = place_of(number);
    hosts_.emplace(at, std::make_unique<discovery::Host>(
                           now_,
                           discovery::HostConfig{.key = key_of(number),
                                                 .local_record = std::move(local_record),
                                                 .local = {at},
                                                 .v4 = protocol == Protocol::v4,
                                                 .v5 = protocol == Protocol::v5},
                           *rngs_.back(), Prng{number}));
  }
  // Hosts 1 to `count`; each begins with the first.
  void add_hosts(std::uint64_t count, Protocol protocol) {
    for (std::uint64_t i = 1; i <= count; ++i) add_host(i, protocol);
    for (std::uint64_t i = 2; i <= count; ++i) {
      discovery::Host& host = *hosts_.at(place_of(i));
      if (protocol == Protocol::v5) {
        (void)host.v5()->add_boot_node(now_, record_of(1));
      } else {
        host.v4()->bootstrap(now_, std::vector{v4_of(1)});
      }
    }
    run(seconds(20));
  }
  // A host of discv5 turns to the crawler.
  void introduce(std::uint64_t number) {
    (void)hosts_.at(place_of(number))->v5()->add_boot_node(now_, record_of(kCrawler));
  }
  static discv4::V4Node v4_of(std::uint64_t number) {
    const Endpoint at = place_of(number);
    return discv4::V4Node::of(key_of(number)->public_key(), {at.ip, at.port, at.port});
  }
  void remove_host(std::uint64_t number) { hosts_.erase(place_of(number)); }

  Crawler& start_crawl(const CrawlConfig& config) {
    const Endpoint at = place_of(kCrawler);
    rngs_.push_back(std::make_unique<TestRng>(kCrawler));
    crawler_ = std::make_unique<Checked<Crawler>>(
        now_,
        discovery::HostConfig{
            .key = key_of(kCrawler), .local_record = enr_of(kCrawler, at), .local = {at}},
        config, *rngs_.back(), Prng{kCrawler});
    return crawler_->machine();
  }
  Crawler& crawler() { return crawler_->machine(); }

  // A new world, at the same time as the first.
  void reset() {
    crawler_.reset();
    hosts_.clear();
    rngs_.clear();
    wire_.clear();
    checked_.clear();
    crawler_sent_.clear();
    ended_.reset();
    now_ = kStart;
  }

  // Until `done` says so; false: the time was over before.
  bool run(Duration time, const std::function<bool()>& done = [] { return false; }) {
    const Instant until = now_.mono + time;
    for (;;) {
      drain_all();
      if (done()) return true;
      Instant next = until;
      if (!wire_.empty()) next = std::min(next, wire_.front().due);
      for (const auto& [at, host] : hosts_) next = std::min(next, host->next_deadline());
      if (crawler_) next = std::min(next, crawler_->next_deadline());
      now_.wall.ns += std::max<std::int64_t>(0, (next - now_.mono).ns);
      now_.mono = std::max(now_.mono, next);
      if (now_.mono >= until) return false;
      while (!wire_.empty() && wire_.front().due <= now_.mono) deliver();
      for (const auto& [at, host] : hosts_) {
        if (host->next_deadline() <= now_.mono) host->handle_deadline(now_);
      }
      if (crawler_ && crawler_->next_deadline() <= now_.mono) crawler_->handle_deadline(now_);
    }
  }
  bool run_to_end(Duration time) {
    return run(time, [&] { return ended_.has_value(); });
  }

  static constexpr Now kStart{Instant{seconds(1'000).ns}, UnixTime::from_seconds(1'700'000'000)};
  Now now_ = kStart;
  std::map<NodeId, NodeChecked> checked_;  // the last of each
  std::optional<CrawlEnd> ended_;
  std::map<Endpoint, std::size_t> crawler_sent_;  // datagrams

 private:
  struct UnderWay {
    Instant due;
    Endpoint from;
    Endpoint to;
    Bytes bytes;
  };
  template <class M, class F>
  bool drain(M& machine, const Endpoint& at, F on_event) {
    bool busy = false;
    while (const auto sent = machine.poll_transmit(now_, buffer_)) {
      busy = true;
      if (at == place_of(kCrawler)) ++crawler_sent_[sent->remote];
      wire_.push_back(
          {now_.mono + kLatency, at, sent->remote, to_bytes(ByteView{buffer_}.first(sent->size))});
    }
    while (auto event = machine.poll_event()) {
      busy = true;
      on_event(*event);
    }
    while (const auto job = machine.poll_job()) {
      busy = true;
      machine.handle_job_done(now_, {job->id, job->work()});
    }
    return busy;
  }
  void drain_all() {
    for (const auto& [at, host] : hosts_) {
      while (drain(*host, at, [](const auto&) {})) {
      }
    }
    if (!crawler_) return;
    const auto take = [&](const NodeChecked& checked) {
      checked_.insert_or_assign(checked.node.record->id(), checked);
    };
    while (drain(*crawler_, place_of(kCrawler), take)) {
    }
    ended_ = crawler().ended();
  }
  void deliver() {
    const UnderWay one = std::move(wire_.front());
    wire_.pop_front();
    const Datagram datagram{.local = one.to, .remote = one.from, .ecn = 0, .bytes = one.bytes};
    if (crawler_ && one.to == place_of(kCrawler)) {
      crawler_->handle_datagrams(now_, std::span{&datagram, 1});
      return;
    }
    const auto it = hosts_.find(one.to);
    if (it != hosts_.end()) it->second->handle_datagrams(now_, std::span{&datagram, 1});
  }

  Bytes buffer_ = Bytes(kTransmitBufferBytes);
  std::vector<std::unique_ptr<TestRng>> rngs_;
  std::map<Endpoint, std::unique_ptr<discovery::Host>> hosts_;
  std::unique_ptr<Checked<Crawler>> crawler_;
  std::deque<UnderWay> wire_;
};

}  // namespace ethnet::crawl::testing
