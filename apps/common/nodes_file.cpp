#include "nodes_file.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <discovery/kbucket/nodes_file.hpp>

namespace ethnet::app {

// An order that does not change when one is seen again.
NodesFile::Names NodesFile::names_in(ByteView nodes) {
  auto saved = kbucket::decode_saved_nodes(nodes);
  if (!saved) return {};
  Names out;
  for (kbucket::SavedNode& node : saved->nodes) out.nodes.push_back(std::move(node.record));
  out.anchors = std::move(saved->anchors);
  std::ranges::sort(out.nodes);
  std::ranges::sort(out.anchors);
  return out;
}

Bytes NodesFile::read(Now now) {
  Bytes nodes = file_.read(now);
  known_ = names_in(nodes);
  return nodes;
}

void NodesFile::write(ByteView nodes, Now now) { write(nodes, names_in(nodes), now); }

void NodesFile::write(ByteView nodes, Names names, Now now) {
  if (!file_.write(nodes, now)) return;
  known_ = std::move(names);
  log_.write(now, LogLevel::debug, "Saved the known nodes",
             {{"nodes", std::uint64_t{known_.nodes.size()}}});
}

void NodesFile::write_news(ByteView nodes, Now now) {
  Names names = names_in(nodes);
  if (names != known_) write(nodes, std::move(names), now);
}

}  // namespace ethnet::app
