// The engine of Node Discovery v5.1 by operations: peers with true sessions that say anything,
// datagrams that are lost, late, repeated, spoilt or from elsewhere, jobs that take long, commands.
#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include <discovery/v5/engine/engine.hpp>
#include <discovery/v5/testing/engine_rig.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using namespace discv5;
using namespace discv5::testing;

constexpr std::size_t kPeers = 3;
constexpr std::size_t kMaxOperations = 150;
constexpr std::size_t kUnderWay = 24;

// Nobody is there, and no record says so: whatever comes from there was forged.
Endpoint forged(std::uint8_t n) { return place_of(0x090000U + n % 4U); }
// Nobody is there, and records say that nodes are.
Endpoint victim() { return place_of(0x0a0001U); }

// What peers tell: nodes of networks of their own and of one, at a victim, in a LAN, nowhere,
// without an address; the peers themselves, twice.
const std::vector<EnrPtr>& records() {
  static const std::vector<EnrPtr> made = [] {
    std::vector<EnrPtr> out;
    for (std::uint64_t i = 0; i <= kPeers; ++i) {
      out.push_back(record_of(i, 1));
      out.push_back(record_of(i, 2));
    }
    for (std::uint64_t i = 10; i < 26; ++i) out.push_back(record_at_place(i, own_subnet(i)));
    for (std::uint16_t i = 30; i < 38; ++i) {
      out.push_back(record_at_place(i, {victim().ip, i}));
    }
    out.push_back(record_at_place(40, Endpoint::parse("10.0.0.1:9000").value()));
    out.push_back(record_at_place(41, Endpoint::parse("224.0.0.1:9000").value()));
    out.push_back(
        std::make_shared<const VerifiedEnr>(EnrBuilder{1}.udp(1).sign(*key_of(42)).value()));
    return out;
  }();
  return made;
}

EngineLimits limits_of(std::uint8_t options) {
  EngineLimits out;
  out.sessions.sessions = 1 + options % 4;
  out.sessions.challenges = 1 + (options >> 2) % 4;
  out.sessions.messages_per_key = (options & 0x10) != 0 ? 5 : kMaxMessagesPerKey;
  out.calls = (options & 0x20) != 0 ? 3 : 20;
  out.lookups = 2;
  out.talk_slots = 2;
  out.outgoing = (options & 0x40) != 0 ? 4 : 200;
  return out;
}

class EngineRun {
 public:
  explicit EngineRun(std::uint8_t options)
      : engine_{time(),  key_of(0), record_of(0),  table_,
                filter_, rng_,      Prng{options}, limits_of(options)} {
    for (std::uint64_t i = 1; i <= kPeers; ++i) peers_.push_back(std::make_unique<Side>(i));
    CHECK(engine_.machine().register_talk("wave"));
  }

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 10) {
      case 0:
      case 1:
        say(in, op);
        break;
      case 2:
      case 3:
      case 4:
        deliver(in, op);
        break;
      case 5:
        disturb(in, op);
        break;
      case 6:
        pass(milliseconds(in.byte() * 10));
        break;
      case 7:
        command(in, op);
        break;
      case 8:
        finish_job(in);
        break;
      default:
        other(in, op);
    }
    drain();
  }

  // Nobody answers any more, and all that is under way ends.
  void finish() {
    while (!jobs_.empty()) finish_a_job(0);
    bool quiet = false;
    for (int i = 0; i < 500 && !quiet; ++i) {
      pass(std::max(engine_.next_deadline(), time().mono) - time().mono);
      drain();
      while (!jobs_.empty()) finish_a_job(0);
      quiet = engine_.machine().held() == 0;
    }
    CHECK(quiet);
  }

 private:
  struct Side {
    explicit Side(std::uint64_t number) : node{number} {}
    Node node;
    Bytes said;
    RequestId asked;  // what it heard last
    FindNode find;
    bool waits = false;  // for a challenge
  };

  [[nodiscard]] Now time() const { return discv5::testing::at(now_); }
  [[nodiscard]] Peer self() { return {engine_.machine().self(), place_of(0)}; }
  Side& pick(Operations& in) { return *peers_[in.below(kPeers)]; }

  // --- what peers do ---

  void say(Operations& in, std::uint8_t op) {
    Side& side = pick(in);
    const std::uint8_t what = in.byte();
    const RequestId id = op < 0x80 ? side.asked : RequestId::of(in.byte());
    switch (what % 6) {
      case 0:
        return send(side, Ping{id, in.byte() % 4U});
      case 1:
        return send(side, Pong{id, in.byte() % 4U, forged(in.byte())});
      case 2: {
        FindNode find{.request_id = id, .distances = {}};
        for (const unsigned d : {256U, 255U, 0U, unsigned{in.byte()}}) {
          find.distances.push_back(static_cast<std::uint16_t>(d));
        }
        return send(side, find);
      }
      case 3:
        return send_nodes(side, in, id);
      case 4:
        return send(side, TalkReq{id, text_bytes(what < 200 ? "wave" : "none"), in.bytes(3)});
      default:
        return send(side, TalkResp{id, in.bytes(5)});
    }
  }
  void send_nodes(Side& side, Operations& in, const RequestId& id) {
    Nodes nodes{.request_id = id, .total = static_cast<std::uint8_t>(in.byte() % 7), .records = {}};
    Bytes spoilt = to_bytes(records()[in.below(records().size())]->record().encoded());
    spoilt[in.below(spoilt.size())] ^= std::byte{1};
    const std::size_t many = in.byte() % 8;
    for (std::size_t i = 0; i < many; ++i) {
      nodes.records.push_back(records()[in.below(records().size())]->record().encoded());
    }
    if (in.byte() % 8 == 0 && Enr::decode(spoilt)) nodes.records.push_back(spoilt);
    send(side, nodes);
  }
  void send(Side& side, const Message& message) {
    PacketBuffer plain{};
    const auto size = encode_message(message, MutByteView{plain}.first(kPlainRoom));
    if (!size) return;
    side.said = to_bytes(ByteView{plain}.first(*size));
    Sessions& sessions = side.node.sessions;
    const auto sealed = sessions.seal(self(), side.said, side.node.out);
    side.waits = !sealed.has_value();
    const std::size_t bytes =
        sealed ? sealed->size : sessions.make_random(self(), side.node.out).size;
    arrive(side.node.place, side.node.sent(bytes));
  }
  // A datagram of the engine arrives where it was sent to.
  void deliver(Operations& in, std::uint8_t op) {
    if (sent_.empty()) return;
    const std::size_t index = in.below(sent_.size());
    const UnderWay datagram = sent_[index];
    if (op < 0xc0) sent_.erase(sent_.begin() + static_cast<std::ptrdiff_t>(index));
    for (const auto& side : peers_) {
      if (side->node.place == datagram.to) take(*side, datagram.bytes);
    }
  }
  void take(Side& side, ByteView bytes) {
    const auto received = side.node.take(time(), place_of(0), bytes);
    if (const auto* message = as<MessageReceived>(received)) {
      heard(side, message->plain);
    } else if (const auto* unreadable = as<Unreadable>(received)) {
      const std::size_t size =
          side.node.sessions.make_challenge(time(), *unreadable, nullptr, side.node.out);
      arrive(side.node.place, side.node.sent(size));
    } else if (const auto* challenge = as<ChallengeReceived>(received)) {
      if (!std::exchange(side.waits, false)) return;
      const auto sealed = side.node.sessions.answer_challenge(self(), key_of(0)->public_key(),
                                                              *challenge, side.said, side.node.out);
      if (sealed) arrive(side.node.place, side.node.sent(sealed->size));
    }
  }
  // What the engine says is of the protocol; of nodes it tells only what it may.
  void heard(Side& side, ByteView plain) {
    const auto message = decode_message(plain);
    CHECK(message.has_value());
    std::visit([&](const auto& m) { side.asked = m.request_id; }, *message);
    const auto* nodes = std::get_if<Nodes>(&*message);
    if (nodes == nullptr) return;
    for (const ByteView record : nodes->records.view()) {
      const auto enr = VerifiedEnr::decode(record);
      CHECK(enr.has_value() && enr->node_id() != side.node.sessions.self());
      const bool is_peer = std::ranges::any_of(
          peers_, [&](const auto& peer) { return peer->node.sessions.self() == enr->node_id(); });
      CHECK(is_peer || enr->node_id() == self().id);  // nobody else was ever there
    }
  }

  // --- the wire ---

  void arrive(const Endpoint& from, Bytes bytes) {
    came_.push_back({from, place_of(0), std::move(bytes)});
    if (came_.size() > kUnderWay) came_.pop_front();
    hand_over(came_.back());
  }
  // What proves nothing (no message under keys, no handshake, no answer to a packet of ours) is
  // answered by no more than came with it, and moves us to say nothing to anybody else.
  void hand_over(const UnderWay& datagram) {
    drain();
    const auto proofs = [&] {
      const SessionCounters& counters = engine_.machine().session_counters();
      return counters.messages + counters.handshakes_accepted + counters.challenges_answered;
    };
    const std::uint64_t before = proofs();
    input_ = Input{datagram.from.ip};
    const Datagram in{
        .local = datagram.to, .remote = datagram.from, .ecn = 0, .bytes = datagram.bytes};
    engine_.handle_datagrams(time(), {&in, 1});
    drain();
    const Input caused = *std::exchange(input_, std::nullopt);
    if (proofs() != before) return;
    CHECK(caused.to_sender <= datagram.bytes.size());
    CHECK(caused.to_others == 0);
  }
  // Once more, spoilt, from elsewhere, or made of any bytes.
  void disturb(Operations& in, std::uint8_t op) {
    if (op < 0x40 || came_.empty()) {
      const ByteView bytes = in.bytes(in.byte());
      const Endpoint from = op % 2 == 0 ? forged(op) : place_of(1 + in.below(kPeers));
      return arrive(from, masked(self().id, bytes));
    }
    UnderWay again = came_[in.below(came_.size())];
    if (op % 3 == 0) again.from = forged(op);
    if (op % 3 == 1 && !again.bytes.empty()) {
      again.bytes[in.below(again.bytes.size())] ^= std::byte{1};
    }
    hand_over(again);
  }

  // --- what its owner does ---

  void pass(Duration duration) {
    now_ = now_ + duration;
    engine_.handle_deadline(time());
  }
  void command(Operations& in, std::uint8_t op) {
    engine_.begin_input(time());
    Engine& engine = engine_.machine();
    const RecordPtr peer = node_of(1 + in.below(kPeers));
    const std::vector<std::uint16_t> distances{256, 255, 254, 0};
    switch (op / 10 % 7) {
      case 0:
        engine.ping(time(), peer);
        break;
      case 1:
        engine.find_node(time(), peer, distances);
        break;
      case 2:
        engine.request_record(time(), peer);
        break;
      case 3:
        engine.talk_request(time(), peer, text_bytes("wave"), Bytes(in.byte() * 5U));
        break;
      case 4:
        engine.start_lookup(time(), id_of(in.byte()));
        break;
      case 5:
        engine.add_boot_node(time(), peer);
        break;
      default:
        engine.add_node(time(), peer);
    }
  }
  void other(Operations& in, std::uint8_t op) {
    engine_.begin_input(time());
    if (op < 0x80 && !talks_.empty()) {
      const std::uint64_t talk = talks_.front();
      talks_.pop_front();
      engine_.machine().answer_talk(time(), talk, Bytes(in.byte() * 5U));
    } else {
      const std::uint64_t seq = engine_.machine().local_record().record().seq() + 1;
      engine_.machine().set_local_record(std::make_shared<const VerifiedEnr>(
          EnrBuilder{seq, record_of(0)->record()}.uint("x", in.byte()).sign(*key_of(0)).value()));
    }
  }
  void finish_job(Operations& in) {
    if (!jobs_.empty()) finish_a_job(in.below(jobs_.size()));
  }
  void finish_a_job(std::size_t index) {
    const Job job = std::move(jobs_[index]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
    engine_.handle_job_done(time(), {job.id, job.work()});
    drain();
  }

  void drain() {
    bool more = true;
    while (more) {
      more = false;
      while (const auto out = engine_.poll_transmit(time(), buffer_)) {
        more = true;
        note_sent({place_of(0), out->remote, to_bytes(ByteView{buffer_}.first(out->size))});
      }
      while (const auto event = engine_.poll_event()) {
        more = true;
        if (const auto* talk = std::get_if<TalkRequested>(&*event)) talks_.push_back(talk->talk);
      }
      while (auto job = engine_.poll_job()) {
        more = true;
        jobs_.push_back(std::move(*job));
      }
    }
    CHECK(!engine_.machine().exceeded_limit());
    CHECK(table_.broken().empty());
  }
  // Where nobody ever proved to be and no record says that somebody is, nothing goes but answers;
  // two knocks a minute where one says so.
  void note_sent(UnderWay datagram) {
    const bool is_answer = input_ && input_->from == datagram.to.ip;
    if (input_) (is_answer ? input_->to_sender : input_->to_others) += datagram.bytes.size();
    for (std::uint8_t i = 0; i < 4; ++i) CHECK(is_answer || datagram.to.ip != forged(i).ip);
    if (datagram.to.ip == victim().ip && datagram.bytes.size() != kWhoareyouBytes) {
      knocks_.push_back(time().mono);
      if (knocks_.size() > kbucket::kMaxProbesPerAddress) {
        CHECK(knocks_.front() + kbucket::kProbeWindow <= time().mono);
        knocks_.pop_front();
      }
    }
    sent_.push_back(std::move(datagram));
    if (sent_.size() > kUnderWay) sent_.pop_front();
  }

  Duration now_;
  TestRng rng_{4};
  kbucket::Table table_{id_of(0)};
  filter::Filter filter_{rng_};
  Checked<Engine> engine_;
  std::vector<std::unique_ptr<Side>> peers_;
  std::deque<UnderWay> sent_;
  std::deque<UnderWay> came_;
  std::vector<Job> jobs_;
  std::deque<std::uint64_t> talks_;
  // A datagram that the engine is taking, and bytes that it caused.
  struct Input {
    IpAddress from;
    std::size_t to_sender = 0;
    std::size_t to_others = 0;
  };
  std::optional<Input> input_;
  std::deque<Instant> knocks_;
  Bytes buffer_ = Bytes(kTransmitBufferBytes);
};

// A peer comes, is asked, tells records, which are judged, and a look-up goes to them.
Bytes seed_lookup() {
  Bytes out = operations_of({0, 0, 0, 0, 1, 2, 0, 2, 0, 2, 0, 47, 0, 7, 2, 0, 2, 0, 2, 0});
  append(out, operations_of({0, 0, 3, 1, 3, 7, 8, 9, 10, 11, 12, 13, 14, 8, 0, 6, 100, 6, 250}));
  append(out,
         operations_of({17, 0, 2, 0, 2, 0, 0, 0, 3, 1, 9, 7, 20, 21, 22, 23, 24, 25, 1, 8, 0}));
  return out;
}
// Everybody asks and answers at once, wrongly, late and again.
Bytes seed_unruly() {
  Bytes out = operations_of({0x75});
  for (int i = 0; i < 8; ++i) {
    append(out, operations_of(
                    {0, i, 4 + i, 1, i, 2, 2, i, 0xc3, 0, 1, i, 3, i, 6, i, i, i, i, i, i, i}));
    append(out, operations_of(
                    {7, i, 17, i, 27, i, 37, i, 9, 47, i, 5, 40, i, i, i, 0x6e, i, 6, 40 * i}));
    append(out, operations_of({0x8c, i, i, 9, 8, 0, 9, 30, 0x89, 7, 2, 0, 2, 1, 57, i, 67, i}));
  }
  return out;
}

}  // namespace

void run_discv5_engine_operations(ByteView input) {
  Operations in{input};
  EngineRun run{in.byte()};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

void add_discv5_engine_seeds(std::vector<Seed>& out) {
  out.push_back({"discv5_engine_operations", "lookup", seed_lookup()});
  out.push_back({"discv5_engine_operations", "unruly", seed_unruly()});
}

}  // namespace ethnet::fuzz
