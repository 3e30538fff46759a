#include "known_lists.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <base/decimal.hpp>
#include <base/hex.hpp>
#include <crypto/keccak.hpp>

namespace ethnet::node {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<KnownListsError>(code)) {
    case KnownListsError::too_large:
      return "file too large";
    case KnownListsError::lines:
      return "not lines of a number and a list";
    case KnownListsError::checksum:
      return "its checksum is another one";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"known lists", describe};

std::string checksum_of(std::string_view lines) {
  return to_hex(crypto::keccak256(text_bytes(lines)));
}

Result<KnownList> decode_line(std::string_view line, std::uint64_t at) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return fail(KnownListsError::lines, at);
  const auto number = parse_decimal(line.substr(0, blank));
  if (!number) return fail(KnownListsError::lines, at);
  dns::Link list = TRY(dns::Link::parse(line.substr(blank + 1)));
  return KnownList{.list = std::move(list), .number = *number};
}

}  // namespace

const ErrorDomain& error_domain(KnownListsError) { return kDomain; }

Bytes KnownLists::encode() const {
  std::string text;
  for (const KnownList& known : lists_) {
    text += std::to_string(known.number) + " " + known.list.text() + "\n";
  }
  text += checksum_of(text) + "\n";
  return to_bytes(text_bytes(text));
}

Result<KnownLists> KnownLists::decode(ByteView file) {
  if (file.size() > kMaxKnownListsFile) return fail(KnownListsError::too_large, kMaxKnownListsFile);
  std::string text;
  for (const std::byte b : file) text.push_back(static_cast<char>(b));
  const std::size_t last = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
  const std::size_t sum = last == std::string::npos ? 0 : last + 1;
  const std::string_view lines = std::string_view{text}.substr(0, sum);
  if (text.substr(sum) != checksum_of(lines) + "\n") return fail(KnownListsError::checksum, sum);
  KnownLists out;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    if (out.lists_.size() == kMaxKnownLists || end == at) return fail(KnownListsError::lines, at);
    KnownList known = TRY(decode_line(lines.substr(at, end - at), at));
    out.learn(known.list, known.number);
    at = end + 1;
  }
  return out;
}

std::uint64_t KnownLists::number_of(const dns::Link& list) const {
  const auto it = std::ranges::find_if(
      lists_, [&](const KnownList& known) { return known.list.identity() == list.identity(); });
  return it == lists_.end() ? 0 : it->number;
}

void KnownLists::learn(const dns::Link& list, std::uint64_t number) {
  const std::uint64_t highest = std::max(number, number_of(list));
  std::erase_if(lists_,
                [&](const KnownList& known) { return known.list.identity() == list.identity(); });
  if (lists_.size() == kMaxKnownLists) lists_.erase(lists_.begin());
  lists_.push_back({.list = list, .number = highest});
}

}  // namespace ethnet::node
