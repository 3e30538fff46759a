// The highest sequence number that was seen of each list in the DNS, as bytes for
// `<datadir>/dns-lists`: a list that goes back is refused after a restart too. The edge reads and
// writes the file.
//
// Text: "SEQUENCE enrtree://KEY@DOMAIN", a line each, and at the end the Keccak-256 of these lines
// in hex: a digit that fell over would shut a list out for good. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <discovery/dns/tree.hpp>

namespace ethnet::node {

inline constexpr std::size_t kMaxKnownLists = 64;  // those walked now, and 48 of before
// Bytes: as many lines with the longest domains and numbers.
inline constexpr std::size_t kMaxKnownListsFile = 24 * 1024;

enum class KnownListsError : std::uint16_t {
  too_large = 1,  // kMaxKnownListsFile
  lines,          // one of another form, or too many
  checksum,
};
[[nodiscard]] const ErrorDomain& error_domain(KnownListsError);

struct KnownList {
  dns::Link list;
  std::uint64_t number = 0;
};

class KnownLists {
 public:
  // Errors: KnownListsError, those of dns::Link::parse.
  [[nodiscard]] static Result<KnownLists> decode(ByteView file);
  [[nodiscard]] Bytes encode() const;

  // 0: nothing is known of it.
  [[nodiscard]] std::uint64_t number_of(const dns::Link& list) const;
  // Its root has this number now. Beyond kMaxKnownLists the one that was learned of longest ago and
  // not since makes way.
  void learn(const dns::Link& list, std::uint64_t number);
  [[nodiscard]] const std::vector<KnownList>& all() const { return lists_; }

 private:
  std::vector<KnownList> lists_;  // learned of longest ago first
};

}  // namespace ethnet::node
