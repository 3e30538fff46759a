#include "disconnect.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ethnet::session {
namespace {

TEST(Disconnect, NumbersSurviveTheWireAndHaveDistinctTexts) {
  std::set<std::string> texts;
  std::set<unsigned> numbers;
  for (const DisconnectReason reason : kAllDisconnectReasons) {
    EXPECT_EQ(reason_from_wire(static_cast<std::uint64_t>(reason)), reason);
    texts.insert(std::string{to_string(reason)});
    numbers.insert(static_cast<unsigned>(reason));
  }
  EXPECT_EQ(texts.size(), kAllDisconnectReasons.size());
  EXPECT_EQ(numbers.size(), kAllDisconnectReasons.size());
}

TEST(Disconnect, SharedNumbersAreThoseOfDevp2p) {
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::requested), 0x00U);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::protocol_breach), 0x02U);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::useless_peer), 0x03U);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::too_many_peers), 0x04U);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::already_connected), 0x05U);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::quitting), 0x08U);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::unexpected_identity), 0x09U);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::self_connection), 0x0aU);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::ping_timeout), 0x0bU);
  EXPECT_EQ(static_cast<unsigned>(DisconnectReason::subprotocol_error), 0x10U);
}

TEST(Disconnect, NumbersOfTheFutureAreUnknown) {
  EXPECT_EQ(reason_from_wire(0x07), DisconnectReason::unknown);
  EXPECT_EQ(reason_from_wire(0x7f), DisconnectReason::unknown);
  EXPECT_EQ(reason_from_wire(0x100), DisconnectReason::unknown);
  EXPECT_EQ(reason_from_wire(UINT64_MAX), DisconnectReason::unknown);
}

}  // namespace
}  // namespace ethnet::session
