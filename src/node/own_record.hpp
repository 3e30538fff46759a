// Our own record as the last run had it, as bytes for `<datadir>/own-record`: a restart after which
// it says the same takes it as it is, and else its next number is above all that others have seen
// of us, whatever our clock says now. The edge reads and writes the file.
//
// Text: the record that everybody is told, and, where another one has a higher number (those that
// peers of our LAN are told), that one: "enr:…", a line each. Both are signed by us: what is
// damaged or another node's is refused. Pure.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <types/enr.hpp>

namespace ethnet::node {

inline constexpr std::size_t kMaxOwnRecordFile = 1024;  // bytes: two records of 300 as text

enum class OwnRecordError : std::uint16_t {
  too_large = 1,  // kMaxOwnRecordFile
  lines,          // neither one nor two, each with its end
  foreign,        // of another key
  number,         // that no run of ours gave: 0, or above INT64_MAX
};
[[nodiscard]] const ErrorDomain& error_domain(OwnRecordError);

struct OwnRecord {
  VerifiedEnr told;    // to everybody
  VerifiedEnr newest;  // the same, or one with a higher number
};

// CHECK: both are of one node. The same record twice is written once.
[[nodiscard]] Bytes encode_own_record(const VerifiedEnr& told, const VerifiedEnr& newest);
// Errors: OwnRecordError, those of VerifiedEnr::parse.
[[nodiscard]] Result<OwnRecord> decode_own_record(ByteView file, const NodeId& self);

}  // namespace ethnet::node
