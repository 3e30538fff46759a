// One engine and peers that say what a test wants, for tests of discv-lite.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <discovery/kbucket/testing/records.hpp>

#include "../engine.hpp"

namespace ethnet::discv_lite::testing {

using namespace kbucket::testing;

struct Rig {
  // It knows where it is: peers need not be asked.
  Rig() {
    engine.set_local_record(Scope::wan, enr_of(0, own_subnet(0), 5));
    engine.set_own_address(own_subnet(0));
    engine.set_own_address({IpAddress::parse("10.0.0.2").value(), 9000});
  }

  // A session with node `number`; its Hello has its record where asked for.
  SessionHandle open(std::uint64_t number, bool inbound = false, bool with_record = true) {
    return open_at(number, own_subnet(number), inbound, with_record);
  }
  SessionHandle open_at(std::uint64_t number, const Endpoint& remote, bool inbound = false,
                        bool with_record = true) {
    const SessionHandle session{next_session++, 1};
    Bytes enr;
    if (with_record) enr = to_bytes(enr_of(number, remote).record().encoded());
    engine.handle_session_opened(
        now, session,
        {.id = id_of(number), .remote = remote, .inbound = inbound, .enr = std::move(enr)});
    do_jobs();
    return session;
  }
  void say(SessionHandle session, const Bytes& payload) {
    engine.handle_message(now, session, payload);
  }
  void do_jobs() {
    while (auto job = engine.poll_job()) engine.handle_job_done(now, {job->id, job->work()});
  }
  // What was sent over this session since the last call; what others got is dropped.
  std::vector<Bytes> sent(SessionHandle session) {
    std::vector<Bytes> out;
    while (auto message = engine.poll_outgoing()) {
      if (message->session == session) out.push_back(std::move(message->payload));
    }
    return out;
  }
  template <class E>
  std::vector<E> events() {
    std::vector<E> out;
    while (auto event = engine.poll_event()) {
      if (auto* wanted = std::get_if<E>(&*event)) out.push_back(std::move(*wanted));
    }
    return out;
  }
  std::optional<Misbehaviour> blamed() {
    const auto bad = events<PeerMisbehaved>();
    return bad.empty() ? std::nullopt : std::optional{bad.front().what};
  }
  // The id of the FindNodes that a look-up of ours sends over this session.
  FindNodes find_nodes(SessionHandle session, std::uint64_t target = 77) {
    static_cast<void>(engine.start_lookup(now, id_of(target)));
    for (const Bytes& payload : sent(session)) {
      if (peek_code(payload) == Code::find_nodes) return *decode_find_nodes(payload);
    }
    return {};
  }
  // Records of nodes at these distances from node `from`.
  static std::vector<Bytes> records_for(std::uint64_t from,
                                        const std::vector<std::uint16_t>& distances,
                                        std::size_t count, std::uint64_t first = 100) {
    std::vector<Bytes> out;
    CHECK(!distances.empty());
    for (std::uint64_t i = first; out.size() < count; ++i) {
      const auto distance = static_cast<std::uint16_t>(log_distance(id_of(from), id_of(i)));
      if (std::ranges::find(distances, distance) == distances.end()) continue;
      out.push_back(to_bytes(enr_of(i, own_subnet(i)).record().encoded()));
    }
    return out;
  }
  void pass(Duration time) {
    now.mono = now.mono + time;
    now.wall = now.wall + time;
    engine.handle_deadline(now);
  }

  NullLog log;
  Now now = at(seconds(0));
  Engine engine{now, id_of(0), Prng{1}, log};
  std::uint32_t next_session = 1;
};

}  // namespace ethnet::discv_lite::testing
