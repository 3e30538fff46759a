#include "base32.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ethnet::base32 {
namespace {

Bytes text(std::string_view value) { return to_bytes(text_bytes(value)); }

TEST(Base32, TheExamplesOfTheSpecificationWithoutPadding) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"f", "MY"},
                                                                    {"fo", "MZXQ"},
                                                                    {"foo", "MZXW6"},
                                                                    {"foob", "MZXW6YQ"},
                                                                    {"fooba", "MZXW6YTB"},
                                                                    {"foobar", "MZXW6YTBOI"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(encode(text_bytes(plain)), encoded);
    EXPECT_EQ(decode(encoded), text(plain));
  }
}

TEST(Base32, DecodingIsStrictAndSaysWhere) {
  EXPECT_EQ(decode("my").error().message(), "base32: not a character of base32 at byte 0");
  EXPECT_EQ(decode("MZXW6YQ=").error().message(), "base32: not a character of base32 at byte 7");
  EXPECT_EQ(decode("M1").error().message(), "base32: not a character of base32 at byte 1");
  EXPECT_EQ(decode("M8").error().message(), "base32: not a character of base32 at byte 1");
  for (const std::string_view impossible : {"A", "AAA", "AAAAAA"}) {
    EXPECT_TRUE(decode(impossible).error().is(Base32Error::bad_length)) << impossible;
  }
  EXPECT_EQ(decode("MZ").error().message(), "base32: stray bits in the last character at byte 1");
}

TEST(Base32, StrayBitsAreIgnoredForWhomTheyDoNotMatter) {
  EXPECT_EQ(decode("MZ", StrayBits::ignore), text("f"));
  EXPECT_TRUE(decode("MZA", StrayBits::ignore).error().is(Base32Error::bad_length));
}

TEST(Base32Properties, RoundTrip) {
  EXPECT_TRUE(rc::check("decode(encode(x)) == x; what decodes encodes to itself", [] {
    const auto plain = *rc::gen::arbitrary<std::string>();
    RC_ASSERT(decode(encode(text_bytes(plain))).value() == to_bytes(text_bytes(plain)));
    const auto letters =
        *rc::gen::container<std::string>(rc::gen::element('A', 'Q', 'I', 'E', '4'));
    if (const auto decoded = decode(letters)) RC_ASSERT(encode(*decoded) == letters);
  }));
}

}  // namespace
}  // namespace ethnet::base32
