#include "engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/net.hpp"

namespace ethnet::das_lite {
namespace {

using namespace testing;
using das::testing::test_bytes;
using das::testing::test_data;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Config kNotByItself{.auto_sample = false, .samples = 8, .store = {}};

std::size_t count_sent(const Net& net, Code code) {
  return static_cast<std::size_t>(std::ranges::count_if(
      net.sent(), [&](const auto& one) { return peek_code(one.second) == code; }));
}

Bytes joined(const Engine& engine, const das::DataKey& key) {
  Bytes out;
  for (std::uint32_t i = 0; i < key.shape.total_chunks; ++i) {
    const auto chunk = engine.chunk(key.id, i);
    if (chunk) append(out, chunk->bytes);
  }
  return out;
}

TEST(Engine, WhatIsPublishedIsAnnouncedAndSampledByEverybodyByThemselves) {
  Net net;
  Node& publisher = net.add_node();
  Node& before = net.add_node();
  Node& after = net.add_node();
  net.connect(before, publisher);
  const das::DataKey key = net.publish(publisher, test_bytes(64'000), 1'000);
  net.run(seconds(5));
  net.connect(after, publisher);
  net.run();
  for (Node* node : {&before, &after}) {
    ASSERT_THAT(node->verdicts, SizeIs(1));
    EXPECT_EQ(to_text(node->verdicts.front()), "received=8 requested=8 confidence=1.000");
    EXPECT_NEAR(node->verdicts.front().fooled_probability, 1 - 8.0 / 64, 1e-9);
    EXPECT_EQ(node->engine.store().held_chunks(key.id), 8U);
  }
  EXPECT_THAT(publisher.verdicts, IsEmpty());  // it holds all of it
}

TEST(Engine, NothingIsAnnouncedServedOrListedBeforeItIsHashed) {
  Net net;
  Node& publisher = net.add_node();
  const das::DataSet data = das::DataSet::make(test_bytes(6'400), 100).value();
  std::vector<Bytes> heard;
  const auto peer = net.connect(publisher, [&](ByteView payload) {
    heard.push_back(to_bytes(payload));
    return std::vector<Bytes>{};
  });
  net.hold_jobs();
  ASSERT_TRUE(publisher.engine.publish(net.now(), test_bytes(6'400), 100));
  net.run(seconds(1));
  net.say(peer, encode(RequestChunk{data.key().id, {5}}));
  net.run(seconds(1));
  EXPECT_THAT(heard, ElementsAre(not_held(data, 5)));
  EXPECT_THAT(publisher.engine.data_sets(), IsEmpty());
  net.finish_jobs();
  net.say(peer, encode(RequestChunk{data.key().id, {5}}));
  net.run(seconds(1));
  EXPECT_THAT(heard, ElementsAre(not_held(data, 5), announcement(data), chunk_response(data, 5)));
  ASSERT_THAT(publisher.published, SizeIs(1));
  EXPECT_TRUE(publisher.published.front().kept);
}

TEST(Engine, WithoutAutomaticSamplingOnlyACommandSamples) {
  Net net;
  Node& node = net.add_node(kNotByItself);
  const das::DataSet data = test_data(64, 100);
  net.say(net.connect(node, server_of(data)), announcement(data));
  net.run();
  EXPECT_EQ(count_sent(net, Code::request_chunk), 0U);
  const auto run = node.engine.sample(net.now(), data.key().id, 16);
  ASSERT_TRUE(run);
  net.run();
  ASSERT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(node.verdicts.front().run, *run);
  EXPECT_FALSE(node.verdicts.front().automatic);
  EXPECT_EQ(to_text(node.verdicts.front()), "received=16 requested=16 confidence=1.000");
}

TEST(Engine, OfFewerChunksThanSamplesEachIsAskedOnce) {
  Net net;
  Node& node = net.add_node();
  const das::DataSet data = test_data(5, 100);
  net.say(net.connect(node, server_of(data)), announcement(data));
  net.run();
  ASSERT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(to_text(node.verdicts.front()), "received=5 requested=5 confidence=1.000");
  EXPECT_EQ(node.verdicts.front().fooled_probability, 0.0);
  EXPECT_THAT(net.asked(), SizeIs(5));
}

TEST(Engine, TheConfidenceOfNothingRequestedIsUnknown) {
  Net net;
  Node& node = net.add_node(kNotByItself);
  const das::DataSet data = test_data(5, 100);
  net.say(net.connect(node, server_of(data)), announcement(data));
  ASSERT_TRUE(node.engine.sample(net.now(), data.key().id, 0));
  net.run();
  ASSERT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(to_text(node.verdicts.front()), "received=0 requested=0 confidence=unknown");
}

TEST(Engine, ASamplingIsSpreadOverAllWhoAnnounced) {
  Net net;
  Node& node = net.add_node();
  const das::DataSet data = test_data(64, 100);
  for (int i = 0; i < 4; ++i) net.say(net.connect(node, server_of(data)), announcement(data));
  net.run();
  std::map<SessionHandle, int> asked;
  for (const auto& [index, sessions] : net.asked()) ++asked[*sessions.begin()];
  ASSERT_THAT(asked, SizeIs(4));
  for (const auto& [session, times] : asked) EXPECT_EQ(times, 2);
}

TEST(Engine, WhatALeavingPeerOwedIsAskedOfAnotherAndHeldAgainstNobody) {
  Net net;
  Node& node = net.add_node();
  const das::DataSet data = test_data(64, 100);
  const auto leaving = net.connect(node, silent());
  net.say(leaving, announcement(data));
  net.say(net.connect(node, server_of(data)), announcement(data));
  net.run(seconds(2));
  EXPECT_THAT(node.verdicts, IsEmpty());
  net.close(leaving);
  net.run(seconds(1));
  ASSERT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(node.verdicts.front().received, 8U);
  EXPECT_THAT(node.scored, IsEmpty());
}

TEST(Engine, WhenAllWhoAnnouncedHaveLeftTheSamplingEnds) {
  Net net;
  Node& node = net.add_node();
  const das::DataSet data = test_data(64, 100);
  const auto peer = net.connect(node, silent());
  net.say(peer, announcement(data));
  net.run(seconds(2));
  net.close(peer);
  ASSERT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(to_text(node.verdicts.front()), "received=0 requested=8 confidence=0.000");
  EXPECT_EQ(node.engine.held(), 0U);
  EXPECT_THAT(node.engine.data_sets(), IsEmpty());
}

TEST(Engine, AGetFetchesAllFromSeveralShowsItsProgressAndIsAnnouncedThen) {
  Net net;
  Node& a = net.add_node(kNotByItself);
  Node& b = net.add_node(kNotByItself);
  Node& getter = net.add_node(kNotByItself);
  Node& third = net.add_node(kNotByItself);
  const Bytes bytes = test_bytes(700 * 100 - 1);
  const das::DataKey key = net.publish(a, bytes, 100);
  net.publish(b, bytes, 100);
  net.connect(getter, a);
  net.connect(getter, b);
  net.connect(third, getter);
  net.run(seconds(1));
  EXPECT_THAT(third.engine.data_sets(), IsEmpty());
  const auto run = getter.engine.get(net.now(), key.id);
  ASSERT_TRUE(run);
  net.run();
  ASSERT_FALSE(getter.progress.empty());
  EXPECT_EQ(getter.progress.back(), (GetProgress{*run, key, 700, 700, true}));
  std::uint32_t before = 0;
  for (const GetProgress& move : getter.progress) {
    EXPECT_GE(move.received, before);
    before = move.received;
  }
  EXPECT_EQ(joined(getter.engine, key), bytes);
  EXPECT_NEAR(static_cast<double>(a.engine.counters().chunks_served), 350, 20);
  EXPECT_NEAR(static_cast<double>(b.engine.counters().chunks_served), 350, 20);
  ASSERT_THAT(third.engine.data_sets(), SizeIs(1));
  EXPECT_EQ(third.engine.data_sets().front().announcers, 1U);
}

TEST(Engine, AGetOfWhatIsWithheldEndsAndGivesItsRoomBack) {
  Net net;
  Node& node = net.add_node(kNotByItself);
  const das::DataSet data = test_data(600, 100);
  const auto peer =
      net.connect(node, answering([&](std::uint32_t index) {
                    return index == 500 ? not_held(data, index) : chunk_response(data, index);
                  }));
  net.say(peer, announcement(data));
  ASSERT_TRUE(node.engine.get(net.now(), data.key().id));
  EXPECT_GT(node.engine.store().pinned_bytes(), 60'000U);
  net.run();
  ASSERT_FALSE(node.progress.empty());
  EXPECT_TRUE(node.progress.back().done);
  EXPECT_LT(node.progress.back().received, 600U);
  EXPECT_EQ(node.engine.store().pinned_bytes(), 0U);
  // It can be tried again, with what came before.
  ASSERT_TRUE(node.engine.get(net.now(), data.key().id));
  net.run();
  EXPECT_TRUE(node.progress.back().done);
  EXPECT_THAT(net.asked().at(0), SizeIs(1));
  EXPECT_THAT(node.blamed, IsEmpty());
}

TEST(Engine, ASamplingDuringAGetAsksForNothingTwice) {
  Net net;
  Node& node = net.add_node(kNotByItself);
  const das::DataSet data = test_data(64, 100);
  net.say(net.connect(node, server_of(data)), announcement(data));
  ASSERT_TRUE(node.engine.get(net.now(), data.key().id));
  ASSERT_TRUE(node.engine.sample(net.now(), data.key().id, 8));
  net.run();
  EXPECT_EQ(to_text(node.verdicts.back()), "received=8 requested=8 confidence=1.000");
  for (const auto& [index, sessions] : net.asked()) EXPECT_THAT(sessions, SizeIs(1));
}

// The answers to a get that has ended are still under way when the same chunks are sampled.
TEST(Engine, ASamplingAfterAGetThatFailedTakesTheAnswersThatAreUnderWay) {
  Net net;
  Node& node = net.add_node(kNotByItself);
  const das::DataSet data = test_data(16, 100);
  std::vector<Bytes> later;
  const auto peer = net.connect(node, answering([&](std::uint32_t index) -> std::optional<Bytes> {
                                  if (index == 0) return not_held(data, index);
                                  later.push_back(chunk_response(data, index));
                                  return std::nullopt;
                                }));
  net.say(peer, announcement(data));
  ASSERT_TRUE(node.engine.get(net.now(), data.key().id));
  net.run(milliseconds(100));
  ASSERT_TRUE(node.progress.back().done);
  ASSERT_TRUE(node.engine.sample(net.now(), data.key().id, 16));
  for (const Bytes& answer : std::exchange(later, {})) net.say(peer, answer);
  net.run(milliseconds(100));
  for (const Bytes& answer : std::exchange(later, {})) net.say(peer, answer);
  net.run();
  ASSERT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(node.verdicts.front().received, 15U);
  EXPECT_THAT(node.blamed, IsEmpty());
}

TEST(Engine, CommandsSayWhyTheyAreRefused) {
  Net net;
  Node& node = net.add_node(
      {.auto_sample = false,
       .samples = 8,
       .store = {.max_bytes = 50'000, .max_pinned_bytes = 20'000, .lifetime = seconds(100)}});
  const das::DataSet data = test_data(64, 1'000);
  net.say(net.connect(node, server_of(data)), announcement(data));
  Engine& engine = node.engine;
  const auto refused = [](const auto& result, auto what) {
    return !result && result.error().is(what);
  };
  EXPECT_TRUE(refused(engine.sample(net.now(), {}, 8), CommandError::unknown_data));
  EXPECT_TRUE(refused(engine.get(net.now(), {}), CommandError::unknown_data));
  EXPECT_TRUE(refused(engine.sample(net.now(), data.key().id, kMaxSamples + 1),
                      CommandError::too_many_samples));
  EXPECT_TRUE(refused(engine.get(net.now(), data.key().id), CommandError::no_room));
  EXPECT_TRUE(refused(engine.publish(net.now(), {}, 100), das::DasError::no_data));
  EXPECT_TRUE(refused(engine.publish(net.now(), Bytes(9), 0), das::DasError::bad_chunk_size));
  net.publish(node, test_bytes(30'000), 1'000);
  EXPECT_FALSE(node.published.back().kept);  // more than the pinned share
  net.hold_jobs();
  for (std::size_t i = 0; i < kMaxPublishing; ++i) {
    ASSERT_TRUE(engine.publish(net.now(), test_bytes(100, i), 10));
  }
  EXPECT_TRUE(refused(engine.publish(net.now(), test_bytes(100), 10), CommandError::busy));
  std::size_t begun = 0;
  while (engine.sample(net.now(), data.key().id, 64)) ++begun;
  EXPECT_EQ(begun, kMaxRuns);
  EXPECT_TRUE(refused(engine.sample(net.now(), data.key().id, 8), CommandError::busy));
}

TEST(Engine, WhatHasExpiredIsNeitherAnnouncedNorServedNorListed) {
  Net net;
  Node& publisher = net.add_node(
      {.auto_sample = true,
       .samples = 8,
       .store = {.max_bytes = 100'000, .max_pinned_bytes = 100'000, .lifetime = seconds(10)}});
  const das::DataSet data = das::DataSet::make(test_bytes(6'400), 100).value();
  net.publish(publisher, test_bytes(6'400), 100);
  net.run(seconds(11));
  EXPECT_THAT(publisher.engine.data_sets(), IsEmpty());
  std::vector<Bytes> heard;
  const auto peer = net.connect(publisher, [&](ByteView payload) {
    heard.push_back(to_bytes(payload));
    return std::vector<Bytes>{};
  });
  net.say(peer, encode(RequestChunk{data.key().id, {5}}));
  net.run(seconds(1));
  EXPECT_THAT(heard, ElementsAre(not_held(data, 5)));
}

TEST(Engine, WhatTheSessionRefusesIsOfferedAgainOnceItCanTakeIt) {
  Net net;
  Node& node = net.add_node();
  const das::DataSet data = test_data(64, 100);
  const auto peer = net.connect(node, silent());
  node.engine.handle_message(net.now(), peer, encode(RequestChunk{data.key().id, {1, 2}}));
  auto first = node.engine.poll_outgoing();
  ASSERT_TRUE(first);
  const Bytes payload = first->payload;
  node.engine.handle_send_refused(net.now(), std::move(*first));
  EXPECT_FALSE(node.engine.poll_outgoing());
  node.engine.handle_writable(net.now(), peer);
  auto again = node.engine.poll_outgoing();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->payload, payload);
  EXPECT_TRUE(node.engine.poll_outgoing());
  EXPECT_FALSE(node.engine.poll_outgoing());
}

TEST(Engine, AnAnswerAfterItsDeadlineCountsNotAndIsNoBreach) {
  Net net;
  Node& node = net.add_node();
  const das::DataSet data = test_data(64, 100);
  std::vector<Bytes> late;
  const auto peer = net.connect(node, answering([&](std::uint32_t index) -> std::optional<Bytes> {
                                  late.push_back(chunk_response(data, index));
                                  return std::nullopt;
                                }));
  net.say(peer, announcement(data));
  net.run(seconds(10));
  ASSERT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(to_text(node.verdicts.front()), "received=0 requested=8 confidence=0.000");
  ASSERT_THAT(late, SizeIs(8));
  for (const Bytes& answer : late) net.say(peer, answer);
  EXPECT_THAT(node.blamed, IsEmpty());
  EXPECT_THAT(node.verdicts, SizeIs(1));
  EXPECT_EQ(node.engine.counters().late_answers, 8U);
  EXPECT_EQ(node.engine.counters().verified_bytes, 0U);
  ASSERT_THAT(node.scored, SizeIs(1));  // once for the data set, not once for each chunk
  EXPECT_EQ(node.scored.front().what, Lapse::late_chunk);
  net.say(peer, late.front());
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::unsolicited_response));
}

TEST(Engine, WhenTheDaysUploadIsUsedUpNothingIsAnnouncedOrServedUntilTheNext) {
  Net net;
  Node& publisher = net.add_node(kNotByItself);
  const das::DataSet data = das::DataSet::make(test_bytes(6'400), 100).value();
  std::vector<Bytes> heard;
  std::vector<Bytes> heard_by_friend;
  const auto remember = [](std::vector<Bytes>& what) {
    return [&what](ByteView payload) {
      what.push_back(to_bytes(payload));
      return std::vector<Bytes>{};
    };
  };
  net.publish(publisher, test_bytes(6'400), 100);
  publisher.engine.set_serving(net.now(), false);
  const auto peer = net.connect(publisher, remember(heard));
  const auto favoured = net.connect(publisher, remember(heard_by_friend));
  publisher.engine.handle_session_closed(net.now(), favoured);
  publisher.engine.handle_session_opened(net.now(), favoured, nearby(favoured), true);
  net.say(peer, encode(RequestChunk{data.key().id, {5}}));
  net.say(favoured, encode(RequestChunk{data.key().id, {5}}));
  net.run(seconds(1));
  EXPECT_THAT(heard, ElementsAre(not_held(data, 5)));
  EXPECT_THAT(heard_by_friend, ElementsAre(announcement(data), chunk_response(data, 5)));
  EXPECT_EQ(publisher.engine.counters().chunks_refused, 1U);
  publisher.engine.set_serving(net.now(), true);
  net.say(peer, encode(RequestChunk{data.key().id, {5}}));
  net.run(seconds(1));
  EXPECT_THAT(heard, ElementsAre(not_held(data, 5), announcement(data), chunk_response(data, 5)));
  EXPECT_THAT(heard_by_friend, SizeIs(2));
}

TEST(Engine, ChunksUnderWayKeepToWhatMayBeAskedForInAll) {
  Net net;
  Config config = kNotByItself;
  config.most_asked_bytes = 350;
  Node& node = net.add_node(config);
  const das::DataSet data = das::DataSet::make(test_bytes(6'400), 100).value();
  for (int i = 0; i < 5; ++i) {
    const auto peer = net.connect(node, [](ByteView) { return std::vector<Bytes>{}; });
    net.say(peer, announcement(data));
  }
  ASSERT_TRUE(node.engine.get(net.now(), data.key().id));
  net.run(milliseconds(100));
  EXPECT_EQ(node.engine.counters().chunks_asked, 3U);
}

}  // namespace
}  // namespace ethnet::das_lite
