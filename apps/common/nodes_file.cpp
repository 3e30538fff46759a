#include "nodes_file.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <utility>

#include <discovery/kbucket/nodes_file.hpp>

#include "files.hpp"

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

void NodesFile::say(Now now, const std::string& problem) {
  log_.write(now, LogLevel::warn, "The file of known nodes", {{"problem", problem}});
}

Bytes NodesFile::read(Now now) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  if (error == std::errc::no_such_file_or_directory) return {};
  if (error) {
    say(now, "cannot read " + path_ + ": " + error.message());
    return {};
  }
  if (size > kbucket::kMaxNodesFileBytes) {
    say(now, path_ + " is too large to be one");
    return {};
  }
  try {
    Bytes nodes = read_binary_file(path_);
    known_ = names_in(nodes);
    return nodes;
  } catch (const std::exception& failure) {
    say(now, failure.what());
    return {};
  }
}

void NodesFile::write(ByteView nodes, Now now) { write(nodes, names_in(nodes), now); }

void NodesFile::write(ByteView nodes, Names names, Now now) {
  const std::string fresh = path_ + ".new";
  std::string text;
  for (const std::byte b : nodes) text.push_back(static_cast<char>(b));
  std::ofstream file{fresh, std::ios::binary | std::ios::trunc};
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return say(now, "cannot write " + fresh);
  std::error_code error;
  std::filesystem::rename(fresh, path_, error);
  if (error) return say(now, "cannot write " + path_ + ": " + error.message());
  known_ = std::move(names);
  log_.write(now, LogLevel::debug, "Saved the known nodes",
             {{"nodes", std::uint64_t{known_.nodes.size()}}});
}

void NodesFile::write_news(ByteView nodes, Now now) {
  Names names = names_in(nodes);
  if (names != known_) write(nodes, std::move(names), now);
}

}  // namespace ethnet::app
