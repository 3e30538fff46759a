#include "printable.hpp"

#include <fmt/format.h>

namespace ethnet {
namespace {

// How many bytes a character takes that begins with this one; 0: none begins so.
std::size_t length_by_lead(unsigned lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

bool is_control(std::uint32_t code) {
  const auto within = [code](std::uint32_t first, std::uint32_t last) {
    return code >= first && code <= last;
  };
  return within(0, 0x1f) || within(0x7f, 0x9f) || within(0x2028, 0x202e) ||
         within(0x2066, 0x2069) || within(0x200e, 0x200f) || code == 0x061c;
}

}  // namespace

TextPiece first_piece(std::string_view text) {
  const auto byte_at = [text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte_at(0);
  const TextPiece one_byte{text.substr(0, 1), lead, false};
  const std::size_t length = length_by_lead(lead);
  if (length == 0 || length > text.size()) return one_byte;
  std::uint32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(i) & 0xc0U) != 0x80) return one_byte;
    code = code << 6U | (byte_at(i) & 0x3fU);
  }
  // Overlong forms of two bytes have no lead byte above; surrogates are no characters.
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return one_byte;
  return {text.substr(0, length), code, !is_control(code)};
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const TextPiece piece = first_piece(text);
    text.remove_prefix(piece.bytes.size());
    if (piece.printable) {
      out += piece.bytes;
      continue;
    }
    for (const char c : piece.bytes) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace ethnet
