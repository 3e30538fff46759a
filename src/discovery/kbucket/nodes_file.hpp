// What a node knows of others, as bytes for `<datadir>/nodes`, so that a restart does not begin
// with strangers: the nodes that it reached, and the anchors, peers with which it had sessions when
// it stopped and which it dials first (attack 34). The edge reads and writes the file.
//
// Canonical RLP: [version, [[record, last-seen], …], [record, …]]; record is an EIP-778 record,
// last-seen Unix seconds. Signatures are not judged here: a file can be old, foreign or damaged, so
// its records are judged like a peer's. Errors: NodesFileError, EnrError, RlpError, with offset.
#pragma once

#include <cstdint>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet::kbucket {

inline constexpr std::uint64_t kNodesFileVersion = 1;
inline constexpr std::size_t kMaxSavedNodes = 272;  // a full table
inline constexpr std::size_t kMaxAnchors = 4;       // each may be lost, or have turned against us
// A full file: so many records of 300 bytes, a time and two prefixes for each.
inline constexpr std::size_t kMaxNodesFileBytes = 96 * 1024;

enum class NodesFileError : std::uint16_t { too_large = 1, version, too_many_nodes };
[[nodiscard]] const ErrorDomain& error_domain(NodesFileError);

struct SavedNode {
  Bytes record;
  std::uint64_t last_seen = 0;  // Unix seconds
  friend bool operator==(const SavedNode&, const SavedNode&) = default;
};

struct SavedNodes {
  std::vector<SavedNode> nodes;
  std::vector<Bytes> anchors;
  friend bool operator==(const SavedNodes&, const SavedNodes&) = default;
};

// CHECK: within the limits.
[[nodiscard]] Bytes encode(const SavedNodes& saved);
[[nodiscard]] Result<SavedNodes> decode_saved_nodes(ByteView file);

}  // namespace ethnet::kbucket
