// Address: the 20 bytes that name an account.
#pragma once

#include <compare>
#include <string>

#include <base/bytes.hpp>
#include <base/hex.hpp>

namespace ethnet {

struct Address {
  ByteArray<20> bytes{};

  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] std::string hex() const { return to_hex_0x(bytes); }
  // 40 digits, with or without 0x. Errors: those of from_hex_into.
  [[nodiscard]] static Result<Address> parse(std::string_view text) {
    Address out;
    TRY(from_hex_into(text, out.bytes));
    return out;
  }
  friend auto operator<=>(const Address&, const Address&) = default;
};

}  // namespace ethnet
