// The vectors of docs/spec/discv-lite.md, byte for byte.
#include <base/hex.hpp>
#include <gtest/gtest.h>
#include <types/enr.hpp>

#include "messages.hpp"

namespace ethnet::discv_lite {
namespace {

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }

TEST(DiscvSpecVectors, Messages) {
  EXPECT_EQ(to_hex(encode(Ping{1, 7})), "00c20107");
  EXPECT_EQ(to_hex(encode(Pong{1, 0x1234, endpoint("1.2.3.4:9001")})),
            "01cc018212348401020304822329");
  EXPECT_EQ(to_hex(encode(Pong{2, 0, endpoint("[2a00::1]:9001")})),
            "01d60280902a000000000000000000000000000001822329");
  EXPECT_EQ(to_hex(encode(FindNodes{3, {256, 255, 0}})), "02c803c682010081ff80");
  EXPECT_EQ(to_hex(encode(Nodes{4, {}})), "03c204c0");
}

// EIP-778's example.
TEST(DiscvSpecVectors, ARecord) {
  const auto record = VerifiedEnr::parse(
      "enr:-"
      "IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5w"
      "BgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8");
  ASSERT_TRUE(record.has_value());
  const Bytes encoded = to_bytes(record->record().encoded());
  EXPECT_EQ(encoded.size(), 134U);
  EXPECT_EQ(to_hex(encode(Nodes{5, {encoded}})), "03f88905f886" + to_hex(encoded).substr(0, 268));
  EXPECT_EQ(to_hex(encoded).substr(0, 4), "f884");
}

}  // namespace
}  // namespace ethnet::discv_lite
