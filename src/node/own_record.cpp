#include "own_record.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <base/check.hpp>

namespace ethnet::node {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<OwnRecordError>(code)) {
    case OwnRecordError::too_large:
      return "file too large";
    case OwnRecordError::lines:
      return "neither one nor two lines";
    case OwnRecordError::foreign:
      return "it is of another node key";
    case OwnRecordError::number:
      return "a sequence number that we never have";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"own record", describe};

std::string text_of(ByteView file) {
  std::string out;
  for (const std::byte b : file) out.push_back(static_cast<char>(b));
  return out;
}

}  // namespace

const ErrorDomain& error_domain(OwnRecordError) { return kDomain; }

Bytes encode_own_record(const VerifiedEnr& told, const VerifiedEnr& newest) {
  CHECK(told.node_id() == newest.node_id());
  std::string text = told->text() + "\n";
  if (newest->seq() > told->seq()) text += newest->text() + "\n";
  return to_bytes(text_bytes(text));
}

Result<OwnRecord> decode_own_record(ByteView file, const NodeId& self) {
  if (file.size() > kMaxOwnRecordFile) return fail(OwnRecordError::too_large, kMaxOwnRecordFile);
  const std::string text = text_of(file);
  std::optional<OwnRecord> out;
  std::size_t at = 0;
  for (std::size_t lines = 0; at < text.size(); ++lines) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos || lines == 2) return fail(OwnRecordError::lines, at);
    const VerifiedEnr record = TRY(VerifiedEnr::parse(std::string_view{text}.substr(at, end - at)));
    if (record.node_id() != self) return fail(OwnRecordError::foreign, at);
    const bool is_ours = record->seq() > 0 && record->seq() <= std::uint64_t{INT64_MAX};
    if (!is_ours) return fail(OwnRecordError::number, at);
    if (!out) out.emplace(OwnRecord{.told = record, .newest = record});
    if (record->seq() > out->newest->seq()) out->newest = record;
    at = end + 1;
  }
  if (!out) return fail(OwnRecordError::lines, at);
  return *std::move(out);
}

}  // namespace ethnet::node
