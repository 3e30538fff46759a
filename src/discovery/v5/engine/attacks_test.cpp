// Attacks on the engine of discv5 (docs/THREATS.md), at a scale that ASan affords; at that of the
// attack with ETHNET_FULL_ATTACKS=1 in a release build.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>
#include <utility>

#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "../testing/engine_rig.hpp"
#include "engine.hpp"
#include "local_record.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;
using ethnet::testing::AllocationMeter;

std::uint64_t count(std::uint64_t share, std::uint64_t full) {
  return std::getenv("ETHNET_FULL_ATTACKS") != nullptr ? full : share;
}

// Where budgets of packets are not what is tested.
filter::FilterLimits no_filter() {
  constexpr filter::Rate kAny{.burst = 1'000'000, .per_second = 1'000'000};
  filter::FilterLimits out;
  out.address = out.lan = out.identity = out.strangers_curve = out.proven_curve = kAny;
  return out;
}

class EngineAttacks : public ::testing::Test {
 protected:
  EngineAttacks() { net_.filter_limits = no_filter(); }
  EngineNode& start(const EngineLimits& limits = {}) { return net_.add(1, limits); }

  // Signed records of so many nodes, at these places.
  template <class Where>
  static std::vector<EnrPtr> fakes(std::size_t many, Where where) {
    std::vector<EnrPtr> out;
    for (std::uint64_t i = 1000; out.size() < many; ++i) {
      out.push_back(record_at_place(i, where(i)));
    }
    return out;
  }
  // A peer that answers every FINDNODE with the next of these records that fit, and every PING.
  RawPeer& liar(EngineNode& to, std::uint64_t number, const std::vector<EnrPtr>& lies) {
    RawPeer& raw = peers_.add(number);
    raw.on_message = [this, &raw, &to, &lies, number](const Bytes& plain) {
      const auto message = decode_message(plain);
      if (const auto* ping = std::get_if<Ping>(&*message)) {
        raw.say(to, Pong{ping->request_id, 1, to.place});
      } else if (const auto* find = std::get_if<FindNode>(&*message)) {
        raw.say(to, answer(*find, id_of(number), lies));
      }
    };
    return raw;
  }
  Nodes answer(const FindNode& find, const NodeId& from, const std::vector<EnrPtr>& lies) {
    Nodes out{.request_id = find.request_id, .total = 1, .records = {}};
    for (std::size_t tries = 0; tries < lies.size() && out.records.view().size() < 7; ++tries) {
      const EnrPtr& lie = lies[next_lie_++ % lies.size()];
      const unsigned distance = log_distance(from, lie->node_id());
      if (std::ranges::count(find.distances.view(), distance) == 0) continue;
      out.records.push_back(lie->record().encoded());
    }
    return out;
  }
  void ping(EngineNode& from, std::uint64_t to) {
    net_.command(from, [&](Engine& e) { return e.ping(net_.now, node_of(to)); });
  }
  std::uint64_t look_up(EngineNode& node, const NodeId& target) {
    return net_.command(node, [&](Engine& e) { return e.start_lookup(net_.now, target); });
  }
  // What is told of all distances to a peer that asks.
  std::vector<NodeId> told(EngineNode& by, RawPeer& asker) {
    FindNode all;
    all.request_id = RequestId::of(77);
    for (std::uint16_t d = 256; d > 0; --d) all.distances.push_back(d);
    static_cast<void>(asker.heard<Nodes>());
    asker.say(by, all);
    net_.settle();
    std::vector<NodeId> out;
    for (const Nodes& nodes : asker.heard<Nodes>()) {
      for (const ByteView record : nodes.records.view()) {
        out.push_back(VerifiedEnr::decode(record).value().node_id());
      }
    }
    return out;
  }

  EngineNet net_;
  RawPeers peers_{net_};
  std::size_t next_lie_ = 0;
};

TEST_F(EngineAttacks, atk_26_Discv5OfAThousandRecordsThatNobodySawNoneIsRelayed) {
  const auto lies = fakes(1000, [](std::uint64_t i) { return own_subnet(i); });
  EngineNode& node = start();
  liar(node, 5, lies);
  ping(node, 5);
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 150; ++i) {
    look_up(node, id_of(3000 + i));
    most = std::max(most, node.table.size());
    net_.run(seconds(2));
    node.events.clear();
  }
  EXPECT_GT(node.engine().counters().records, 500U) << "the attack was on";
  EXPECT_GT(most, 15U) << "they are in the table";
  EXPECT_EQ(node.table.broken(), "");
  RawPeer& asker = peers_.add(6);
  EXPECT_EQ(told(node, asker), std::vector{id_of(5)}) << "who answered, and nobody else";
}

TEST_F(EngineAttacks, atk_27_Discv5RandomDatagramsCostNoMemoryAndGetNoAnswer) {
  EngineNode& node = start();
  TestRng rng{2};
  Prng prng{3};
  ByteArray<1500> bytes{};
  rng.fill(bytes);
  const std::uint64_t datagrams = count(100'000, 10'000'000);
  Engine& engine = node.engine();
  const auto send = [&](std::uint64_t i) {
    store_be<std::uint64_t>(MutByteView{bytes}.subspan(prng.below(60), 8), prng.next());
    const Datagram datagram{.local = node.place,
                            .remote = place_of(100 + i % 50),
                            .ecn = 0,
                            .bytes = ByteView{bytes}.first(prng.below(1501))};
    engine.handle_datagrams(net_.now, {&datagram, 1});
  };
  for (std::uint64_t i = 0; i < 100; ++i) send(i);
  const AllocationMeter meter;
  for (std::uint64_t i = 0; i < datagrams; ++i) send(i);
  EXPECT_EQ(meter.allocations(), 0U);
  EXPECT_EQ(engine.held(), 0U);
  EXPECT_EQ(engine.counters().datagrams, datagrams + 100);
}

// Whatever header, flag and size: to an address that proved nothing goes less than came from it.
TEST_F(EngineAttacks, atk_28_Discv5NoUnprovenAddressIsSentMoreThanItSent) {
  EngineNode& node = start();
  ping(node, 9);                            // packets of ours are under way, to somewhere else
  std::map<IpAddress, std::size_t> caused;  // bytes, by one datagram
  net_.on_stranger = [&](const UnderWay& sent) { caused[sent.to.ip] += sent.bytes.size(); };
  TestRng rng{7};
  Prng prng{8};
  PacketBuffer buffer{};
  const std::uint64_t packets = count(20'000, 1'000'000);
  for (std::uint64_t i = 0; i < packets; ++i) {
    Header header;
    rng.fill(header.nonce);
    NodeId source = id_of(prng.below(20));
    if (prng.below(3) == 0) rng.fill(source.bytes);
    Handshake handshake{.source = source};
    rng.fill(handshake.id_signature);
    rng.fill(handshake.ephemeral_key);
    const std::uint64_t kind = prng.below(3);
    if (kind == 0) header.authdata = Ordinary{source};
    if (kind == 1) header.authdata = Whoareyou{};
    if (kind == 2) header.authdata = handshake;
    const std::size_t size = write_header(header, buffer).size() + prng.below(kind == 1 ? 2 : 120);
    const Bytes datagram = masked(node.engine().self(), ByteView{buffer}.first(size));
    const Endpoint from = place_of(200 + prng.below(300));
    caused.clear();
    net_.inject(from, node.place, datagram);
    ASSERT_LE(caused[from.ip], datagram.size()) << i;
    ASSERT_EQ(caused.size(), 1U) << "nobody else hears of it, " << i;
    if (i % 1000 == 0) net_.run(milliseconds(500));
  }
  EXPECT_GT(node.engine().session_counters().challenges_made, 100U);
  EXPECT_EQ(node.engine().sessions(), 0U);
}

// Two nodes, and packets to each that say to be from the other.
TEST_F(EngineAttacks, atk_28_Discv5TwoNodesDoNotKeepAnsweringEachOther) {
  EngineNode& a = start();
  EngineNode& b = net_.add(2);
  PacketCodec codec;
  PacketBuffer buffer{};
  const auto forge = [&](EngineNode& from, EngineNode& to) {
    const Header header{.nonce = {}, .authdata = Ordinary{from.engine().self()}};
    const auto size = codec.encode_raw(to.engine().self(), header, ByteArray<44>{}, buffer);
    net_.inject(from.place, to.place, ByteView{buffer}.first(size.value()));
  };
  for (int i = 0; i < 100; ++i) {
    forge(b, a);
    forge(a, b);
  }
  EXPECT_EQ(net_.delivered, 400U) << "each forged packet, and one challenge for it";
  EXPECT_EQ(a.engine().counters().challenges_unknown, 100U);
  EXPECT_EQ(b.engine().counters().challenges_unknown, 100U);
  EXPECT_EQ(a.engine().sessions() + b.engine().sessions(), 0U);
}

// Each challenge makes us sign: one for each packet that we sent, from where we sent it.
TEST_F(EngineAttacks, atk_28_Discv5ChallengesDoNotMakeUsSignWithoutEnd) {
  EngineNode& node = start();
  RawPeer& raw = peers_.add(5);
  raw.makes_challenges = false;
  Bytes asked;
  net_.loses = [&](const UnderWay& sent) {
    if (sent.to == raw.place()) asked = sent.bytes;
    return false;
  };
  ping(node, 5);
  ASSERT_FALSE(asked.empty());
  const auto received = raw.node().take(net_.now, node.place, asked);
  const auto* unreadable = as<Unreadable>(received);
  ASSERT_NE(unreadable, nullptr);
  const Unreadable packet = *unreadable;
  for (int i = 0; i < 50; ++i) {
    net_.pass(i == 0 ? seconds(0) : milliseconds(1));
    const auto size = raw.node().sessions.make_challenge(net_.now, packet, nullptr, raw.node().out);
    net_.inject(place_of(6), node.place, raw.node().sent(size));  // from elsewhere
    EXPECT_EQ(node.engine().session_counters().challenges_answered, i == 0 ? 0U : 1U);
    net_.inject(raw.place(), node.place, raw.node().sent(size));
    EXPECT_EQ(node.engine().session_counters().challenges_answered, 1U);
  }
  EXPECT_EQ(node.engine().counters().challenges_unknown, 99U) << "the nonce is of no packet now";
}

// One identity at one address whose handshakes are right: it has its share of our work on the
// curve, each pays once, and others have theirs.
TEST_F(EngineAttacks, atk_22_Discv5HandshakesOfOneIdentityCostNoMoreThanItsShare) {
  constexpr std::uint64_t kShare = 8;
  net_.filter_limits.identity = {.burst = kShare, .per_second = 1};
  EngineNode& node = start();
  PacketBuffer plain{};
  const ByteView ping =
      ByteView{plain}.first(encode_message(Ping{RequestId::of(1), 1}, plain).value());
  const Peer to{node.engine().self(), node.place};
  Bytes packet;
  net_.on_stranger = [&](const UnderWay& sent) { packet = sent.bytes; };
  const auto shake_hands = [&](Node& with) {
    const auto asked = with.sessions.make_random(to, with.out).size;
    net_.inject(with.place, node.place, with.sent(asked));
    const auto received = with.take(net_.now, node.place, packet);
    const auto* challenge = as<ChallengeReceived>(received);
    ASSERT_NE(challenge, nullptr);
    const auto sealed =
        with.sessions.answer_challenge(to, key_of(1)->public_key(), *challenge, ping, with.out);
    net_.inject(with.place, node.place, with.sent(sealed->size));
  };
  Node flood{3};
  for (std::uint64_t i = 0; i < 5 * kShare; ++i) shake_hands(flood);
  EXPECT_EQ(node.engine().session_counters().handshakes_accepted, kShare);
  EXPECT_EQ(node.engine().counters().pings, kShare) << "what it said is served";
  EXPECT_EQ(node.filter.counters().refused_identities, 4 * kShare);
  Node other{4};
  shake_hands(other);
  EXPECT_EQ(node.engine().session_counters().handshakes_accepted, kShare + 1);
}

TEST_F(EngineAttacks, atk_29_Discv5SessionsWithoutEndStayWithinTheirBoundAndTheHonestComeBack) {
  EngineLimits limits;
  limits.sessions.sessions = count(50, kMaxDiscv5Sessions);
  net_.filter_limits.known = count(50, filter::kMaxKnownPlaces);
  net_.filter_limits.addresses = count(50, filter::kMaxFilteredAddresses);
  net_.filter_limits.identities = count(50, filter::kMaxFilteredIdentities);
  EngineNode& node = start(limits);
  EngineNode& honest = net_.add(2);
  ping(honest, 1);
  ASSERT_EQ(honest.take<PongReceived>().size(), 1U);
  const std::uint64_t rounds = count(300, 100'000);
  std::int64_t after_half = 0;
  const AllocationMeter meter;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    Node churner{3};
    churner.place = place_of(1000 + i);
    Bytes packet;
    net_.on_stranger = [&](const UnderWay& sent) { packet = sent.bytes; };
    const Peer to{node.engine().self(), node.place};
    const auto asked = churner.sessions.make_random(to, churner.out).size;
    net_.inject(churner.place, node.place, churner.sent(asked));
    const auto received = churner.take(net_.now, node.place, packet);
    const auto* challenge = as<ChallengeReceived>(received);
    ASSERT_NE(challenge, nullptr);
    const auto sealed = churner.sessions.answer_challenge(to, key_of(1)->public_key(), *challenge,
                                                          text_bytes("hello"), churner.out);
    net_.inject(churner.place, node.place, churner.sent(sealed->size));
    if (i == rounds / 2) after_half = meter.growth();
  }
  EXPECT_EQ(node.engine().sessions(), limits.sessions.sessions);
  EXPECT_EQ(node.engine().session_counters().handshakes_accepted, rounds + 1);
  EXPECT_LE(meter.growth(), after_half + 64 * 1024) << "full after half of them";
  EXPECT_EQ(node.engine().exceeded_limit(), std::nullopt);
  net_.on_stranger = nullptr;
  const std::uint64_t before = net_.delivered;
  ping(honest, 1);
  EXPECT_EQ(honest.take<PongReceived>().size(), 1U);
  EXPECT_EQ(net_.delivered - before, 4U) << "a round trip more than with a session";
}

TEST_F(EngineAttacks, atk_30_Discv5AKeyThatIsUsedUpIsReplacedAndNoQuestionIsLost) {
  EngineLimits limits;
  limits.sessions.messages_per_key = 4;
  EngineNode& a = start(limits);
  EngineNode& b = net_.add(2);
  for (std::size_t i = 0; i < 40; ++i) {
    ping(a, 2);
    ASSERT_EQ(a.take<PongReceived>().size(), 1U) << i;
  }
  EXPECT_EQ(b.engine().session_counters().handshakes_accepted, 10U);
  EXPECT_EQ(a.engine().session_counters().refused(Discv5Error::key_used_up), 9U);
  EXPECT_EQ(a.engine().counters().calls_repeated, 0U);
}

// --- NODES ---

// How long a look-up lasts whose only peer answers like this, and what it believes.
class TotalsAttack : public EngineAttacks {
 protected:
  TotalsAttack() {
    ping(node_, 5);
    node_.events.clear();
  }
  // It is reached, whatever it answered before.
  void prepare() {
    ping(node_, 5);
    node_.events.clear();
    asked_.reset();
  }
  Duration lookup_time() {
    prepare();
    const Instant begin = net_.now.mono;
    EXPECT_NE(look_up(node_, id_of(900)), 0U);
    for (int i = 0; i < 3000 && node_.take<LookupDone>().empty(); ++i) net_.run(milliseconds(1));
    EXPECT_TRUE(asked_.has_value());
    return net_.now.mono - begin;
  }
  // Of a question by command, until it is told how it ended.
  template <class F>
  Duration call_time(F ask) {
    prepare();
    const Instant begin = net_.now.mono;
    EXPECT_NE(net_.command(node_, ask), 0U);
    const auto is_over = [&] {
      return !node_.take<CallFailed>().empty() || !node_.take<NodesReceived>().empty();
    };
    for (int i = 0; i < 3000 && !is_over(); ++i) net_.run(milliseconds(1));
    EXPECT_TRUE(asked_.has_value());
    return net_.now.mono - begin;
  }
  // The longest of a look-up and of what commands ask.
  Duration longest() {
    const std::vector<std::uint16_t> distances{256, 255};
    return std::max({lookup_time(), call_time([&](Engine& e) {
                       return e.find_node(net_.now, node_of(5), distances);
                     }),
                     call_time([&](Engine& e) { return e.request_record(net_.now, node_of(5)); })});
  }
  EngineNode& node_ = start();
  std::uint64_t total_ = 1;
  std::size_t messages_ = 1;
  const std::vector<EnrPtr> truth_ = fakes(20, [](std::uint64_t i) { return own_subnet(i); });
  std::optional<FindNode> asked_;
  std::function<Bytes(const FindNode&)> says_;  // where it is set, instead of all that
  RawPeer& raw_ = [this]() -> RawPeer& {
    RawPeer& raw = peers_.add(5);
    raw.on_message = [this, &raw](const Bytes& plain) {
      const auto message = decode_message(plain);
      if (const auto* ping = std::get_if<Ping>(&*message)) {
        raw.say(node_, Pong{ping->request_id, 1, node_.place});
      } else if (const auto* find = std::get_if<FindNode>(&*message)) {
        asked_ = *find;
        if (says_) return raw.say_plain(node_, says_(*find));
        for (std::size_t i = 0; i < messages_; ++i) {
          raw.say(node_, Nodes{.request_id = find->request_id, .total = total_, .records = {}});
        }
      }
    };
    return raw;
  }();
};

TEST_F(TotalsAttack, atk_31_Discv5NoTotalKeepsAQuestionOpenForMoreThan700Milliseconds) {
  total_ = 1;
  EXPECT_LT(longest(), milliseconds(1)) << "the answer is whole";
  total_ = 0;
  EXPECT_LT(longest(), milliseconds(1)) << "nobody waits for a better one";
  EXPECT_GE(node_.engine().counters().bad_messages, 3U);
  std::uint64_t cut_off = 0;
  for (const std::uint64_t total :
       {std::uint64_t{5}, std::uint64_t{6}, std::uint64_t{255}, UINT64_MAX}) {
    total_ = total;
    EXPECT_LE(longest(), kCallTimeout) << total;
    EXPECT_GT(node_.engine().counters().nodes_cut_off, cut_off) << total;
    cut_off = node_.engine().counters().nodes_cut_off;
  }
  total_ = 2;
  messages_ = 2;
  EXPECT_LT(longest(), milliseconds(1));
  EXPECT_EQ(node_.engine().exceeded_limit(), std::nullopt);
}

// Whatever else is refused: who sent it says no more, or says it again.
TEST_F(TotalsAttack, atk_31_Discv5AnAnswerThatIsRefusedEndsItsQuestionAtOnce) {
  const auto answer_of = [](const FindNode& find, auto write_rest) {
    rlp::Writer out;
    const auto list = out.begin_list();
    out.write_bytes(find.request_id.view());
    write_rest(out);
    out.end_list(list);
    Bytes plain{std::byte{4}};
    append(plain, std::move(out).take());
    return plain;
  };
  const std::vector<std::pair<const char*, std::function<void(rlp::Writer&)>>> bad{
      {"no total", [](rlp::Writer&) {}},
      {"a total of nine bytes",
       [](rlp::Writer& out) {
         out.write_bytes(Bytes(9, std::byte{1}));
         out.write_empty_list();
       }},
      {"a total that is a list", [](rlp::Writer& out) { out.write_empty_list(); }},
      {"no records", [](rlp::Writer& out) { out.write_uint(1); }},
      {"a record that is none",
       [](rlp::Writer& out) {
         out.write_uint(1);
         const auto records = out.begin_list();
         out.write_uint(7);
         out.end_list(records);
       }},
      {"an element too many", [](rlp::Writer& out) {
         out.write_uint(1);
         out.write_empty_list();
         out.write_uint(1);
       }}};
  for (const auto& [what, write_rest] : bad) {
    const std::uint64_t before = node_.engine().counters().bad_messages;
    says_ = [&](const FindNode& find) { return answer_of(find, write_rest); };
    EXPECT_LT(longest(), milliseconds(1)) << what;
    EXPECT_EQ(node_.engine().counters().bad_messages, before + 3) << what;
  }
  says_ = nullptr;
  EXPECT_EQ(node_.engine().held(), 0U);
}

// What came before it counts; what names another question, or another peer's, ends nothing.
TEST_F(TotalsAttack, atk_31_Discv5ARefusedAnswerEndsNoOtherQuestion) {
  prepare();
  messages_ = 0;
  const CallId call = net_.command(node_, [&](Engine& e) {
    const std::vector<std::uint16_t> distances{256, 255};
    return e.find_node(net_.now, node_of(5), distances);
  });
  ASSERT_TRUE(asked_.has_value());
  RawPeer& other = peers_.add(6);
  other.say(node_, Ping{RequestId::of(1), 1});
  net_.settle();
  const Nodes refused{.request_id = asked_->request_id, .total = 0, .records = {}};
  const Nodes unasked{.request_id = RequestId::of(4711), .total = 0, .records = {}};
  other.say(node_, refused);
  raw_.say(node_, unasked);
  net_.settle();
  EXPECT_TRUE(node_.take<CallFailed>().empty());
  Nodes some = answer(*asked_, id_of(5), truth_);
  some.total = 3;
  raw_.say(node_, some);
  raw_.say(node_, refused);
  net_.settle();
  const auto found = node_.take<NodesReceived>();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].call, call);
  EXPECT_EQ(found[0].records.size(), some.records.view().size());
}

TEST_F(TotalsAttack, atk_31_Discv5MessagesThatComeSlowlyProlongNothing) {
  total_ = 5;
  messages_ = 0;
  const Instant begin = net_.now.mono;
  ASSERT_NE(look_up(node_, id_of(900)), 0U);
  ASSERT_TRUE(asked_.has_value());
  while (node_.take<LookupDone>().empty() && net_.now.mono < begin + seconds(5)) {
    net_.run(milliseconds(300));
    Nodes nodes = answer(*asked_, id_of(5), truth_);
    nodes.total = 5;
    raw_.say(node_, nodes);
    net_.settle();
  }
  EXPECT_LE(net_.now.mono - begin, kCallTimeout + milliseconds(300));
}

TEST_F(EngineAttacks, atk_31_Discv5NodesOfADistanceThatNobodyAskedForAreDropped) {
  EngineNode& node = start();
  const auto lies = fakes(60, [](std::uint64_t i) { return own_subnet(i); });
  RawPeer& raw = peers_.add(5);
  raw.on_message = [&](const Bytes& plain) {
    const auto message = decode_message(plain);
    const auto* find = std::get_if<FindNode>(&*message);
    if (find == nullptr) return;
    for (std::uint8_t m = 0; m < 5; ++m) {
      Nodes nodes{.request_id = find->request_id, .total = 5, .records = {}};
      for (std::size_t i = 0; i < 3; ++i)
        nodes.records.push_back(lies[m * 3U + i]->record().encoded());
      raw.say(node, nodes);
    }
  };
  const std::vector<std::uint16_t> far{256};
  net_.command(node, [&](Engine& e) { return e.find_node(net_.now, node_of(5), far); });
  const auto found = node.take<NodesReceived>();
  ASSERT_EQ(found.size(), 1U);
  std::size_t right = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    right += log_distance(id_of(5), lies[i]->node_id()) == 256 ? 1U : 0U;
  }
  ASSERT_GT(right, 2U);
  ASSERT_LT(right, 13U);
  EXPECT_EQ(found[0].records.size(), right);
  EXPECT_EQ(node.engine().counters().wrong_distance, 15 - right);
}

// --- addresses ---

TEST_F(EngineAttacks, atk_36_Discv5RecordsThatNameAVictimsNetworkDoNotKeepTheVictimOut) {
  EngineNode& node = start();
  const auto lies =
      fakes(300, [](std::uint64_t i) { return place_of(2, static_cast<std::uint16_t>(i)); });
  liar(node, 5, lies);
  ping(node, 5);
  for (std::uint64_t i = 0; i < 30; ++i) {
    look_up(node, id_of(3000 + i));
    net_.run(milliseconds(100));
  }
  EXPECT_GT(node.engine().counters().subnet_limit, 0U) << "the attack was on";
  EngineNode& victim = net_.add(2);
  ping(victim, 1);
  const auto* entry = node.table.find(id_of(2));
  ASSERT_NE(entry, nullptr);
  EXPECT_TRUE(entry->relayable());
  EXPECT_EQ(node.table.broken(), "");
}

TEST_F(EngineAttacks, atk_36_Discv5FiftyNodesOnOneLoopbackAddressWork) {
  net_.filter_limits = {};
  const auto place = [](std::uint64_t i) {
    return Endpoint{IpAddress::loopback_v4(), static_cast<std::uint16_t>(9000 + i)};
  };
  std::vector<EngineNode*> nodes;
  for (std::uint64_t i = 0; i < 50; ++i) {
    nodes.push_back(&net_.add_at(i, place(i), record_at_place(i, place(i))));
    if (i > 0) nodes[i]->engine().add_boot_node(net_.now, node_at(0, place(0)));
  }
  net_.run(seconds(30));
  for (EngineNode* node : nodes) {
    EXPECT_GE(node->table.size(), 25U);
    EXPECT_EQ(node->table.broken(), "");
    EXPECT_EQ(node->filter.counters().refused_addresses, 0U);
  }
}

class VoteAttack : public EngineAttacks {
 protected:
  // A peer of a /24 of its own that says where it sees us.
  RawPeer& voter(std::uint64_t number) {
    RawPeer& raw = peers_.add(number * 256 + 1);
    raw.on_message = [this, &raw, number](const Bytes& plain) {
      const auto message = decode_message(plain);
      if (const auto* ping = std::get_if<Ping>(&*message)) {
        raw.say(node_, Pong{ping->request_id, 1, says_[number]});
      }
    };
    return raw;
  }
  EngineNode& node_ = start();
  std::map<std::uint64_t, Endpoint> says_;
  const Endpoint home_ = Endpoint::parse("5.5.5.5:9000").value();
  const Endpoint lie_ = Endpoint::parse("6.6.6.6:9000").value();
};

TEST_F(VoteAttack, atk_37_Discv5NineLiarsOfThirtyAndWhoeverCameToUsChangeNothing) {
  node_.engine().vote().set(home_);
  for (std::uint64_t i = 1; i <= 30; ++i) {
    says_[i] = i <= 9 ? lie_ : home_;
    voter(i);
    ping(node_, i * 256 + 1);
  }
  EXPECT_EQ(node_.take<PongReceived>().size(), 30U);
  EXPECT_EQ(node_.engine().counters().votes, 30U);
  for (std::uint64_t i = 31; i <= 60; ++i) {
    says_[i] = lie_;
    voter(i).say(node_, Ping{RequestId::of(1), 1});
    net_.settle();
    ping(node_, i * 256 + 1);  // over the session that it opened
  }
  EXPECT_EQ(node_.take<PongReceived>().size(), 30U);
  EXPECT_EQ(node_.engine().counters().votes_of_strangers, 30U);
  EXPECT_TRUE(node_.take<OwnAddress>().empty());
  EXPECT_EQ(node_.engine().vote().current(kbucket::Scope::wan, true), std::nullopt);
  EXPECT_EQ(node_.engine().vote().current(kbucket::Scope::wan, false), home_);
}

TEST_F(VoteAttack, atk_37_Discv5ARealChangeIsToldOnceAndBumpsTheRecordOnce) {
  for (std::uint64_t i = 1; i <= 30; ++i) {
    says_[i] = home_;
    voter(i);
    ping(node_, i * 256 + 1);
  }
  const auto own = node_.take<OwnAddress>();
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].endpoint, home_);
  for (int again = 0; again < 3; ++again) {
    const auto record = record_at(node_.engine().local_record(), *key_of(1), own[0].endpoint);
    EXPECT_EQ(record != nullptr, again == 0);
    if (record == nullptr) continue;
    EXPECT_TRUE(node_.engine().set_local_record(record));
  }
  EXPECT_EQ(node_.engine().local_record().record().seq(), 2U);
}

// Whoever comes by itself shows that our address is good; whom we reached does not, though it makes
// a session of its own.
TEST_F(VoteAttack, atk_37_Discv5OnlyWhoCameByItselfHasArrived) {
  voter(1);
  says_[1] = home_;
  ping(node_, 1 * 256 + 1);
  EXPECT_TRUE(node_.take<kbucket::Arrival>().empty());
  voter(1).say(node_, Ping{RequestId::of(1), 1});  // begun anew, without its session
  net_.settle();
  EXPECT_EQ(node_.engine().session_counters().handshakes_accepted, 1U);
  EXPECT_TRUE(node_.take<kbucket::Arrival>().empty());
  RawPeer& stranger = voter(50);
  stranger.say(node_, Ping{RequestId::of(1), 1});
  net_.settle();
  const auto arrivals = node_.take<kbucket::Arrival>();
  ASSERT_EQ(arrivals.size(), 1U);
  EXPECT_EQ(arrivals[0].from, stranger.place());
}

class RedirectionAttack : public EngineAttacks {
 protected:
  // Look-ups without end among peers that tell these records; datagrams by where they went.
  std::map<IpAddress, std::size_t> knocks(const std::vector<EnrPtr>& lies,
                                          std::int64_t for_seconds) {
    EngineNode& node = start();
    RawPeer& raw = liar(node, 5, lies);
    std::map<IpAddress, std::size_t> out;
    net_.loses = [&](const UnderWay& sent) {
      if (sent.to != raw.place()) ++out[sent.to.ip];
      return false;
    };
    ping(node, 5);
    for (std::int64_t second = 0; second < for_seconds; ++second) {
      look_up(node, id_of(3000 + static_cast<std::uint64_t>(second)));
      net_.run(seconds(1));
      node.events.clear();
    }
    EXPECT_EQ(node.table.broken(), "");
    out.erase(node.place.ip);  // what the peer says to us
    wrong_scope_ = node.engine().counters().wrong_scope;
    refused_ = node.engine().probes().refused();
    return out;
  }
  std::uint64_t wrong_scope_ = 0;
  std::uint64_t refused_ = 0;
};

TEST_F(RedirectionAttack, atk_38_Discv5AnUnprovenAddressIsKnockedAtTwiceAMinuteAtMost) {
  const Endpoint victim = own_subnet(7);
  const auto lies = fakes(
      200, [&](std::uint64_t i) { return Endpoint{victim.ip, static_cast<std::uint16_t>(i)}; });
  const auto counts = knocks(lies, 300);
  ASSERT_TRUE(counts.contains(victim.ip));
  EXPECT_GE(counts.at(victim.ip), 5U) << "the attack was on";
  EXPECT_LE(counts.at(victim.ip), 5 * kbucket::kMaxProbesPerAddress);
  EXPECT_GT(refused_, 0U);
}

TEST_F(RedirectionAttack, atk_38_Discv5NoStrangerSendsUsToOurLanOrOurselves) {
  std::vector<Endpoint> nowhere;
  for (const std::string_view text :
       {"127.0.0.1:22", "10.0.0.1:443", "192.168.1.1:80", "169.254.169.254:80", "224.0.0.1:9",
        "255.255.255.255:9", "[::1]:9", "[fd00::1]:9", "[ff02::1]:9", "[2002:7f00:1::1]:9"}) {
    nowhere.push_back(Endpoint::parse(text).value());
  }
  const auto lies = fakes(60, [&](std::uint64_t i) { return nowhere[i % nowhere.size()]; });
  EXPECT_TRUE(knocks(lies, 60).empty());
  EXPECT_GT(wrong_scope_, 30U);
}

// --- TALKREQ ---

TEST_F(EngineAttacks, atk_40_Discv5TenThousandTalkRequestsASecondAreServedOrDroppedAndCounted) {
  EngineNode& node = start();
  ASSERT_TRUE(node.engine().register_talk("wave"));
  std::vector<RawPeer*> flood;
  for (std::uint64_t i = 0; i < 20; ++i) {
    flood.push_back(&peers_.add(100 + i));
    flood.back()->say(node, Ping{RequestId::of(1), 1});
    net_.settle();
  }
  EngineNode& honest = net_.add(2);
  constexpr std::uint64_t requests = 10'000;
  std::uint64_t served = 0;
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < requests; ++i) {
    flood[i % flood.size()]->say(node,
                                 TalkReq{RequestId::of(i), text_bytes("wave"), text_bytes("x")});
    net_.settle();
    const TalkCounters& so_far = node.engine().talk_counters();
    most = std::max(most, so_far.requests - so_far.served - so_far.dropped - so_far.unanswered);
    if (i % 100 == 0) net_.run(milliseconds(10));
    // A handler that is slow answers one request in ten.
    for (const TalkRequested& talk : node.take<TalkRequested>()) {
      if (i % 10 != 0) continue;
      served += net_.command(node, [&](Engine& e) {
        return e.answer_talk(net_.now, talk.talk, text_bytes("y")) ? 1U : 0U;
      });
    }
  }
  ping(honest, 1);
  EXPECT_EQ(honest.take<PongReceived>().size(), 1U);
  net_.run(kTalkLifetime);
  const TalkCounters& counters = node.engine().talk_counters();
  EXPECT_LE(most, kMaxTalkSlots);
  EXPECT_EQ(counters.requests, requests);
  EXPECT_EQ(counters.served, served);
  EXPECT_GT(counters.dropped, requests / 4);
  EXPECT_EQ(counters.dropped + counters.unanswered, requests - served);
  EXPECT_EQ(node.engine().exceeded_limit(), std::nullopt);
}

TEST_F(EngineAttacks, atk_40_Discv5WhoFloodsSpendsItsOwnBudget) {
  net_.filter_limits = {};
  EngineNode& node = start();
  ASSERT_TRUE(node.engine().register_talk("wave"));
  RawPeer& flood = peers_.add(100);
  flood.say(node, Ping{RequestId::of(1), 1});
  net_.settle();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    flood.say(node, TalkReq{RequestId::of(i), text_bytes("wave"), {}});
    net_.settle();
  }
  EXPECT_LE(node.engine().talk_counters().requests, 64U);
  EXPECT_GT(node.filter.counters().refused_identities, 800U) << "it is itself, and had its share";
  EngineNode& honest = net_.add(2);
  ping(honest, 1);
  EXPECT_EQ(honest.take<PongReceived>().size(), 1U);
}

}  // namespace
}  // namespace ethnet::discv5
