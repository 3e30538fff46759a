#include "csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ethnet::census {
namespace {

std::string field(const Value& value) {
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    return fmt::format("{}", *number);
  }
  const auto* const text = std::get_if<std::string>(&value);
  if (text == nullptr || text->empty()) return {};
  std::string out = std::string_view{"=+-@\t"}.contains(text->front()) ? "'" : "";
  out += *text;
  if (out.find_first_of("\",\r\n") == std::string::npos) return out;
  std::string quoted = "\"";
  for (const char c : out) quoted += c == '"' ? std::string{"\"\""} : std::string{c};
  return quoted + '"';
}

}  // namespace

std::string csv_header() { return fmt::format("{}\r\n", fmt::join(kColumns, ",")); }

std::string csv_line(const Row& row) {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += ',';
    out += field(row.at(i));
  }
  return out + "\r\n";
}

}  // namespace ethnet::census
