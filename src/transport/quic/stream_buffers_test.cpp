// Send buffers against a naive model, and what an idle stream keeps.
#include "stream_buffers.hpp"

#include <algorithm>

#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "test_pair.hpp"

namespace ethnet::quic {
namespace {

// Everything ever accepted, and three offsets into it.
struct Model {
  Bytes all;
  std::size_t sent = 0;
  std::size_t acknowledged = 0;
};

// One step of any kind; false when the buffer is not what the model says.
bool step(Prng& prng, SendBuffer& buffer, Model& model) {
  constexpr std::size_t kLimit = 100'000;
  if (prng.below(3) == 0) {
    Bytes more(prng.below(prng.below(8) == 0 ? 50'000 : 300));
    for (std::byte& b : more) b = static_cast<std::byte>(prng.below(256));
    const std::size_t room = kLimit - std::min(kLimit, buffer.buffered());
    const std::size_t taken = buffer.append(more, kLimit);
    if (taken != std::min(room, more.size())) return false;
    append(model.all, ByteView{more}.first(taken));
  } else if (prng.below(2) == 0) {
    const std::size_t n = prng.below(buffer.unsent().size() + 1);
    buffer.mark_sent(n);
    model.sent += n;
  } else {
    model.acknowledged += prng.below(model.sent - model.acknowledged + 1);
    buffer.acknowledge(model.acknowledged);
  }
  const ByteView left = ByteView{model.all}.subspan(model.sent);
  const ByteView unsent = buffer.unsent();
  return buffer.pending() == !left.empty() && unsent.empty() == left.empty() &&
         unsent.size() <= left.size() && equal(unsent, left.first(unsent.size())) &&
         buffer.in_flight() == (model.sent > model.acknowledged);
}

TEST(SendBuffer, GivesTheBytesInOrderWhateverIsAppendedSentAndAcknowledged) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Prng prng{seed};
    SendBuffer buffer;
    Model model;
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(step(prng, buffer, model)) << seed << " " << i;
    while (!buffer.unsent().empty()) buffer.mark_sent(buffer.unsent().size());
    buffer.acknowledge(model.all.size());
    EXPECT_EQ(buffer.memory_bytes(), 0U);
    EXPECT_EQ(buffer.buffered(), 0U);
  }
}

// What the library was given pointers to must stay where it is.
TEST(SendBuffer, BytesStayInPlaceUntilTheyAreAcknowledged) {
  SendBuffer buffer;
  ASSERT_EQ(buffer.append(text_bytes("first"), 1'000'000), 5U);
  const auto* place = buffer.unsent().data();
  buffer.mark_sent(5);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(buffer.append(Bytes(1'000), 1'000'000), 1'000U);
  buffer.acknowledge(4);
  EXPECT_TRUE(equal(std::span{place, 5}, text_bytes("first")));
}

TEST(ReceiveBuffer, MemoryIsKeptWhileMuchComesAndGivenBackWhenNothingDoes) {
  ReceiveBuffer buffer;
  buffer.append(Bytes(100'000));
  buffer.consume(100'000);
  EXPECT_GE(buffer.memory_bytes(), 100'000U);
  buffer.trim();  // something came since the last time
  EXPECT_GE(buffer.memory_bytes(), 100'000U);
  buffer.append(Bytes(10));
  buffer.trim();
  buffer.trim();
  EXPECT_EQ(buffer.readable().size(), 10U);  // never what is not read
  buffer.consume(10);
  buffer.trim();
  EXPECT_EQ(buffer.memory_bytes(), 0U);
  // Little is given back at once.
  buffer.append(Bytes(100));
  buffer.consume(100);
  EXPECT_EQ(buffer.memory_bytes(), 0U);
}

TEST(ReceiveBuffer, AnIdleConnectionHasGivenItsMemoryBack) {
  testing::Pair pair;
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  pair.run(seconds(1));
  const auto stream =
      pair.client->endpoint->open_stream(conn, transport::StreamKind::unidirectional);
  ASSERT_TRUE(stream);
  const Bytes data = testing::pattern(300'000);
  ASSERT_EQ(testing::transfer(pair, *pair.client, conn, *stream, *pair.server, data), data);
  const std::size_t busy = pair.server->endpoint->memory_bytes(server_conn);
  pair.run(seconds(25));
  const std::size_t idle = pair.server->endpoint->memory_bytes(server_conn);
  std::printf("memory of a connection: busy %zu, idle %zu\n", busy, idle);
  EXPECT_LT(idle + 8 * 1024, busy);
  EXPECT_LT(idle, 40U * 1024);
}

}  // namespace
}  // namespace ethnet::quic
