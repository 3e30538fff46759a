#include "nodes_file.hpp"

#include <utility>

#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>
#include <types/enr.hpp>

namespace ethnet::kbucket {
namespace {

std::string_view describe_error(std::uint16_t code) {
  switch (static_cast<NodesFileError>(code)) {
    case NodesFileError::too_large:
      return "file too large";
    case NodesFileError::version:
      return "unknown version";
    case NodesFileError::too_many_nodes:
      return "too many nodes";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"nodes file", describe_error};

Result<Bytes> read_record(rlp::Reader& in) {
  const Enr record = TRY(Enr::decode(in));
  return to_bytes(record.encoded());
}

}  // namespace

const ErrorDomain& error_domain(NodesFileError) { return kDomain; }

Bytes encode(const SavedNodes& saved) {
  CHECK(saved.nodes.size() <= kMaxSavedNodes && saved.anchors.size() <= kMaxAnchors);
  rlp::Writer out;
  const auto file = out.begin_list();
  out.write_uint(kNodesFileVersion);
  const auto nodes = out.begin_list();
  for (const SavedNode& node : saved.nodes) {
    const auto entry = out.begin_list();
    out.write_raw(node.record);
    out.write_uint(node.last_seen);
    out.end_list(entry);
  }
  out.end_list(nodes);
  const auto anchors = out.begin_list();
  for (const Bytes& record : saved.anchors) out.write_raw(record);
  out.end_list(anchors);
  out.end_list(file);
  return std::move(out).take();
}

Result<SavedNodes> decode_saved_nodes(ByteView file) {
  if (file.size() > kMaxNodesFileBytes) {
    return fail(NodesFileError::too_large, kMaxNodesFileBytes);
  }
  rlp::Reader in{file};
  rlp::Reader list = TRY(in.enter_list());
  TRY(in.expect_end());
  const std::uint64_t version_at = list.offset();
  const auto version = TRY(list.read_uint<std::uint64_t>());
  if (version != kNodesFileVersion) return fail(NodesFileError::version, version_at);
  rlp::Reader nodes = TRY(list.enter_list());
  rlp::Reader anchors = TRY(list.enter_list());
  TRY(list.expect_end());
  SavedNodes saved;
  while (!nodes.at_end()) {
    if (saved.nodes.size() == kMaxSavedNodes) {
      return fail(NodesFileError::too_many_nodes, nodes.offset());
    }
    rlp::Reader entry = TRY(nodes.enter_list());
    Bytes record = TRY(read_record(entry));
    const auto last_seen = TRY(entry.read_uint<std::uint64_t>());
    TRY(entry.expect_end());
    saved.nodes.push_back({std::move(record), last_seen});
  }
  while (!anchors.at_end()) {
    if (saved.anchors.size() == kMaxAnchors) {
      return fail(NodesFileError::too_many_nodes, anchors.offset());
    }
    Bytes record = TRY(read_record(anchors));
    saved.anchors.push_back(std::move(record));
  }
  return saved;
}

}  // namespace ethnet::kbucket
