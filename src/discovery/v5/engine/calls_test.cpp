// Which question may be sent, and which answer belongs to which.
#include "calls.hpp"

#include <gtest/gtest.h>

#include "../testing/engine_rig.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;

Call call_to(std::uint64_t node, std::uint64_t id, MessageType answer = MessageType::pong) {
  const RecordPtr to = node_of(node);
  return {.to = to,
          .at = to->endpoint(),
          .question = {.answer = answer},
          .request_id = RequestId::of(id)};
}
Peer peer(std::uint64_t node) { return {id_of(node), place_of(node)}; }
Nonce nonce(std::uint64_t number) {
  Nonce out{};
  store_be<std::uint64_t>(MutByteView{out}.last(8), number);
  return out;
}
// As the engine does it.
void send(Calls& calls, Call& call, std::uint64_t number, Instant deadline, bool leads = false) {
  call.leads = leads;
  ++call.tries;
  calls.set_sent(call, nonce(number), deadline);
}

TEST(Calls, WithoutASessionOneAsksForTheHandshakeAndTheOthersWait) {
  Calls calls{10};
  Call& first = calls.add(call_to(1, 1));
  Call& second = calls.add(call_to(1, 2));
  Call& elsewhere = calls.add(call_to(2, 3));
  EXPECT_EQ(calls.next_to_send(peer(1), false), &first);
  send(calls, first, 1, at(seconds(1)).mono, true);
  EXPECT_EQ(calls.next_to_send(peer(1), false), nullptr);
  EXPECT_EQ(calls.next_to_send(peer(1), true), nullptr) << "its answer may still not come";
  EXPECT_EQ(calls.next_to_send(peer(2), false), &elsewhere);
  first.leads = false;  // something came under its keys
  EXPECT_EQ(calls.next_to_send(peer(1), true), &second);
}

TEST(Calls, OthersWaitAgainWhenThePeerCannotReadThem) {
  Calls calls{10};
  Call& first = calls.add(call_to(1, 1));
  Call& second = calls.add(call_to(1, 2));
  send(calls, first, 1, at(seconds(1)).mono);
  send(calls, second, 2, at(seconds(2)).mono);
  calls.send_others_again(second);
  EXPECT_FALSE(first.sent);
  EXPECT_TRUE(second.sent);
  EXPECT_EQ(calls.find_by_nonce(nonce(1)), nullptr);
  EXPECT_EQ(calls.next_deadline(), at(seconds(2)).mono);
}

TEST(Calls, AnAnswerIsOfThePeerTheEndpointTheIdAndTheKind) {
  Calls calls{10};
  Call& call = calls.add(call_to(1, 0x0102));
  EXPECT_EQ(calls.find_asked(peer(1), RequestId::of(0x0102), MessageType::pong), nullptr)
      << "it was not sent yet";
  send(calls, call, 1, at(seconds(1)).mono);
  EXPECT_EQ(calls.find_asked(peer(1), RequestId::of(0x0102), MessageType::pong), &call);
  const auto stripped = RequestId::from_bytes(from_hex("0102").value());
  EXPECT_EQ(calls.find_asked(peer(1), *stripped, MessageType::pong), &call)
      << "some peers leave out leading zeros";
  EXPECT_EQ(calls.find_asked(peer(1), RequestId::of(0x0103), MessageType::pong), nullptr);
  EXPECT_EQ(calls.find_asked(peer(1), RequestId::of(0x0102), MessageType::nodes), nullptr);
  EXPECT_EQ(calls.find_asked(peer(2), RequestId::of(0x0102), MessageType::pong), nullptr);
  EXPECT_EQ(
      calls.find_asked({id_of(1), place_of(1, 9001)}, RequestId::of(0x0102), MessageType::pong),
      nullptr);
}

TEST(Calls, ItsLimitsAreOfAPeerAndOfAll) {
  Calls calls{kMaxCallsPerPeer + 1};
  for (std::uint64_t i = 0; i < kMaxCallsPerPeer; ++i) {
    ASSERT_TRUE(calls.has_room(peer(1)));
    calls.add(call_to(1, i));
  }
  EXPECT_FALSE(calls.has_room(peer(1)));
  ASSERT_TRUE(calls.has_room(peer(2)));
  const CallId last = calls.add(call_to(2, 9)).id;
  EXPECT_FALSE(calls.has_room(peer(3)));
  ASSERT_TRUE(calls.take(last).has_value());
  EXPECT_FALSE(calls.take(last).has_value());
  EXPECT_TRUE(calls.has_room(peer(3)));
  EXPECT_EQ(calls.count(peer(2)), 0U);
}

TEST(Calls, TheEarliestIsOverdueFirst) {
  Calls calls{10};
  Call& late = calls.add(call_to(1, 1));
  Call& early = calls.add(call_to(2, 2));
  send(calls, late, 1, at(seconds(2)).mono);
  send(calls, early, 2, at(seconds(1)).mono);
  EXPECT_FALSE(calls.overdue(at(milliseconds(999))).has_value());
  EXPECT_EQ(calls.overdue(at(seconds(3))), early.id);
  ASSERT_TRUE(calls.take(early.id).has_value());
  EXPECT_EQ(calls.overdue(at(seconds(3))), late.id);
  send(calls, late, 3, at(seconds(4)).mono);
  EXPECT_FALSE(calls.overdue(at(seconds(3))).has_value());
  EXPECT_EQ(calls.find_by_nonce(nonce(1)), nullptr) << "of the packet that was sent last";
  EXPECT_EQ(calls.find_by_nonce(nonce(3)), &late);
}

}  // namespace
}  // namespace ethnet::discv5
