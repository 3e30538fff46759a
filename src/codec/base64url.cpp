#include "base64url.hpp"

namespace ethnet::base64url {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<Base64Error>(code)) {
    case Base64Error::bad_character:
      return "not a character of base64url";
    case Base64Error::bad_length:
      return "impossible length";
    case Base64Error::stray_bits:
      return "stray bits in the last character";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"base64url", describe};

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  if (c == '_') return 63;
  return -1;
}

}  // namespace

const ErrorDomain& error_domain(Base64Error) { return kDomain; }

std::string encode(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t pending = 0;  // bits not written yet, the low `count` of it
  unsigned count = 0;
  for (const std::byte b : bytes) {
    pending = (pending << 8) | std::to_integer<std::uint32_t>(b);
    for (count += 8; count >= 6; count -= 6)
      out.push_back(kAlphabet[(pending >> (count - 6)) & 63]);
  }
  if (count > 0) out.push_back(kAlphabet[(pending << (6 - count)) & 63]);
  return out;
}

Result<Bytes> decode(std::string_view text) {
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t pending = 0;
  unsigned count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = value_of(text[i]);
    if (value < 0) return fail(Base64Error::bad_character, i);
    pending = (pending << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::byte>((pending >> count) & 0xff));
  }
  if (count >= 6) return fail(Base64Error::bad_length, text.size());
  if ((pending & ((1U << count) - 1)) != 0) return fail(Base64Error::stray_bits, text.size() - 1);
  return out;
}

}  // namespace ethnet::base64url
