// Discovery: the messages of discv-lite, the file of nodes, and the engine by operations: sessions
// that open and close, peers that answer rightly, wrongly, late or not at all, dials that fail.
#include <array>
#include <map>
#include <set>

#include <discovery/kbucket/nodes_file.hpp>
#include <discovery/kbucket/testing/records.hpp>
#include <protocol/discv_lite/engine.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using namespace discv_lite;
using namespace kbucket::testing;

constexpr std::size_t kMaxOperations = 150;
constexpr std::size_t kNodes = 40;
constexpr std::size_t kSessions = 12;

template <class Message>
void expect_same(const Result<Message>& message, ByteView payload) {
  if (message) CHECK(equal(encode(*message), payload));
}

// Where node `number` says it is: some networks of their own, one that many share, a LAN, a
// loopback address, one where no host can be.
Endpoint place_of(std::uint64_t number) {
  switch (number % 8) {
    case 0:
    case 1:
    case 2:
      return shared_subnet(static_cast<std::uint8_t>(number));
    case 3:
      return endpoint("10.0.0.5:9000");
    case 4:
      return {IpAddress::loopback_v4(), static_cast<std::uint16_t>(9000 + number)};
    case 5:
      return endpoint("224.0.0.1:9000");
    default:
      return own_subnet(number);
  }
}

struct Identity {
  NodeId id;
  std::array<Bytes, 2> records;  // of numbers 1 and 2; the second may be somewhere else
};
const std::vector<Identity>& identities() {
  static const std::vector<Identity> made = [] {
    std::vector<Identity> out;
    for (std::uint64_t i = 0; i < kNodes; ++i) {
      const Endpoint moved = i % 3 == 0 ? place_of(i + 1) : place_of(i);
      out.push_back({id_of(i),
                     {to_bytes(enr_of(i, place_of(i)).record().encoded()),
                      to_bytes(enr_of(i, moved, 2).record().encoded())}});
    }
    return out;
  }();
  return made;
}

class DiscvRun {
 public:
  explicit DiscvRun(std::uint8_t seed) : engine_{now_, identities()[0].id, Prng{seed}, log_} {
    engine_.set_local_record(Scope::wan, enr_of(0, own_subnet(0)));
    engine_.add_boot_node(own_subnet(1));
  }

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 10) {
      case 0:
        open(in, op);
        break;
      case 1:
        if (const auto session = pick(in)) close(*session);
        break;
      case 2:
      case 3:
      case 4:
        answer(in, op);
        break;
      case 5:
        ask(in);
        break;
      case 6:
        pass(in.byte());
        break;
      case 7:
        contact(in);
        break;
      case 8:
        finish_job(in);
        break;
      default:
        other(in, op);
    }
    drain();
  }

  void finish() {
    while (!open_.empty()) close(open_.begin()->first);
    while (!jobs_.empty()) {
      const Job job = std::move(jobs_.back());
      jobs_.pop_back();
      engine_.handle_job_done(now_, {job.id, job.work()});
    }
    drain();
    while (!contacts_.empty()) {
      const ContactWanted wanted = contacts_.back();
      contacts_.pop_back();
      engine_.handle_contact_failed(now_, wanted.contact, ContactFailure::unreachable);
      drain();
    }
    CHECK(engine_.judging_records() == 0);
    CHECK(engine_.held() == 0);
    CHECK(!engine_.poll_outgoing());
  }

 private:
  void open(Operations& in, std::uint8_t op) {
    const std::size_t number = 1 + in.below(kNodes - 1);
    if (open_.size() < kSessions) open_as(number, place_of(in.byte()), op);
  }
  void open_as(std::size_t number, const Endpoint& remote, std::uint8_t how) {
    const SessionHandle session{next_++, 1};
    open_.emplace(session, number);
    PeerLink peer{.id = identities()[number].id,
                  .remote = how % 4 < 2 ? place_of(number) : remote,
                  .inbound = how % 2 == 0,
                  .enr = {}};
    if (how < 200) peer.enr = identities()[number].records[how % 2];
    engine_.handle_session_opened(now_, session, peer);
  }
  void close(SessionHandle session) {
    open_.erase(session);
    asked_.erase(session);
    engine_.handle_session_closed(now_, session);
  }
  std::optional<SessionHandle> pick(Operations& in) {
    if (open_.empty()) return std::nullopt;
    return std::next(open_.begin(), static_cast<std::ptrdiff_t>(in.below(open_.size())))->first;
  }

  // The last question of a session: with true records, forged ones, too many or none.
  void answer(Operations& in, std::uint8_t op) {
    const auto session = pick(in);
    if (!session) return;
    const auto asked = asked_.find(*session);
    if (asked == asked_.end()) return;
    const Bytes question = asked->second;
    if ((op & 0x40) == 0) asked_.erase(asked);  // else the same once more
    if (const auto ping = decode_ping(question); ping && peek_code(question) == Code::ping) {
      engine_.handle_message(now_, *session,
                             encode(Pong{ping->request_id, in.byte(), place_of(in.byte())}));
      return;
    }
    const auto find = decode_find_nodes(question);
    CHECK(find.has_value());
    Nodes nodes{find->request_id, {}};
    const std::size_t count = (op & 0x80) != 0 ? in.byte() % 20 : in.byte() % 17;
    for (std::size_t i = 0; i < count; ++i) {
      Bytes record = identities()[in.below(kNodes)].records[op % 2];
      if (in.byte() == 7) record.back() ^= std::byte{1};
      nodes.records.push_back(std::move(record));
    }
    engine_.handle_message(now_, *session, encode(nodes));
  }
  void ask(Operations& in) {
    const auto session = pick(in);
    if (!session) return;
    const std::uint8_t kind = in.byte();
    if (kind % 3 == 0) {
      engine_.handle_message(now_, *session, encode(Ping{kind, in.byte() % 4U}));
    } else if (kind % 3 == 1) {
      engine_.handle_message(
          now_, *session,
          encode(FindNodes{kind, {256, static_cast<std::uint16_t>(in.byte()), 255}}));
    } else {
      engine_.handle_message(now_, *session, in.bytes(in.byte()));
    }
  }
  void pass(std::uint8_t amount) {
    now_.mono = now_.mono + milliseconds(amount * 50);
    engine_.handle_deadline(now_);
    CHECK(engine_.next_deadline() > now_.mono);
  }
  void contact(Operations& in) {
    if (contacts_.empty()) return;
    const std::size_t at = in.below(contacts_.size());
    const ContactWanted wanted = contacts_[at];
    contacts_.erase(contacts_.begin() + static_cast<std::ptrdiff_t>(at));
    const std::uint8_t how = in.byte();
    const auto known = std::ranges::find_if(
        identities(), [&](const Identity& i) { return wanted.node && i.id == *wanted.node; });
    if (how < 128 && known != identities().end() && open_.size() < kSessions) {
      const auto number = static_cast<std::size_t>(known - identities().begin());
      open_as(number, wanted.endpoint, static_cast<std::uint8_t>(how | 3));
    } else {
      engine_.handle_contact_failed(now_, wanted.contact, static_cast<ContactFailure>(how % 5));
    }
  }
  void finish_job(Operations& in) {
    if (jobs_.empty()) return;
    const std::size_t at = in.below(jobs_.size());
    const Job job = std::move(jobs_[at]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(at));
    engine_.handle_job_done(now_, {job.id, job.work()});
  }
  void other(Operations& in, std::uint8_t op) {
    switch (op % 3) {
      case 0:
        static_cast<void>(engine_.start_lookup(now_, identities()[in.below(kNodes)].id));
        break;
      case 1:
        CHECK(kbucket::decode_saved_nodes(engine_.save()).has_value());
        static_cast<void>(engine_.restore(now_, engine_.save()));
        break;
      default:
        poll(in);
    }
  }
  // One message goes out, or the session has no room for it.
  void poll(Operations& in) {
    auto out = engine_.poll_outgoing();
    if (!out) return;
    CHECK(open_.contains(out->session));
    if (in.byte() % 4 == 0) {
      const SessionHandle session = out->session;
      engine_.handle_send_refused(now_, std::move(*out));
      if (in.byte() % 2 == 0) engine_.handle_writable(now_, session);
      return;
    }
    const auto code = peek_code(out->payload);
    CHECK(code.has_value());
    if (*code == Code::ping || *code == Code::find_nodes) {
      asked_[out->session] = std::move(out->payload);
    } else if (*code == Code::nodes) {
      check_answer(out->session, *decode_nodes(out->payload));
    }
  }
  // Nobody is told of a node that no session came from and none was opened to.
  void check_answer(SessionHandle session, const Nodes& nodes) {
    for (const Bytes& record : nodes.records) {
      const auto enr = VerifiedEnr::decode(record);
      CHECK(enr.has_value());
      CHECK(enr->node_id() != identities()[open_.at(session)].id);
      CHECK(enr->node_id() == identities()[0].id || met_.contains(enr->node_id()));
    }
  }

  void drain() {
    while (auto event = engine_.poll_event()) {
      if (auto* wanted = std::get_if<ContactWanted>(&*event)) {
        contacts_.push_back(*wanted);
      } else if (const auto* bad = std::get_if<PeerMisbehaved>(&*event)) {
        CHECK(open_.contains(bad->session));
        close(bad->session);
      } else if (const auto* seen = std::get_if<NodeSeen>(&*event)) {
        met_.insert(seen->record->id());
      }
    }
    while (auto job = engine_.poll_job()) jobs_.push_back(std::move(*job));
    CHECK(engine_.judging_records() <= kMaxJudgingRecords);
    CHECK(engine_.peer_count() == open_.size());
    CHECK(engine_.discovery().short_sessions() <= lite::kMaxShortSessions);
    CHECK(engine_.discovery().table().broken().empty());
  }

  NullLog log_;
  Now now_ = at(seconds(0));
  Engine engine_;
  std::uint32_t next_ = 1;
  std::map<SessionHandle, std::size_t> open_;  // with whom
  std::map<SessionHandle, Bytes> asked_;
  std::vector<ContactWanted> contacts_;
  std::vector<Job> jobs_;
  std::set<NodeId> met_;
};

// Two peers, a look-up that goes to both, answers with records, judgement, dials.
Bytes a_lookup() {
  Bytes out = operations_of({1, 0, 1, 0, 1, 0, 6, 0, 7, 8, 0, 8, 0, 9, 77, 29, 1, 29, 1, 29, 1});
  append(out,
         operations_of({2, 0, 12, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9, 0, 10, 0}));
  append(out, operations_of(
                  {8, 0, 7, 0, 3, 7, 0, 200, 6, 100, 6, 255, 29, 1, 29, 1, 5, 0, 1, 3, 29, 1}));
  return out;
}
// Peers that forge, repeat, ask without end and leave; a file that comes back.
Bytes unruly_peers() {
  Bytes out = operations_of({9, 10, 2, 9, 20, 3, 8, 30, 9, 5, 5, 0, 0, 1, 5, 1, 2, 4, 1, 2, 3, 4});
  append(out,
         operations_of({19, 66, 1, 3, 7, 19, 9, 5, 29, 1, 66, 0, 3, 1, 7, 2, 0, 1, 1, 0, 6, 200}));
  append(out, operations_of(
                  {0, 4, 5, 10, 12, 5, 1, 0, 7, 0, 129, 7, 0, 130, 8, 0, 8, 0, 6, 255, 6, 255}));
  return out;
}

}  // namespace

void run_discv_lite(ByteView input) {
  const auto code = peek_code(input);
  if (!code) return;
  switch (*code) {
    case Code::ping:
      expect_same(decode_ping(input), input);
      break;
    case Code::pong:
      expect_same(decode_pong(input), input);
      break;
    case Code::find_nodes:
      expect_same(decode_find_nodes(input), input);
      break;
    case Code::nodes: {
      const auto nodes = decode_nodes(input);
      if (nodes) {
        CHECK(peek_request_id(input) == nodes->request_id);
        CHECK(peek_records_count(input) == nodes->records.size());
        CHECK(nodes->records.size() <= lite::kMaxNodesPerAnswer);
      }
      expect_same(nodes, input);
      break;
    }
  }
}

void run_nodes_file(ByteView input) {
  const auto saved = kbucket::decode_saved_nodes(input);
  if (saved) CHECK(equal(kbucket::encode(*saved), input));
}

void run_discv_operations(ByteView input) {
  Operations in{input};
  DiscvRun run{in.byte()};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

void add_discovery_seeds(std::vector<Seed>& out) {
  const Bytes& record = identities()[6].records[0];
  out.push_back({"discv_lite", "ping", encode(Ping{1, 300})});
  out.push_back({"discv_lite", "pong", encode(Pong{1, 300, own_subnet(1)})});
  out.push_back({"discv_lite", "pong_v6", encode(Pong{1, 3, endpoint("[2a00::1]:9000")})});
  out.push_back({"discv_lite", "find_nodes", encode(FindNodes{300, {256, 0, 3}})});
  out.push_back({"discv_lite", "nodes", encode(Nodes{2, {record, record}})});
  out.push_back({"nodes_file", "two_and_an_anchor",
                 kbucket::encode(kbucket::SavedNodes{
                     .nodes = {{record, 1'700'000'000}, {identities()[7].records[1], 0}},
                     .anchors = {record}})});
  out.push_back({"discv_operations", "a_lookup", a_lookup()});
  out.push_back({"discv_operations", "unruly_peers", unruly_peers()});
}

}  // namespace ethnet::fuzz
