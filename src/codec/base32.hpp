// Base32 in upper case and without padding (RFC 4648, section 6). What is written for reading is
// strict, one text a value; who only compares a prefix may let unused bits be what they are.
// Threading: pure functions. Limits: none of its own; callers bound the text first.
#pragma once

#include <string>
#include <string_view>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet::base32 {

enum class Base32Error : std::uint16_t {
  bad_character = 1,  // outside A-Z 2-7 (lower case, padding and blanks included)
  bad_length,         // no byte string has this many characters
  stray_bits          // unused low bits of the last character are set
};
[[nodiscard]] const ErrorDomain& error_domain(Base32Error);

enum class StrayBits : std::uint8_t { refuse, ignore };

[[nodiscard]] std::string encode(ByteView bytes);
// Errors carry the index of the character.
[[nodiscard]] Result<Bytes> decode(std::string_view text, StrayBits stray = StrayBits::refuse);

}  // namespace ethnet::base32
