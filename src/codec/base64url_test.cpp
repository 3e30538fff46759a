#include "base64url.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ethnet::base64url {
namespace {

// RFC 4648, section 10, without the padding.
TEST(Base64Url, Rfc4648) {
  const auto both = [](std::string_view plain, std::string_view text) {
    EXPECT_EQ(encode(text_bytes(plain)), text);
    EXPECT_EQ(decode(text), to_bytes(text_bytes(plain)));
  };
  both("", "");
  both("f", "Zg");
  both("fo", "Zm8");
  both("foo", "Zm9v");
  both("foob", "Zm9vYg");
  both("fooba", "Zm9vYmE");
  both("foobar", "Zm9vYmFy");
  EXPECT_EQ(encode(Bytes{std::byte{0xfb}, std::byte{0xff}}), "-_8");
}

TEST(Base64Url, OneTextAValue) {
  EXPECT_EQ(decode("Zg==").error(), Error(Base64Error::bad_character, 2));
  EXPECT_EQ(decode("+_8").error(), Error(Base64Error::bad_character, 0));
  EXPECT_EQ(decode("Zm 8").error(), Error(Base64Error::bad_character, 2));
  EXPECT_EQ(decode("Zm9vY").error(), Error(Base64Error::bad_length, 5));
  EXPECT_EQ(decode("Zh").error(), Error(Base64Error::stray_bits, 1));
  EXPECT_EQ(decode("Zm9").error(), Error(Base64Error::stray_bits, 2));
}

TEST(Base64UrlProperties, RoundTrip) {
  EXPECT_TRUE(rc::check("decode(encode(x)) == x; what decodes encodes to itself", [] {
    const auto plain = *rc::gen::arbitrary<std::string>();
    RC_ASSERT(decode(encode(text_bytes(plain))).value() == to_bytes(text_bytes(plain)));
    const auto text = *rc::gen::container<std::string>(rc::gen::element('A', 'Q', 'g', 'w', '_'));
    const auto bytes = decode(text);
    if (bytes) RC_ASSERT(encode(*bytes) == text);
  }));
}

}  // namespace
}  // namespace ethnet::base64url
