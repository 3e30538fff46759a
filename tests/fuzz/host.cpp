// Both protocols of discovery behind one socket, by operations: peers by hand that speak either and
// say anything, datagrams that are lost, late, repeated, spoilt and from elsewhere, commands to
// both engines, jobs that take long.
#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <discovery/host/host.hpp>
#include <discovery/v4/testing/packets.hpp>
#include <discovery/v5/testing/rig.hpp>
#include <machine/checked.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

namespace v4t = discv4::testing;
namespace v5t = discv5::testing;

constexpr std::size_t kMaxOperations = 120;
constexpr std::size_t kUnderWay = 16;
constexpr std::size_t kPeers = 3;  // by hand; the host is number 0
// Where they are, and one more, that nothing names: whatever comes from there was forged.
constexpr std::size_t kForged = kPeers + 1;
constexpr std::size_t kSources = kForged + 1;

const std::vector<Endpoint>& places() {
  static const std::vector<Endpoint> all{
      v4t::place_of(0), v4t::place_of(1), Endpoint::parse("192.168.1.7:30303").value(),
      Endpoint::parse("[2a00:1::7]:30303").value(), v4t::place_of(9)};
  return all;
}
const discovery::EnrPtr& record_at(std::size_t number) {
  static const std::vector<discovery::EnrPtr> all = [] {
    std::vector<discovery::EnrPtr> out;
    for (std::size_t i = 0; i <= kPeers; ++i) {
      const Endpoint& at = places()[i];
      EnrBuilder builder{1};
      builder.ip(at.ip);
      at.ip.is_v4() ? builder.udp(at.port) : builder.udp6(at.port);
      out.push_back(std::make_shared<const VerifiedEnr>(builder.sign(*v4t::key_of(i)).value()));
    }
    return out;
  }();
  return all[number];
}
discv4::V4Node v4_node(std::size_t number) {
  return discv4::V4Node::of(v4t::key_of(number)->public_key(),
                            v4t::wire_place(places()[number], places()[number].port));
}
kbucket::RecordPtr v5_node(std::size_t number) {
  return kbucket::NodeRecord::of(record_at(number), kbucket::RecordPort::udp);
}

class HostRun {
 public:
  explicit HostRun(std::uint8_t options)
      : host_{now(),
              discovery::HostConfig{.key = v4t::key_of(0),
                                    .local_record = record_at(0),
                                    .local = {places()[0], Endpoint::parse("[2a00::1]:9").value()},
                                    .v4 = options % 4 != 1,
                                    .v5 = options % 4 != 2,
                                    .keeps_table = (options & 0x80) != 0},
              rng_, Prng{options}} {
    for (std::size_t i = 1; i <= kPeers; ++i) {
      sides_.push_back(std::make_unique<Side>(i));
      sides_.back()->node.place = places()[i];
    }
  }

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 8) {
      case 0:
        command(in, op);
        break;
      case 1:
      case 2:
        deliver(in, op);
        break;
      case 3:
        say_v4(in);
        break;
      case 4:
        say_v5(in);
        break;
      case 5:
        disturb(in, op);
        break;
      case 6:
        pass(milliseconds(in.byte() * 10));
        break;
      default:
        finish_job(in);
    }
    CHECK(host_.machine().table().broken().empty());
  }

  // Nobody answers any more, and all that is under way ends.
  void finish() {
    bool quiet = false;
    for (int i = 0; i < 500 && !quiet; ++i) {
      while (!jobs_.empty()) finish_a_job(0);
      const Instant next = host_.next_deadline();
      pass(next.is_never() ? Duration{} : std::max(next, now().mono) - now().mono);
      quiet = host_.machine().held() == 0;
    }
    CHECK(quiet);
  }

 private:
  struct UnderWay {
    Endpoint from;
    Endpoint to;
    Bytes bytes;
  };
  struct Side {
    explicit Side(std::size_t number) : node{number} {}
    v5t::Node node;
    Bytes said;
    discv5::RequestId asked;  // what it heard last
    bool waits = false;       // for a challenge
  };
  // The datagram that the host is taking.
  struct Input {
    IpAddress from;
    std::size_t bytes = 0;
  };

  [[nodiscard]] Now now() const { return v4t::at(time_); }
  [[nodiscard]] discv5::Peer host() { return {v4t::id_of(0), places()[0]}; }

  // --- the wire ---

  void take(const Endpoint& from, Bytes bytes) {
    came_.push_back({from, places()[0], std::move(bytes)});
    if (came_.size() > kUnderWay) came_.pop_front();
    const UnderWay datagram = came_.back();
    const std::uint64_t proofs = v5_proofs();
    input_ = Input{from.ip, datagram.bytes.size()};
    const Datagram one{.local = datagram.to, .remote = from, .ecn = 0, .bytes = datagram.bytes};
    host_.handle_datagrams(now(), {&one, 1});
    drain();
    // By discv5: a message under keys, a handshake, an answer to a packet of ours.
    if (v5_proofs() != proofs) proven_.insert(from.ip);
    judge();
    input_.reset();
  }
  void drain() {
    bool more = true;
    while (more) {
      more = false;
      while (const auto out = host_.poll_transmit(now(), buffer_)) {
        more = true;
        sent_.push_back({places()[0], out->remote, to_bytes(ByteView{buffer_}.first(out->size))});
      }
      while (host_.poll_event()) more = true;
      while (auto job = host_.poll_job()) {
        more = true;
        jobs_.push_back(std::move(*job));
      }
    }
    CHECK(!host_.machine().exceeded_limit());
    if (!input_) judge();
  }
  [[nodiscard]] std::uint64_t v5_proofs() {
    const discv5::Engine* const v5 = host_.machine().v5();
    if (v5 == nullptr) return 0;
    const discv5::SessionCounters& counters = v5->session_counters();
    return counters.messages + counters.handshakes_accepted + counters.challenges_answered;
  }
  // What one input caused. To the sender of a datagram that never proved to be there goes no more
  // than came with it, and to others nothing by it. Where nothing named an address, nothing goes by
  // itself.
  void judge() {
    if (discv4::Engine* const v4 = host_.machine().v4()) {
      for (const Endpoint& place : places()) {
        for (std::size_t i = 1; i <= kPeers; ++i) {
          if (v4->is_proven(now(), v4t::id_of(i), place.ip)) proven_.insert(place.ip);
        }
      }
    }
    const bool is_of_stranger = input_ && !proven_.contains(input_->from);
    std::size_t to_sender = 0;
    for (UnderWay& sent : sent_) {
      const IpAddress& ip = sent.to.ip;
      const bool is_answer = input_ && input_->from == ip;
      if (is_answer) to_sender += sent.bytes.size();
      CHECK(is_answer || !is_of_stranger);
      CHECK(is_answer || proven_.contains(ip) || ip != places()[kForged].ip);
      under_way_.push_back(std::move(sent));
      if (under_way_.size() > kUnderWay) under_way_.pop_front();
    }
    CHECK(!is_of_stranger || to_sender <= input_->bytes);
    sent_.clear();
  }

  // --- what peers do ---

  void deliver(Operations& in, std::uint8_t op) {
    if (under_way_.empty()) return;
    const std::size_t index = in.below(under_way_.size());
    const UnderWay datagram = under_way_[index];
    if (op < 0xc0) under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(index));
    if (discv4::open(datagram.bytes)) {
      hash_ = v4t::hash_of_packet(datagram.bytes);
      return;
    }
    for (const auto& side : sides_) {
      if (side->node.place.ip == datagram.to.ip) hear(*side, datagram.bytes);
    }
  }
  void hear(Side& side, ByteView bytes) {
    const auto received = side.node.take(now(), places()[0], bytes);
    if (const auto* message = v5t::as<discv5::MessageReceived>(received)) {
      const auto decoded = discv5::decode_message(message->plain);
      CHECK(decoded.has_value());
      std::visit([&](const auto& m) { side.asked = m.request_id; }, *decoded);
    } else if (const auto* unreadable = v5t::as<discv5::Unreadable>(received)) {
      const std::size_t size =
          side.node.sessions.make_challenge(now(), *unreadable, nullptr, side.node.out);
      take(side.node.place, side.node.sent(size));
    } else if (const auto* challenge = v5t::as<discv5::ChallengeReceived>(received)) {
      if (!std::exchange(side.waits, false)) return;
      const auto sealed = side.node.sessions.answer_challenge(host(), v4t::key_of(0)->public_key(),
                                                              *challenge, side.said, side.node.out);
      if (sealed) take(side.node.place, side.node.sent(sealed->size));
    }
  }
  void say_v4(Operations& in) {
    const std::size_t who = 1 + in.below(kPeers);
    const Endpoint& from = places()[1 + in.below(kSources - 1)];
    const std::uint8_t what = in.byte();
    const std::uint64_t soon = discv4::expiration_at(now().wall) - (what >= 0xf0 ? 60 : 0);
    discv4::Message message = discv4::EnrRequest{soon};
    if (what % 6 == 0) {
      discv4::Ping ping{.from = v4t::wire_place(from), .to = {}, .expiration = soon};
      if (what < 0x80) ping.enr_seq = what;
      ping.padding = what % 64;
      message = ping;
    } else if (what % 6 == 1) {
      message = discv4::Pong{
          .to = v4t::wire_place(from), .ping_hash = hash_, .expiration = soon, .enr_seq = 9};
    } else if (what % 6 == 2) {
      message = discv4::FindNode{discv4::KeyBytes{static_cast<std::byte>(what)}, soon};
    } else if (what % 6 == 3) {
      discv4::Neighbors neighbors{.nodes = {}, .expiration = soon};
      for (std::size_t i = in.below(5); i > 0; --i) {
        const discv4::V4Node node = v4_node(in.below(kPeers + 1));
        neighbors.nodes.push_back({node.at, node.key.xy()});
      }
      message = neighbors;
    } else if (what % 6 == 4) {
      message = discv4::EnrResponse{hash_, record_at(who)->record().encoded()};
    }
    take(from, v4t::packet_of(message, *v4t::key_of(who)));
  }
  void say_v5(Operations& in) {
    Side& side = *sides_[in.below(kPeers)];
    const std::uint8_t what = in.byte();
    const discv5::RequestId id = what < 0x80 ? side.asked : discv5::RequestId::of(what);
    discv5::Message message = discv5::Ping{id, what % 4U};
    if (what % 4 == 1) {
      message = discv5::Pong{id, what % 4U, places()[in.below(kSources)]};
    } else if (what % 4 == 2) {
      discv5::FindNode find{.request_id = id, .distances = {}};
      for (const std::uint16_t d : std::initializer_list<std::uint16_t>{256, 255, 254, 0})
        find.distances.push_back(d);
      message = find;
    } else if (what % 4 == 3) {
      discv5::Nodes nodes{.request_id = id, .total = in.byte() % 4U, .records = {}};
      for (std::size_t i = in.below(4); i > 0; --i) {
        nodes.records.push_back(record_at(in.below(kPeers + 1))->record().encoded());
      }
      message = nodes;
    }
    discv5::PacketBuffer plain{};
    const auto size = discv5::encode_message(message, plain);
    CHECK(size.has_value());
    side.said = to_bytes(ByteView{plain}.first(*size));
    discv5::Sessions& sessions = side.node.sessions;
    const auto sealed = sessions.seal(host(), side.said, side.node.out);
    side.waits = !sealed.has_value();
    const std::size_t bytes =
        sealed ? sealed->size : sessions.make_random(host(), side.node.out).size;
    take(side.node.place, side.node.sent(bytes));
  }
  // Once more, spoilt, from elsewhere, or made of any bytes.
  void disturb(Operations& in, std::uint8_t op) {
    const Endpoint& from = places()[1 + in.below(kSources - 1)];
    if (op < 0x40 || came_.empty()) {
      const ByteView bytes = in.bytes(in.byte());
      return take(from, op < 0x20 ? to_bytes(bytes) : v5t::masked(host().id, bytes));
    }
    UnderWay again = came_[in.below(came_.size())];
    if (op % 3 == 0) again.from = from;
    if (op % 3 == 1 && !again.bytes.empty()) {
      again.bytes[in.below(again.bytes.size())] ^= std::byte{1};
    }
    take(again.from, again.bytes);
  }

  // --- what its owner does ---

  void pass(Duration duration) {
    time_ = time_ + duration;
    host_.handle_deadline(now());
    drain();
  }
  void command(Operations& in, std::uint8_t op) {
    host_.begin_input(now());
    const std::size_t whom = 1 + in.below(kPeers);
    if (discv4::Engine* const v4 = host_.machine().v4(); v4 != nullptr && op < 0x80) {
      command_v4(*v4, whom, in.byte());
    } else if (discv5::Engine* const v5 = host_.machine().v5()) {
      command_v5(*v5, whom, in.byte());
    }
    drain();
  }
  void command_v4(discv4::Engine& engine, std::size_t whom, std::uint8_t what) {
    const discv4::V4Node node = v4_node(whom);
    const discv4::KeyBytes target{static_cast<std::byte>(what)};
    switch (what % 5) {
      case 0:
        static_cast<void>(engine.ping(now(), node));
        break;
      case 1:
        static_cast<void>(engine.find_node(now(), node, target));
        break;
      case 2:
        static_cast<void>(engine.request_record(now(), node));
        break;
      case 3:
        engine.bootstrap(now(), std::span{&node, 1});
        break;
      default:
        static_cast<void>(engine.start_lookup(now(), target));
    }
  }
  void command_v5(discv5::Engine& engine, std::size_t whom, std::uint8_t what) {
    const std::vector<std::uint16_t> distances{256, 255, 254, 0};
    switch (what % 5) {
      case 0:
        engine.ping(now(), v5_node(whom));
        break;
      case 1:
        engine.find_node(now(), v5_node(whom), distances);
        break;
      case 2:
        engine.request_record(now(), v5_node(whom));
        break;
      case 3:
        host_.machine().expect_arrivals(now(), places()[0]);
        break;
      default:
        engine.start_lookup(now(), v4t::id_of(what));
    }
  }
  void finish_job(Operations& in) {
    if (!jobs_.empty()) finish_a_job(in.below(jobs_.size()));
  }
  void finish_a_job(std::size_t index) {
    const Job job = std::move(jobs_[index]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
    host_.handle_job_done(now(), {job.id, job.work()});
    drain();
  }

  Duration time_;
  v4t::TestRng rng_{4};
  Checked<discovery::Host> host_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::deque<UnderWay> came_;
  std::deque<UnderWay> under_way_;
  std::vector<UnderWay> sent_;  // by the input that is being judged
  std::optional<Input> input_;
  std::set<IpAddress> proven_;  // where somebody once was
  std::vector<Job> jobs_;
  Hash32 hash_;  // of the packet of discv4 that was delivered last
  Bytes buffer_ = Bytes(kTransmitBufferBytes);
};

// Peer 1 is asked by discv4 and proves itself; peer 2 comes by discv5 and is asked.
Bytes seed_meeting() {
  Bytes out = operations_of({0x83, 0, 0, 0, 1, 0, 3, 0, 0, 1, 3, 0, 0, 0, 1, 0, 3, 0, 0, 4, 6, 60});
  append(out, operations_of(
                  {4, 1, 0x80, 1, 0, 1, 0, 0x88, 1, 1, 1, 0, 1, 0, 4, 1, 3, 1, 2, 1, 2, 7, 0}));
  append(out, operations_of({0x88, 1, 2, 1, 0, 4, 1, 3, 1, 1, 2, 7, 0, 0x88, 1, 4, 1, 0, 6, 200}));
  return out;
}
// Both protocols of all peers at once, wrongly, late, again, and from elsewhere.
Bytes seed_unruly() {
  Bytes out = operations_of({0x83});
  for (int i = 0; i < 6; ++i) {
    append(out, operations_of(
                    {3, i, 3, 60, 4, i, 0x80 + i, 1, i, 0xe1, i, 3, i, 3, 1, 0x45, 3, i, 0x6d}));
    append(out, operations_of(
                    {3, i, 0x4d, i, i, 9, 0, i, i, 0x80, i, i, 5, 3, 20, i, i, i, i, i, i, i}));
    append(out,
           operations_of({0x25, 3, 30, i, i, i, i, i, 6, 40 * i, 7, i, 3, i, 2, 2, 0xd1, i, 2, i}));
  }
  return out;
}

}  // namespace

// The first byte: which protocols are on, and whether the host keeps its table alive.
void run_host_operations(ByteView input) {
  Operations in{input};
  HostRun run{in.byte()};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

void add_host_seeds(std::vector<Seed>& out) {
  out.push_back({"host_operations", "meeting", seed_meeting()});
  out.push_back({"host_operations", "unruly", seed_unruly()});
}

}  // namespace ethnet::fuzz
