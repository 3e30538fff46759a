#include "hex.hpp"

namespace ethnet {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<HexError>(code)) {
    case HexError::odd_length:
      return "odd number of hex digits";
    case HexError::bad_digit:
      return "not a hex digit";
    case HexError::wrong_size:
      return "wrong number of hex digits";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"hex", describe};
constexpr std::string_view kDigits = "0123456789abcdef";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::size_t prefix_length(std::string_view text) { return text.starts_with("0x") ? 2 : 0; }

}  // namespace

const ErrorDomain& error_domain(HexError) { return kDomain; }

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    const auto v = std::to_integer<unsigned>(b);
    out.push_back(kDigits[v >> 4]);
    out.push_back(kDigits[v & 15]);
  }
  return out;
}

std::string to_hex_0x(ByteView bytes) { return "0x" + to_hex(bytes); }

Result<void> from_hex_into(std::string_view text, MutByteView out) {
  const std::size_t start = prefix_length(text);
  const std::size_t digits = text.size() - start;
  if (digits % 2 != 0) return fail(HexError::odd_length, text.size());
  if (digits / 2 != out.size()) return fail(HexError::wrong_size, text.size());
  for (std::size_t at = start; at < text.size(); ++at) {
    if (digit_value(text[at]) < 0) return fail(HexError::bad_digit, at);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t at = start + 2 * i;
    out[i] = static_cast<std::byte>(digit_value(text[at]) * 16 + digit_value(text[at + 1]));
  }
  return {};
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes out((text.size() - prefix_length(text)) / 2);
  TRY(from_hex_into(text, out));
  return out;
}

}  // namespace ethnet
