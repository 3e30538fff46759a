#include "base32.hpp"

namespace ethnet::base32 {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<Base32Error>(code)) {
    case Base32Error::bad_character:
      return "not a character of base32";
    case Base32Error::bad_length:
      return "impossible length";
    case Base32Error::stray_bits:
      return "stray bits in the last character";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"base32", describe};

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr unsigned kBits = 5;  // of a character

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

}  // namespace

const ErrorDomain& error_domain(Base32Error) { return kDomain; }

std::string encode(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 8 + kBits - 1) / kBits);
  std::uint32_t pending = 0;  // bits not written yet, the low `count` of it
  unsigned count = 0;
  for (const std::byte b : bytes) {
    pending = (pending << 8) | std::to_integer<std::uint32_t>(b);
    for (count += 8; count >= kBits; count -= kBits)
      out.push_back(kAlphabet[(pending >> (count - kBits)) & 31]);
  }
  if (count > 0) out.push_back(kAlphabet[(pending << (kBits - count)) & 31]);
  return out;
}

Result<Bytes> decode(std::string_view text, StrayBits stray) {
  Bytes out;
  out.reserve(text.size() * kBits / 8);
  std::uint32_t pending = 0;
  unsigned count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = value_of(text[i]);
    if (value < 0) return fail(Base32Error::bad_character, i);
    pending = (pending << kBits) | static_cast<std::uint32_t>(value);
    count += kBits;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::byte>((pending >> count) & 0xff));
  }
  if (count >= kBits) return fail(Base32Error::bad_length, text.size());
  if (stray == StrayBits::refuse && (pending & ((1U << count) - 1)) != 0) {
    return fail(Base32Error::stray_bits, text.size() - 1);
  }
  return out;
}

}  // namespace ethnet::base32
