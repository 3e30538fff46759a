// One Discovery and what it said, for tests: time by hand, peers by number.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include <discovery/kbucket/testing/records.hpp>

#include "../discovery.hpp"

namespace ethnet::lite::testing {

using namespace kbucket::testing;

struct DiscoveryRig {
  // It knows where it is: peers need not be asked.
  DiscoveryRig() {
    for (const std::string_view ip : {"127.0.0.1", "192.168.0.1", "2001:db8::1"}) {
      discovery.vote().set({IpAddress::parse(ip).value(), 9000});
    }
    discovery.vote().set(own_subnet(0));
  }
  // The questions and events since the last call.
  std::vector<Question> questions() {
    std::vector<Question> out;
    while (auto question = discovery.poll_question()) out.push_back(std::move(*question));
    return out;
  }
  template <class E>
  std::vector<E> events() {
    drain();
    std::vector<E> out;
    std::erase_if(seen, [&](Event& event) {
      auto* wanted = std::get_if<E>(&event);
      if (wanted != nullptr) out.push_back(std::move(*wanted));
      return wanted != nullptr;
    });
    return out;
  }
  void drain() {
    while (auto event = discovery.poll_event()) seen.push_back(std::move(*event));
  }
  void pass(Duration time) {
    now.mono = now.mono + time;
    now.wall = now.wall + time;
  }
  // Time passes, and every deadline on the way is handled.
  void run(Duration time) {
    const Instant end = now.mono + time;
    while (discovery.next_deadline() <= end) {
      pass(discovery.next_deadline() - now.mono);
      discovery.handle_deadline(now);
      drain();
    }
    pass(end - now.mono);
  }
  // A session with this node, which has its record.
  void link(std::uint64_t number, const Endpoint& remote, bool we_dialled = true) {
    discovery.handle_link_opened(now, id_of(number), remote, we_dialled);
    discovery.handle_own_record(now, id_of(number), record_of(number, remote));
  }
  // A record that nobody has seen right: its node came, from somewhere else, and went.
  void claim(std::uint64_t number, const Endpoint& where) {
    discovery.handle_link_opened(now, id_of(number), own_subnet(number + 20'000), false);
    discovery.handle_own_record(now, id_of(number), record_of(number, where));
    discovery.handle_link_closed(now, id_of(number));
  }
  // Asks a node that is linked for distances that `records` have, and hands it those.
  void tell(std::uint64_t from, const std::vector<RecordPtr>& records) {
    discovery.handle_seq(now, id_of(from), ++told_seq);
    for (const Question& question : questions()) {
      discovery.handle_nodes(now, question.token, records);
    }
  }

  Now now = at(seconds(0));
  Discovery discovery{now, id_of(0), Prng{1}};
  std::vector<Event> seen;
  std::uint64_t told_seq = 1'000'000;  // a higher number makes us ask
};

}  // namespace ethnet::lite::testing
