#include "log.hpp"

#include <fmt/format.h>

namespace ethnet {

std::string sanitize(std::string_view text, std::size_t max_bytes) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool printable = byte >= 0x20 && byte < 0x7f && c != '\\';
    const std::string piece = printable ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
    if (out.size() + piece.size() > max_bytes) break;
    out += piece;
  }
  return out;
}

}  // namespace ethnet
