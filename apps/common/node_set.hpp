// Sets of nodes in files, in JSON as geth's devp2p tool writes and reads them: an object with a
// member for each node, named by its id, with its record and when it was heard of. And the folder
// of a DNS tree's content: enrtree-info.json and nodes.json. Every error is a std::runtime_error
// with one clear line. Limits: kMaxNodeSetBytes of a file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <discovery/dns/tree.hpp>
#include <types/enr.hpp>

namespace ethnet::app {

// A file of a hundred thousand nodes has 60 MiB.
inline constexpr std::size_t kMaxNodeSetBytes = 256 * 1024 * 1024;

struct KnownNode {
  VerifiedEnr record;
  std::int64_t score = 0;  // checks that it passed, halved by each that it did not
  // RFC 3339; empty: never.
  std::string first_response;
  std::string last_response;
  std::string last_check;
};
using NodeSet = std::map<NodeId, KnownNode>;

// "-": standard input. Each record is verified, and its id and number are those that the file says.
[[nodiscard]] NodeSet read_node_set(const std::string& path);
[[nodiscard]] std::string node_set_json(const NodeSet& nodes);  // with a newline at the end

// Nanoseconds since 1970 of an RFC 3339 time; throws where it is none.
[[nodiscard]] std::int64_t parse_time(const std::string& text);
[[nodiscard]] std::string time_text(UnixTime time);

// A tree as a person edits it: who is in it, where it will be, how it was signed last.
struct TreeFolder {
  std::string url;  // empty: never signed
  std::uint64_t seq = 0;
  std::string signature;
  std::vector<dns::Link> links;
  NodeSet nodes;

  [[nodiscard]] dns::Tree tree() const;
};
// Without enrtree-info.json it is one that was never signed.
[[nodiscard]] TreeFolder read_tree_folder(const std::string& path);
// Makes the folder where there is none, and enrtree-info.json in it.
void write_tree_info(const std::string& path, const TreeFolder& folder, UnixTime now);
void write_tree_nodes(const std::string& path, const TreeFolder& folder);
// The number and URL that a folder has; nothing of its nodes is read.
[[nodiscard]] std::uint64_t known_seq(const std::string& path, const dns::Link& tree);

}  // namespace ethnet::app
