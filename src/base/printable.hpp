// What may go to a terminal, a log or a JSON text as it is. Text that a peer supplied goes through
// sanitize() (log.hpp) before; this is for all that a program prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ethnet {

// The first character of a text that is not empty: a whole one of well-formed UTF-8, or else one
// byte, which is never printable. Neither is what moves a cursor, ends a line or turns the order of
// characters round: C0, DEL, C1, the line and paragraph separators and the bidirectional controls.
struct TextPiece {
  std::string_view bytes;
  std::uint32_t code = 0;  // the code point, or the byte
  bool printable = false;
};
[[nodiscard]] TextPiece first_piece(std::string_view text);

// For our own texts, which are UTF-8, and what the person at this machine wrote (file names,
// flags): on its way to a terminal, every byte that is not of a printable character as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace ethnet
