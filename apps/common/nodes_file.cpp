#include "nodes_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <utility>

#include <discovery/kbucket/nodes_file.hpp>

#include "files.hpp"

namespace ethnet::app {
namespace {

// Whom it names, in an order that does not change when one is seen again; nothing where it is not
// such a file.
std::vector<Bytes> named_in(ByteView nodes) {
  auto saved = kbucket::decode_saved_nodes(nodes);
  if (!saved) return {};
  std::vector<Bytes> out;
  for (kbucket::SavedNode& node : saved->nodes) out.push_back(std::move(node.record));
  const auto first_anchor = static_cast<std::ptrdiff_t>(out.size());
  for (Bytes& anchor : saved->anchors) out.push_back(std::move(anchor));
  std::sort(out.begin(), out.begin() + first_anchor);
  std::sort(out.begin() + first_anchor, out.end());
  return out;
}

}  // namespace

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
    known_ = named_in(nodes);
    return nodes;
  } catch (const std::exception& failure) {
    say(now, failure.what());
    return {};
  }
}

void NodesFile::write(ByteView nodes, Now now) {
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
  known_ = named_in(nodes);
  const auto saved = kbucket::decode_saved_nodes(nodes);
  log_.write(now, LogLevel::debug, "Saved the known nodes",
             {{"nodes", std::uint64_t{saved ? saved->nodes.size() : 0}}});
}

void NodesFile::write_news(ByteView nodes, Now now) {
  if (named_in(nodes) != known_) write(nodes, now);
}

}  // namespace ethnet::app
