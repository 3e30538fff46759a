// Base64 with the URL alphabet and without padding (RFC 4648, section 5), strict: one text a value.
// Threading: pure functions. Limits: none of its own; callers bound the text first.
#pragma once

#include <string>
#include <string_view>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet::base64url {

enum class Base64Error : std::uint16_t {
  bad_character = 1,  // outside A-Z a-z 0-9 - _ (padding and blanks included)
  bad_length,         // no byte string has this many characters
  stray_bits          // unused low bits of the last character are set
};
[[nodiscard]] const ErrorDomain& error_domain(Base64Error);

[[nodiscard]] std::string encode(ByteView bytes);
// Errors carry the index of the character.
[[nodiscard]] Result<Bytes> decode(std::string_view text);

}  // namespace ethnet::base64url
