// Hexadecimal text. Lower case out; both cases in; an optional 0x prefix in.
#pragma once

#include <string>
#include <string_view>

#include "bytes.hpp"
#include "result.hpp"

namespace ethnet {

enum class HexError : std::uint16_t { odd_length = 1, bad_digit, wrong_size };
[[nodiscard]] const ErrorDomain& error_domain(HexError);

[[nodiscard]] std::string to_hex(ByteView bytes);     // "00ff"
[[nodiscard]] std::string to_hex_0x(ByteView bytes);  // "0x00ff"

// Errors: odd_length, bad_digit (offset: index of the character, prefix counted).
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);
// As above, into all of `out`; wrong_size when the digits do not fill it exactly. On error `out` is
// untouched.
[[nodiscard]] Result<void> from_hex_into(std::string_view text, MutByteView out);

}  // namespace ethnet
